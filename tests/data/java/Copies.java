// SPDX-License-Identifier: MIT
package prog;

import java.io.IOException;
import java.io.InputStream;
import java.util.function.IntUnaryOperator;

/**
 * A program with as many compiled methods as it is told to have: argument 0 is how many copies of
 * CopiesPart there are. And three methods that are called as often as the test says.
 */
final class Copies {
	/** So often the compiler wants a method to be called first, and some more. */
	private static final int WARM = 300;
	private static volatile long sink;

	private Copies() { }

	private static final class Loader extends ClassLoader {
		Class<?> define() throws IOException {
			try (InputStream in = Copies.class.getResourceAsStream("CopiesPart.class")) {
				byte[] b = in.readAllBytes();
				return defineClass("prog.CopiesPart", b, 0, b.length);
			}
		}
	}

	static long one(int i) {
		return i * 3L;
	}

	static long two(String text, int[] i) {
		return text.length() + i.length;
	}

	static long three(long i) {
		return i - 1;
	}

	private static void call(int n) {
		int[] array = new int[5];
		for (int i = 0; i < n; i++)
			sink += one(i) + two("text", array) + two("more", array);
	}

	public static void main(String[] argv) throws Exception {
		IntUnaryOperator[] copies = new IntUnaryOperator[Integer.parseInt(argv[0])];
		for (int k = 0; k < copies.length; k++) {
			copies[k] = (IntUnaryOperator) new Loader().define().getDeclaredConstructor().newInstance();
			for (int i = 0; i < WARM; i++)
				sink += copies[k].applyAsInt(i);
		}
		for (int i = 0; i < WARM; i++)
			sink += three(i);
		call(WARM);
		Ctl.ready(0);
		for (;;) {
			String[] cmd = Ctl.command();
			int n = Integer.parseInt(cmd[1]);
			if (cmd[0].equals("calls"))
				call(n);
			else
				for (int k = 0; k < n; k++)
					sink += copies[k].applyAsInt(k);
			Ctl.done("");
		}
	}
}
