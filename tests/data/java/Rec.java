// SPDX-License-Identifier: MIT
package prog;

import java.io.BufferedWriter;
import java.io.FileWriter;
import java.io.IOException;
import java.io.Writer;
import java.lang.reflect.Field;
import java.lang.reflect.Method;

/**
 * One recorded call, written to the file named by the system property "rec" in the shape hotprobe
 * prints it. The parameters are added one by one; the overload chosen by the compiler is the
 * declared type, so nothing is boxed and nothing is guessed.
 */
final class Rec {
	/** As hotprobe's --string-max: bytes of the string's own array. */
	static int stringMax = Integer.getInteger("stringMax", 256);
	/** Print addresses of objects: only sound while no collection moves them. */
	static final boolean ADDRESSES = Boolean.getBoolean("addresses");

	private static Writer out;
	private static Object unsafe;
	private static Method getLong;
	private static long arrayBase;

	private final Class<?> declaring;
	private final String name;
	private final StringBuilder args = new StringBuilder();
	private final StringBuilder types = new StringBuilder();
	private final StringBuilder desc = new StringBuilder("(");
	private final StringBuilder self = new StringBuilder();

	Rec(Class<?> declaring, String name) {
		this.declaring = declaring;
		this.name = name;
	}

	/** The receiver; leave out for a static method. */
	Rec self(Object o) {
		self.append("\"this\":{\"class\":").append(quote(o.getClass().getTypeName()));
		address(self, o);
		self.append("},");
		return this;
	}

	Rec a(boolean v) { return value(boolean.class, String.valueOf(v)); }
	Rec a(byte v) { return value(byte.class, String.valueOf(v)); }
	Rec a(short v) { return value(short.class, String.valueOf(v)); }
	Rec a(char v) { return value(char.class, quote(String.valueOf(v))); }
	Rec a(int v) { return value(int.class, String.valueOf(v)); }
	Rec a(long v) { return value(long.class, String.valueOf(v)); }

	Rec a(float v) {
		String text = String.valueOf(v);
		return value(float.class, v - v == 0 ? text : quote(text));
	}

	Rec a(double v) {
		String text = String.valueOf(v);
		return value(double.class, v - v == 0 ? text : quote(text));
	}

	/** A parameter declared java.lang.String. */
	Rec s(String v) {
		return value(String.class, text(v));
	}

	private static String text(String v) {
		if (v == null)
			return "null";
		int width = wide(v) ? 2 : 1;
		boolean cut = (long) v.length() * width > stringMax;
		String text = cut ? v.substring(0, stringMax / width) : v;
		int last = text.length() - 1;
		if (cut && last >= 0 && Character.isHighSurrogate(text.charAt(last)))
			text = text.substring(0, last); // half a pair is not shown
		return quote(text) + ",\"length\":" + v.length()
			+ ",\"truncated\":" + cut;
	}

	/** Any other reference. */
	Rec o(Class<?> declared, Object v) {
		if (v == null)
			return value(declared, "null");
		param(declared);
		args.append(",\"class\":").append(quote(v.getClass().getTypeName()));
		if (v instanceof String s) // hotprobe may show its text
			args.append(",\"maybe\":{\"value\":").append(text(s)).append("}");
		address(args, v);
		args.append('}');
		return this;
	}

	/** A String whose value is known as JSON, so that recording does not touch the String itself. */
	Rec t(Text v) {
		return value(String.class, v.json());
	}

	/** A String, and what {@link #s} makes of it. */
	record Text(String text, String json) {
		static Text of(String s) {
			return new Text(s, Rec.text(s));
		}
	}

	/** Write it down: call this right before the call itself. */
	void end(Class<?> result) {
		Thread t = Thread.currentThread();
		String cls = quote(declaring.getTypeName());
		StringBuilder b = new StringBuilder("{");
		b.append("\"class\":").append(cls).append(",\"name\":").append(quote(name));
		b.append(",\"descriptor\":").append(quote(desc + ")" + result.descriptorString()));
		b.append(",\"method\":").append(
			quote(declaring.getTypeName() + "." + name + "(" + types + ")"));
		b.append(",\"thread\":").append(quote(t.getName()));
		b.append(",\"java_tid\":").append(t.getId()).append(',').append(self);
		b.append("\"args\":[").append(args).append("]}\n");
		write(b.toString());
	}

	void end() {
		end(void.class);
	}

	static synchronized void write(String line) {
		try {
			if (out == null)
				out = new BufferedWriter(new FileWriter(System.getProperty("rec")));
			out.write(line);
		} catch (IOException e) {
			throw new RuntimeException(e);
		}
	}

	static synchronized void flush() {
		try {
			if (out != null)
				out.flush();
		} catch (IOException e) {
			throw new RuntimeException(e);
		}
	}

	private Rec value(Class<?> type, String json) {
		param(type);
		args.append(",\"value\":").append(json).append('}');
		return this;
	}

	private void param(Class<?> type) {
		if (args.length() > 0) {
			args.append(',');
			types.append(", ");
		}
		types.append(type.getTypeName());
		desc.append(type.descriptorString());
		args.append("{\"type\":").append(quote(type.getTypeName()));
	}

	/** Does the JVM keep this string as UTF-16? */
	private static boolean wide(String s) {
		for (int i = 0; i < s.length(); i++)
			if (s.charAt(i) > 0xff)
				return true;
		return Boolean.getBoolean("wideStrings");
	}

	static String quote(String s) {
		StringBuilder b = new StringBuilder("\"");
		for (int i = 0; i < s.length(); i++) {
			char c = s.charAt(i);
			if (c == '"' || c == '\\')
				b.append('\\').append(c);
			else if (c >= ' ' && c < 127)
				b.append(c);
			else
				escape(b, c);
		}
		return b.append('"').toString();
	}

	/** An argument of declared type String, as hotprobe prints it. */
	static String textArgument(String v) {
		return "{\"type\":\"java.lang.String\",\"value\":" + text(v) + "}";
	}

	private static void escape(StringBuilder b, char c) {
		b.append("\\u");
		for (int shift = 12; shift >= 0; shift -= 4)
			b.append(Character.forDigit(c >> shift & 15, 16));
	}

	/** With -XX:-UseCompressedOops an Object[] element is the address itself. */
	private static void address(StringBuilder b, Object o) {
		if (!ADDRESSES)
			return;
		try {
			if (unsafe == null) {
				Class<?> c = Class.forName("sun.misc.Unsafe");
				Field f = c.getDeclaredField("theUnsafe");
				f.setAccessible(true);
				unsafe = f.get(null);
				getLong = c.getMethod("getLong", Object.class, long.class);
				arrayBase = (int) c.getMethod("arrayBaseOffset", Class.class)
					.invoke(unsafe, Object[].class);
			}
			long addr = (long) getLong.invoke(unsafe, new Object[] { o }, arrayBase);
			b.append(",\"addr\":\"0x").append(Long.toHexString(addr)).append('"');
		} catch (ReflectiveOperationException e) {
			throw new RuntimeException(e);
		}
	}
}
