// SPDX-License-Identifier: MIT
package prog;

import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntUnaryOperator;

/**
 * A program that is busy in every way and checks itself: each result of a method to probe is held
 * against one computed elsewhere. Threads call, allocate, overflow their stacks, and load classes
 * that are compiled and dropped again.
 */
final class Busy {
	static volatile Object kept;
	private static volatile boolean stop;
	private static final AtomicLong ROUNDS = new AtomicLong(), ERRORS = new AtomicLong();
	private static final List<Thread> THREADS = new ArrayList<>();
	private static final ThreadMXBean CPU = ManagementFactory.getThreadMXBean();

	private Busy() { }

	// --- to be probed --------------------------------------------------------------------------

	static long work(int i, String text, double d) {
		return i * 31L + text.length() + (long) d;
	}

	long instance(long a, long b, long c, long d, long e, long f, long g, long h) {
		return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h;
	}

	static int depth(int n) {
		return 1 + depth(n + 1);
	}

	static String join(String a, Object b, int c) {
		return a + b + c;
	}

	// --- what checks them ----------------------------------------------------------------------

	private static void check(boolean right) {
		if (!right)
			ERRORS.incrementAndGet();
	}

	private static void round(Busy self, int r) {
		String text = "text " + (r & 1023);
		for (int i = 0; i < 200; i++) {
			double d = i * 3;
			check(work(i, text, d) == 34L * i + text.length());
			check(self.instance(i, 1, r, 0, i, 2, 0, 1) == 6L * i + 2 + 3L * r + 12 + 8);
		}
		check(join(text, r, 7).equals(text.concat(Integer.toString(r)).concat("7")));
		byte[][] garbage = new byte[20][];
		for (int i = 0; i < garbage.length; i++)
			garbage[i] = new byte[1000 + 37 * i];
		kept = garbage;
	}

	private static boolean overflows() {
		try {
			depth(0);
			return false;
		} catch (StackOverflowError e) {
			return true;
		}
	}

	private static void run(int id) {
		Busy self = new Busy();
		for (int r = 0; !stop; r++) {
			round(self, r);
			if (id == 0 && r % 50 == 0)
				check(overflows());
			if (id == 1 && r % 400 == 0)
				check(churn(r));
			ROUNDS.incrementAndGet();
		}
	}

	// --- code that comes and goes --------------------------------------------------------------

	/** A class of a new loader each time. */
	private static final class Loader extends ClassLoader {
		Class<?> define() throws IOException {
			try (InputStream in = Busy.class.getResourceAsStream("BusyPart.class")) {
				byte[] b = in.readAllBytes();
				return defineClass("prog.BusyPart", b, 0, b.length);
			}
		}
	}

	private static boolean churn(int r) {
		try {
			IntUnaryOperator part = (IntUnaryOperator) new Loader().define()
				.getDeclaredConstructor().newInstance();
			long sum = 0;
			for (int i = 0; i < 12000; i++)
				sum += part.applyAsInt(i);
			return sum == 12000L * 11999 / 2 + 12000;
		} catch (IOException | ReflectiveOperationException e) {
			throw new RuntimeException(e);
		}
	}

	// --- timing --------------------------------------------------------------------------------

	/** CPU time in nanoseconds that n calls take; the best of some tries, as other processes disturb. */
	private static long time(int n) {
		long best = Long.MAX_VALUE, sum = 0;
		for (int k = 0; k < 7; k++) {
			long start = CPU.getCurrentThreadCpuTime();
			for (int i = 0; i < n; i++)
				sum += work(i, "timed", i);
			best = Math.min(best, CPU.getCurrentThreadCpuTime() - start);
		}
		check(sum != 1);
		return best;
	}

	private static void calls(int n) {
		for (int i = 0; i < n; i++)
			check(work(i, "call", 0.5) == i * 31L + 4);
	}

	private static void start(int threads) {
		stop = false;
		for (int t = 0; t < threads; t++) {
			int id = t;
			Thread thread = new Thread(null, () -> run(id), "busy-" + t, 512 << 10);
			THREADS.add(thread);
			thread.start();
		}
	}

	private static String stop() throws InterruptedException {
		stop = true;
		for (Thread t : THREADS)
			t.join();
		THREADS.clear();
		return ERRORS.get() + " errors " + ROUNDS.get() + " rounds";
	}

	public static void main(String[] argv) throws Exception {
		Busy self = new Busy();
		for (int r = 0; r < 500; r++)
			round(self, r);
		for (int i = 0; i < 20; i++)
			overflows();
		time(100000);
		if (argv.length > 0)
			start(Integer.parseInt(argv[0]));
		Ctl.ready(0);
		for (;;) {
			String[] cmd = Ctl.command();
			Object answer = "";
			switch (cmd[0]) {
			case "start":
				start(Integer.parseInt(cmd[1]));
				break;
			case "stop":
				answer = stop();
				break;
			case "status":
				answer = ERRORS.get() + " errors " + ROUNDS.get() + " rounds";
				break;
			case "time":
				answer = time(Integer.parseInt(cmd[1]));
				break;
			case "calls":
				calls(Integer.parseInt(cmd[1]));
				break;
			default:
				throw new IllegalArgumentException(cmd[0]);
			}
			Ctl.done(answer);
		}
	}
}
