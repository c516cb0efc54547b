// SPDX-License-Identifier: MIT
package prog;

import java.io.BufferedReader;
import java.io.InputStreamReader;

/**
 * A method of each kind that a user may ask for, most called 100 times a round: compiled, inlined, interpreted, excluded
 * (by a flag), abstract, native, intrinsic, too big, never called. "late" loads one more class.
 */
public class Cover {
	static volatile long sink;
	static volatile boolean stop;
	static final int[] from = new int[100], to = new int[100];

	interface Shape {
		int sides();

		default int corners() {
			return sides() + 1;
		}
	}

	abstract static class Base implements Shape {
		int size = 3;

		abstract int area(int q);

		native int inNative(int q);

		int inherited(int q) {
			return q + size;
		}
	}

	static class Square extends Base {
		int area(int q) {
			return q * q;
		}

		public int sides() {
			return 4;
		}
	}

	/** Loaded, but nothing of it ever runs. */
	static class Unused {
		static int never(int q) {
			return q;
		}
	}

	/** Loaded and called when told so. */
	static class Late {
		static int late(int q) {
			return q + 1;
		}
	}

	static Failing kept;

	static class Failing {
		static {
			kept = new Failing();
			if (from.length > 0)
				throw new IllegalStateException("on purpose");
		}

		static int failing(int q) {
			return q;
		}

		int kept(int q) {
			return q;
		}
	}

	/** A leaf, inlined into round(). */
	static int leaf(int q) {
		return q + 3;
	}

	/** Inlined, and calls something that is not. */
	static int middle(int q) {
		return big(q) + 1;
	}

	/** Too large to be inlined, and hot. */
	static int big(int q) {
		long s = q;
		for (int i = 0; i < 3; i++) {
			s = s * 31 + (s >>> 3) + from[i] - (s << 2) + to[i] * 7 + (s ^ 0x55) * (s >> 1) - 17 * q + (q | 3) + (q & 9);
			s = s * 31 + (s >>> 3) + from[i] - (s << 2) + to[i] * 7 + (s ^ 0x55) * (s >> 1) - 17 * q + (q | 3) + (q & 9);
			s = s * 31 + (s >>> 3) + from[i] - (s << 2) + to[i] * 7 + (s ^ 0x55) * (s >> 1) - 17 * q + (q | 3) + (q & 9);
			s = s * 31 + (s >>> 3) + from[i] - (s << 2) + to[i] * 7 + (s ^ 0x55) * (s >> 1) - 17 * q + (q | 3) + (q & 9);
			s = s * 31 + (s >>> 3) + from[i] - (s << 2) + to[i] * 7 + (s ^ 0x55) * (s >> 1) - 17 * q + (q | 3) + (q & 9);
			s = s * 31 + (s >>> 3) + from[i] - (s << 2) + to[i] * 7 + (s ^ 0x55) * (s >> 1) - 17 * q + (q | 3) + (q & 9);
			s = s * 31 + (s >>> 3) + from[i] - (s << 2) + to[i] * 7 + (s ^ 0x55) * (s >> 1) - 17 * q + (q | 3) + (q & 9);
			s = s * 31 + (s >>> 3) + from[i] - (s << 2) + to[i] * 7 + (s ^ 0x55) * (s >> 1) - 17 * q + (q | 3) + (q & 9);
		}
		return (int) s;
	}

	/** Over 8000 bytes of bytecode: 6 for each element. */
	static int huge(int q) {
		int[] a = {
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
			q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q, q,
		};
		return a.length;
	}

	static int excluded(int q) {
		return q + 1;
	}

	/** Called seven times and no more. */
	static int seldom(int q) {
		return q + 7;
	}

	static int uncalled(int q) {
		return q + 8;
	}

	static int overloaded(int q) {
		return q;
	}

	static int overloaded(int q, String s) {
		return q + s.length();
	}

	int instance(int q) {
		return q;
	}

	static void round(Base b, String s, String t) {
		for (int i = 0; i < 100; i++) {
			sink += leaf(i) + middle(i) + big(i) + excluded(i) + overloaded(i) + huge(i);
			System.arraycopy(from, 0, to, 0, 50 + (i & 7));
			sink += (s.equals(t) ? 1 : 0) + Math.max(i, (int) sink) + b.area(i) + b.inherited(i) + b.corners();
			sink += System.nanoTime() + b.getClass().hashCode();
		}
	}

	public static void main(String[] args) throws Exception {
		Class.forName("prog.Cover$Unused", false, Cover.class.getClassLoader());
		try {
			Failing.failing(1);
		} catch (ExceptionInInitializerError e) {
			sink += kept.kept(1);
		}
		for (int i = 0; i < 7; i++)
			sink += seldom(i);
		sink += new Cover().instance(3);
		Thread t = new Thread(() -> {
			Square b = new Square();
			String s = "abc" + args.length, u = "abc" + args.length;
			while (!stop) {
				round(b, s, u);
				Thread.yield();
			}
		});
		t.setDaemon(true);
		t.start();
		System.out.println("READY 0");
		BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
		for (String line; (line = in.readLine()) != null;) {
			if (line.equals("late"))
				for (int i = 0; i < 3; i++)
					sink += Late.late(i);
			System.out.println("DONE 0");
		}
		stop = true;
		t.join();
	}
}
