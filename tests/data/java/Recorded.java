// SPDX-License-Identifier: MIT
package prog;

import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntUnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What tests/tools/record-jvm records: code of every tier, loops replaced while they run, wrappers of
 * native methods, overloads, and names of all kinds; then quiet until the end of stdin. It is
 * compiled for JDK 8, and only uses what that has.
 */
public final class Recorded {
	static volatile long sink;
	static volatile Object ref;
	private static final Pattern WORD = Pattern.compile("[a-z]+|\\d+");

	private Recorded() { }

	static int over(int a) { return a + 1; }
	static long over(long a) { return a + 2; }
	static int over(int a, long b) { return a + (int) b; }
	static double over(double a, float b) { return a * b; }
	static String over(String s) { return s; }
	static Object over(Object[] a, int[][] b) { return a; }

	static int \u00fcber\u5b57\ud835\udc9c(int a) {
		return a ^ 3;
	}

	static long wide(int a, double b, long c, float d, String e, Object f, boolean g, byte h, short i, char j,
			long[] k, double l) {
		return a + (long) b + c + (long) d + h + i + j + (long) l;
	}

	/** One call of it runs long enough to be replaced on the stack. */
	static long loop(int n) {
		long sum = 0;
		for (int i = 0; i < n; i++)
			sum += i % 7 * (sum & 3);
		return sum;
	}

	abstract static class Shape {
		abstract int area(int a);

		synchronized int locked(int a) {
			return area(a) + 1;
		}
	}

	static final class Square extends Shape {
		@Override int area(int a) { return a * a; }
	}

	static final class Circle extends Shape {
		@Override int area(int a) { return a * a * 3; }
	}

	interface Call {
		int call(int a);
	}

	enum Color {
		RED, GREEN {
			@Override int paint(int a) { return a - 1; }
		};

		int paint(int a) { return a + 1; }
	}

	static final class $ {
		static final class $$_ {
			static int in(int a) { return a * 5; }
		}
	}

	/** Its name is changed before it is loaded: see Renaming. */
	public static final class Odd__ implements IntUnaryOperator {
		@Override public int applyAsInt(int a) { return a + 11; }
	}

	/** Loads Odd__ as "Odd" and a letter that takes two bytes: no source file can tell it by name. */
	static final class Renaming extends ClassLoader {
		private static final String FROM = "prog/Recorded$Odd__";

		IntUnaryOperator make() throws Exception {
			byte[] b = bytes();
			byte[] from = FROM.getBytes("UTF-8");
			for (int i = 0; i + from.length <= b.length; i++)
				if (new String(b, i, from.length, "ISO-8859-1").equals(FROM)) {
					b[i + from.length - 2] = (byte) 0xc3;
					b[i + from.length - 1] = (byte) 0xbc;
				}
			return (IntUnaryOperator) defineClass(null, b, 0, b.length).getDeclaredConstructor()
					.newInstance();
		}

		private static byte[] bytes() throws Exception {
			ByteArrayOutputStream out = new ByteArrayOutputStream();
			byte[] buf = new byte[4096];
			try (InputStream in = Recorded.class.getResourceAsStream("Recorded$Odd__.class")) {
				for (int n; (n = in.read(buf)) > 0;)
					out.write(buf, 0, n);
			}
			return out.toByteArray();
		}
	}

	private static Call proxy() {
		return (Call) Proxy.newProxyInstance(Recorded.class.getClassLoader(), new Class<?>[] {Call.class},
				new InvocationHandler() {
					@Override public Object invoke(Object self, Method m, Object[] args) {
						return (Integer) args[0] + 7;
					}
				});
	}

	private static long overloads(int i) {
		return over(i) + over((long) i) + over(i, 3L) + (long) over(i, 2f) + over("text").length()
				+ (over(new Object[0], null) == null ? 1 : 0) + \u00fcber\u5b57\ud835\udc9c(i)
				+ wide(i, 1, 2, 3, "e", null, true, (byte) 4, (short) 5, 'c', null, 6) + $.$$_.in(i);
	}

	private static long texts(int i) {
		Map<String, Integer> m = new HashMap<>();
		List<String> l = new ArrayList<>();
		StringBuilder b = new StringBuilder();

		for (int j = 0; j < 4; j++) {
			l.add("key " + (i + j) % 50);
			m.merge(l.get(j), j, Integer::sum);
		}
		for (String s : l)
			b.append(s).append(m.get(s)).append(s.indexOf('y'));
		return b.toString().hashCode();
	}

	/** A wide range of the library, for many methods that are compiled once. */
	private static long library(int i) {
		Map<Integer, String> m = new TreeMap<>();
		BigInteger n = BigInteger.ONE;
		Matcher words = WORD.matcher("some words: " + i + " and more, to be found");
		long sum = 0;

		for (int j = 1; j < 12; j++) {
			n = n.multiply(BigInteger.valueOf(i + j));
			m.put(i * j % 31, String.valueOf(j * 1.5));
		}
		while (words.find())
			sum += words.group().length();
		for (Map.Entry<Integer, String> e : m.entrySet())
			sum += e.getKey() + Double.parseDouble(e.getValue());
		return sum + n.mod(BigInteger.TEN).intValue() + String.format("%d %s %5.1f", i, sum, 0.5).length()
				+ Arrays.asList("a,b,c".split(",")).size();
	}

	private static long natives(int i, long[] from, long[] to) throws Exception {
		System.arraycopy(from, 0, to, 0, from.length);
		return System.nanoTime() + Thread.currentThread().hashCode() + System.identityHashCode(from)
				+ from.clone().length + Recorded.class.getSuperclass().hashCode()
				+ Runtime.getRuntime().freeMemory();
	}

	public static void main(String[] argv) throws Exception {
		Shape[] shapes = {new Square(), new Circle()};
		IntUnaryOperator odd = new Renaming().make();
		IntUnaryOperator lambda = a -> a * 3;
		Call proxy = proxy();
		long[] from = new long[8], to = new long[8];

		for (int i = 0; i < 60000; i++) {
			sink += overloads(i) + odd.applyAsInt(i) + lambda.applyAsInt(i) + proxy.call(i);
			sink += shapes[i & 1].locked(i) + Color.values()[i & 1].paint(i);
			if (i % 8 == 0)
				sink += texts(i) + natives(i, from, to);
			if (i % 16 == 0)
				sink += library(i);
			if (i % 1000 == 0)
				ref = new int[i];
		}
		sink += loop(3000000);
		System.out.println("READY 0");
		System.out.flush();
		while (System.in.read() >= 0)
			sink++;
	}
}
