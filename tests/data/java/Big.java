// SPDX-License-Identifier: MIT
package prog;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Arrays;

/** A JVM with as many compiled methods as the benchmark asks: classes are made up on the spot. */
final class Big extends ClassLoader {
	private static final int PER_CLASS = 500;

	/** A class of static methods "int mK(int)", and "int all(int)" that calls each of them. */
	private static byte[] make(String name, int methods) throws IOException {
		ByteArrayOutputStream bytes = new ByteArrayOutputStream();
		DataOutputStream out = new DataOutputStream(bytes);
		int first = 8; // constants: 3 per method from here on

		out.writeInt(0xCAFEBABE);
		out.writeInt(49); // class file version of Java 5: no stack maps needed
		out.writeShort(first + 3 * methods);
		utf8(out, name);			// 1
		out.writeByte(7); out.writeShort(1);	// 2: this class
		utf8(out, "java/lang/Object");		// 3
		out.writeByte(7); out.writeShort(3);	// 4: super class
		utf8(out, "(I)I");			// 5
		utf8(out, "Code");			// 6
		utf8(out, "all");			// 7
		for (int k = 0; k < methods; k++) {
			utf8(out, "m" + k);
			out.writeByte(12); out.writeShort(first + 3 * k); out.writeShort(5);
			out.writeByte(10); out.writeShort(2); out.writeShort(first + 3 * k + 1);
		}
		out.writeShort(0x21); out.writeShort(2); out.writeShort(4);
		out.writeShort(0); out.writeShort(0);
		out.writeShort(methods + 1);
		for (int k = 0; k < methods; k++)
			method(out, first + 3 * k, new byte[] {0x1a, 0x11, (byte) (k >> 8), (byte) k, 0x60, (byte) 0xac});
		ByteArrayOutputStream code = new ByteArrayOutputStream();
		code.write(0x1a);
		for (int k = 0; k < methods; k++) {
			int ref = first + 3 * k + 2;
			code.write(0xb8); code.write(ref >> 8); code.write(ref);
		}
		code.write(0xac);
		method(out, 7, code.toByteArray());
		out.writeShort(0);
		return bytes.toByteArray();
	}

	private static void utf8(DataOutputStream out, String s) throws IOException {
		out.writeByte(1);
		out.writeUTF(s);
	}

	private static void method(DataOutputStream out, int name, byte[] code) throws IOException {
		out.writeShort(0x09); // public static
		out.writeShort(name); out.writeShort(5);
		out.writeShort(1); out.writeShort(6);
		out.writeInt(12 + code.length);
		out.writeShort(2); out.writeShort(1);
		out.writeInt(code.length);
		out.write(code);
		out.writeShort(0); out.writeShort(0);
	}

	/** Define a class and call each of its methods once. */
	private void add(String name, int methods) throws Exception {
		byte[] b = make(name.replace('.', '/'), methods);
		Class<?> k = defineClass(name, b, 0, b.length);
		k.getMethod("all", int.class).invoke(null, 1);
	}

	/** Classes that come and go: each has a loader of its own, which is dropped when eight more have come. */
	private static void turn(int classes, int methods) throws Exception {
		Big[] recent = new Big[8];
		for (int c = 0; c < classes; c++) {
			Big loader = recent[c % recent.length] = new Big();
			loader.add("gen.Turn" + c, methods);
			Thread.sleep(10);
			if (c % recent.length == 0)
				System.gc();
		}
		Arrays.fill(recent, null);
		System.gc();
	}

	public static void main(String[] argv) throws Exception {
		int left = Integer.parseInt(argv[0]);
		Big loader = new Big();

		for (int c = 0; left > 0; c++, left -= PER_CLASS)
			loader.add("gen.Big" + c, Math.min(left, PER_CLASS));
		Ctl.ready(0);
		for (;;) {
			String[] c = Ctl.command(); // "add NAME METHODS", "turn CLASSES METHODS"
			if (c[0].equals("add"))
				loader.add(c[1], Integer.parseInt(c[2]));
			else
				turn(Integer.parseInt(c[1]), Integer.parseInt(c[2]));
			Ctl.done("");
		}
	}
}
