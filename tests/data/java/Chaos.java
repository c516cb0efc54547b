// SPDX-License-Identifier: MIT
package prog;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntUnaryOperator;

/**
 * A program that is at work while hotprobe comes and goes. Each value of a call follows from its
 * thread and its number, which counts that thread's calls, so that whoever sees one can tell whether
 * it is true and whether one is missing. It checks its own results.
 */
final class Chaos {
	private static final int TEXTS = 250, BURST = 32;

	private static final AtomicLong ERRORS = new AtomicLong();
	private static final List<Caller> CALLERS = new ArrayList<>();
	private static final String[] KEPT = new String[TEXTS];
	private static volatile boolean stop;
	private static volatile long paceNs = 10_000_000;
	private static volatile Object garbage;
	private final int salt;

	private Chaos(int salt) {
		this.salt = salt;
	}

	// --- to be probed --------------------------------------------------------------------------

	static long call(int thread, long n, String text, double d) {
		return thread + n * 31 + text.length() + (long) d;
	}

	/** More than there are registers for. */
	long instance(int thread, long n, long a, int b, String text, boolean odd, long c, float f,
			String last, char letter, Object none, byte small) {
		return salt + thread + n + a + b + text.length() + (odd ? 1 : 0) + c + (long) f + last.length()
			+ letter + small + (none == null ? 1 : 0);
	}

	static int depth(int n) {
		return 1 + depth(n + 1);
	}

	// --- what checks them ----------------------------------------------------------------------

	private static String text(long n) {
		return "t" + n % TEXTS + "\u00e4\u20ac".repeat((int) (n % 4));
	}

	/** The same text, in another object from time to time. */
	private static String kept(long n) {
		int i = (int) (n % TEXTS);
		String s = KEPT[i];
		if (s == null || n % 7 == 0)
			KEPT[i] = s = text(i);
		return s;
	}

	private static void check(boolean right) {
		if (!right)
			ERRORS.incrementAndGet();
	}

	private static void pair(Chaos self, int thread, long n) {
		String text = kept(n), last = kept(n + 1);
		check(call(thread, n, text, n * 0.25) == thread + n * 31 + text.length() + n / 4);
		long want = self.salt + thread + n + n * 3 + (int) (n ^ 0x55) + text.length() + (n & 1) + ~n
			+ n % 1000 / 2 + last.length() + ('a' + n % 26) + (byte) n + 1;
		check(self.instance(thread, n, n * 3, (int) (n ^ 0x55), text, (n & 1) == 1, ~n,
			n % 1000 * 0.5f, last, (char) ('a' + n % 26), null, (byte) n) == want);
	}

	private static boolean overflows() {
		try {
			depth(0);
			return false;
		} catch (StackOverflowError e) {
			return true;
		}
	}

	private static final class Caller extends Thread {
		final int id;
		volatile long calls;

		Caller(int id) {
			super(null, null, "caller-" + id, 512 << 10);
			this.id = id;
		}

		@Override public void run() {
			Chaos self = new Chaos(id * 1000);
			for (long round = 0; !stop; round++) {
				for (int i = 0; i < BURST; i++) {
					pair(self, id, calls);
					calls++;
				}
				if (id == 0 && round % 64 == 0)
					check(overflows());
				if (id == 1 && round % 256 == 0)
					check(churn());
				if (paceNs > 0)
					LockSupport.parkNanos(paceNs);
			}
		}
	}

	// --- code and objects that come and go -----------------------------------------------------

	/** A class of a new loader each time. */
	private static final class Loader extends ClassLoader {
		Class<?> define() throws IOException {
			try (InputStream in = Chaos.class.getResourceAsStream("BusyPart.class")) {
				byte[] b = in.readAllBytes();
				return defineClass("prog.BusyPart", b, 0, b.length);
			}
		}
	}

	private static boolean churn() {
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

	private static void allocate() {
		Object[] kept = new Object[1500];
		for (int i = 0; !stop; i++) {
			kept[i * 31 % kept.length] = new byte[i * 37 % 8000];
			garbage = kept;
			if (i % 500 == 0)
				LockSupport.parkNanos(3_000_000);
		}
	}

	/** "N errors", and how many times each thread called the pair. */
	private static String status() {
		StringBuilder b = new StringBuilder(ERRORS.get() + " errors");
		for (Caller c : CALLERS)
			b.append(' ').append(c.calls);
		return b.toString();
	}

	private static String finish() throws InterruptedException {
		stop = true;
		for (Caller c : CALLERS)
			c.join();
		return status();
	}

	public static void main(String[] argv) throws Exception {
		int callers = Integer.parseInt(argv[0]);
		Chaos self = new Chaos(0);
		for (int n = 0; n < 60000; n++)
			pair(self, -1, n);
		for (int i = 0; i < 20; i++)
			overflows();
		for (int i = 0; i < callers; i++)
			CALLERS.add(new Caller(i));
		CALLERS.forEach(Thread::start);
		Thread allocator = new Thread(Chaos::allocate, "allocator");
		allocator.setDaemon(true);
		allocator.start();
		Ctl.ready(0);
		for (;;) {
			String[] cmd = Ctl.command();
			switch (cmd[0]) {
			case "status":
				Ctl.done(status());
				break;
			case "pace":
				paceNs = Long.parseLong(cmd[1]);
				Ctl.done("");
				break;
			case "stop":
				Ctl.done(finish());
				break;
			default:
				throw new IllegalArgumentException(cmd[0]);
			}
		}
	}
}
