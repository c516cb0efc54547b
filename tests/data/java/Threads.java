// SPDX-License-Identifier: MIT
package prog;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** Many threads, virtual threads, and stacks that overflow, all through the same two methods. */
final class Threads {
	static volatile Object last;
	static volatile int bodies;
	private static final List<Thread> RUNNING = new ArrayList<>();
	private static volatile CountDownLatch joined = new CountDownLatch(1);

	private Threads() { }

	static void call(int thread, int i, String text, double d) {
		last = text;
	}

	/** Counts the bodies that ran: the last call of all overflows before its body. */
	static void descend(int depth, String text, double d) {
		bodies = depth + 1;
		descend(depth + 1, text, d);
	}

	static void descendPlain(int depth) {
		bodies = depth + 1;
		descendPlain(depth + 1);
	}

	private static void calls(int thread, int n, boolean yields) {
		for (int i = 0; i < n; i++) {
			String text = "thread " + thread + " call " + i;
			double d = thread + i / 1000.0;
			new Rec(Threads.class, "call").a(thread).a(i).s(text).a(d).end();
			call(thread, i, text, d);
			if (yields && i % 8 == 0)
				Thread.yield();
			else if (yields && i % 11 == 0)
				sleep();
		}
	}

	private static void sleep() {
		try {
			Thread.sleep(1);
		} catch (InterruptedException e) {
			throw new RuntimeException(e);
		}
	}

	/** Until somebody joins them they are there to be looked at. */
	private static void callsAndStay(int thread, int n) {
		calls(thread, n, false);
		try {
			joined.await();
		} catch (InterruptedException e) {
			throw new RuntimeException(e);
		}
	}

	private static void begin(int threads, int n) {
		for (int t = 0; t < threads; t++) {
			int thread = t;
			RUNNING.add(new Thread(() -> callsAndStay(thread, n), "worker \u00e4-" + t));
		}
		RUNNING.forEach(Thread::start);
	}

	/** Thread.ofVirtual() is younger than the class files of these programs. */
	private static void beginVirtual(int threads, int n) throws ReflectiveOperationException {
		Class<?> builder = Class.forName("java.lang.Thread$Builder");
		Method name = builder.getMethod("name", String.class);
		Method start = builder.getMethod("start", Runnable.class);
		for (int t = 0; t < threads; t++) {
			int thread = t;
			Object b = Thread.class.getMethod("ofVirtual").invoke(null);
			if (t % 2 == 0)
				b = name.invoke(b, "virtual-" + t);
			Runnable r = () -> calls(thread, n, true);
			RUNNING.add((Thread) start.invoke(b, r));
		}
	}

	private static void join() throws InterruptedException {
		joined.countDown();
		for (Thread t : RUNNING)
			t.join();
		RUNNING.clear();
		joined = new CountDownLatch(1);
	}

	/** Overflow @times times in one thread; how many bodies ran each time. */
	private static String overflow(int times, boolean plain) throws InterruptedException {
		StringBuilder depths = new StringBuilder();
		Thread thread = new Thread(null, () -> {
			for (int i = 0; i < times; i++) {
				try {
					if (plain)
						descendPlain(0);
					else
						descend(0, "bottomless", 0.5);
				} catch (StackOverflowError e) {
					depths.append(bodies).append(' ');
				}
			}
		}, "deep", 400 << 10);
		thread.start();
		thread.join();
		return depths.toString().trim();
	}

	private static void warm() {
		for (int i = 0; i < 40000; i++)
			call(i, i, "warm", i);
	}

	public static void main(String[] argv) throws Exception {
		warm();
		for (int i = 0; i < 20; i++) {
			overflow(10, true);
			overflow(10, false);
		}
		Ctl.ready(0);
		for (;;) {
			String[] cmd = Ctl.command();
			String answer = "";
			switch (cmd[0]) {
			case "begin":
				begin(Integer.parseInt(cmd[1]), Integer.parseInt(cmd[2]));
				break;
			case "virtual":
				beginVirtual(Integer.parseInt(cmd[1]), Integer.parseInt(cmd[2]));
				break;
			case "warm":
				warm();
				break;
			case "join":
				join();
				break;
			case "overflow":
				answer = overflow(Integer.parseInt(cmd[1]), cmd[2].equals("plain"));
				break;
			default:
				throw new IllegalArgumentException(cmd[0]);
			}
			Ctl.done(answer);
		}
	}
}
