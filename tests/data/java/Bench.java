// SPDX-License-Identifier: MIT
package prog;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;

/** A method to hit as often, or as regularly, as the benchmark asks. */
final class Bench {
	private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
	private static long sum;

	private Bench() { }

	static void hit(int number, String text, long other) {
		sum += number + text.length() + other;
	}

	/** Nanoseconds that @n calls take: of this thread's CPU time, and by the clock. */
	private static String burst(int n) {
		long clock = System.nanoTime(), cpu = THREADS.getCurrentThreadCpuTime();
		for (int i = 0; i < n; i++)
			hit(i, "pear", i);
		cpu = THREADS.getCurrentThreadCpuTime() - cpu;
		clock = System.nanoTime() - clock;
		return cpu + " " + clock;
	}

	/** Calls made in @ms milliseconds at @rate a second, spread evenly. */
	private static long pace(long rate, long ms) {
		long start = System.nanoTime(), done = 0, now;
		while ((now = System.nanoTime() - start) < ms * 1_000_000L) {
			long due = now * rate / 1_000_000_000L;
			if (done >= due) {
				Thread.onSpinWait();
				continue;
			}
			hit((int) done, "pear", done);
			done++;
		}
		return done;
	}

	public static void main(String[] argv) throws Exception {
		for (int i = 0; i < 200; i++)
			burst(10_000);
		pace(1000, 20);
		Ctl.ready(sum);
		for (;;) {
			String[] c = Ctl.command();
			if (c[0].equals("burst"))
				Ctl.done(burst(Integer.parseInt(c[1])));
			else
				Ctl.done(pace(Long.parseLong(c[1]), Long.parseLong(c[2])));
		}
	}
}
