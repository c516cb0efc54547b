// SPDX-License-Identifier: MIT
package prog;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Map;

/** Classes with names that no Java source can have: compiled ones, with other constants. */
final class Renamed extends ClassLoader {
	private static final int UTF8 = 1, LONG = 5, DOUBLE = 6;

	/** Bytes of an entry of the constant pool behind its tag, by tag; JVM specification, 4.4. */
	private static final int[] SIZES = {0, 0, 0, 4, 4, 8, 8, 2, 2, 4, 4, 4, 4, 0, 0, 3, 2, 4, 4, 2, 2};

	private Renamed() { }

	private static String replace(String text, Map<String, String> names) {
		for (Map.Entry<String, String> name : names.entrySet())
			text = text.replace(name.getKey(), name.getValue());
		return text;
	}

	private static void copyPool(DataInputStream in, DataOutputStream out, Map<String, String> names)
			throws IOException {
		int count = in.readUnsignedShort();
		out.writeShort(count);
		for (int i = 1; i < count; i++) {
			int tag = in.readUnsignedByte();
			out.writeByte(tag);
			if (tag == UTF8)
				out.writeUTF(replace(in.readUTF(), names));
			else
				out.write(in.readNBytes(SIZES[tag]));
			if (tag == LONG || tag == DOUBLE)
				i++;
		}
	}

	/** The class file of class @name of this package, with @names in place of others. */
	static byte[] bytes(String name, Map<String, String> names) throws IOException {
		ByteArrayOutputStream bytes = new ByteArrayOutputStream();
		try (InputStream file = Renamed.class.getResourceAsStream(name + ".class")) {
			DataInputStream in = new DataInputStream(file);
			DataOutputStream out = new DataOutputStream(bytes);
			out.write(in.readNBytes(8));
			copyPool(in, out, names);
			out.write(in.readAllBytes());
		}
		return bytes.toByteArray();
	}

	/** An object of that class, in a class loader of its own. */
	static Object instance(String name, Map<String, String> names)
			throws IOException, ReflectiveOperationException {
		byte[] bytes = bytes(name, names);
		Class<?> c = new Renamed().defineClass(null, bytes, 0, bytes.length);
		return c.getDeclaredConstructor().newInstance();
	}
}
