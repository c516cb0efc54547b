// SPDX-License-Identifier: MIT
package prog;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiConsumer;

/**
 * Methods whose compiled code comes and goes while worker threads call them. Each worker counts its
 * calls, and every argument follows from worker and count: so an event is genuine, or is not.
 */
final class Follow {
	static volatile int last;
	static int mode;
	static FollowShape shape = new FollowCircle();

	private static volatile boolean stop, late;
	private static final List<Worker> WORKERS = new ArrayList<>();
	private static BiConsumer<Integer, String> gone;

	private Follow() { }

	/**
	 * Each value of mode leads into a branch that never ran before: C2 has left a trap there, so the
	 * method is thrown away and compiled again. At most once per branch.
	 */
	static void step(int worker, int i, String text) {
		int v = shape.area(i), m = mode;
		if (m == 1)
			v += 3;
		if (m == 2)
			v ^= 5;
		if (m == 3)
			v *= 7;
		if (m == 4)
			v -= i;
		if (m == 5)
			v |= 9;
		if (m == 6)
			v &= i;
		last = v;
	}

	private static String text(int worker, int i) {
		return "worker " + worker + " call " + i;
	}

	private static final class Worker extends Thread {
		private final int id;
		private volatile int calls;

		Worker(int id) {
			super("worker-" + id);
			this.id = id;
		}

		@Override public void run() {
			for (int i = 0; !stop; i++) {
				String text = text(id, i);
				step(id, i, text);
				if (late)
					FollowLate.call(id, i, text);
				calls = i + 1;
				LockSupport.parkNanos(20000);
			}
		}
	}

	private static String stop() throws InterruptedException {
		StringBuilder counts = new StringBuilder();
		stop = true;
		for (Worker w : WORKERS) {
			w.join();
			counts.append(w.calls).append(' ');
		}
		WORKERS.clear();
		stop = false;
		return counts.toString().trim();
	}

	private static void start(int n) {
		for (int i = 0; i < n; i++) {
			Worker w = new Worker(i);
			WORKERS.add(w);
			w.start();
		}
	}

	private static void quiet(int n) {
		for (int i = 0; i < n; i++) {
			String text = text(-1, i);
			new Rec(Follow.class, "step").a(-1).a(i).s(text).end();
			step(-1, i, text);
		}
	}

	/** Defines FollowGone itself instead of asking its parent. */
	private static final class Loader extends ClassLoader {
		Loader() {
			super(Follow.class.getClassLoader());
		}

		@Override protected Class<?> loadClass(String name, boolean resolve)
				throws ClassNotFoundException {
			if (!name.equals("prog.FollowGone"))
				return super.loadClass(name, resolve);
			try (InputStream in = getResourceAsStream("prog/FollowGone.class")) {
				byte[] b = in.readAllBytes();
				return defineClass(name, b, 0, b.length);
			} catch (IOException e) {
				throw new ClassNotFoundException(name, e);
			}
		}
	}

	@SuppressWarnings("unchecked")
	private static void load() throws ReflectiveOperationException {
		gone = (BiConsumer<Integer, String>) new Loader().loadClass("prog.FollowGone")
			.getDeclaredConstructor().newInstance();
		for (int i = 0; i < 6000; i++) // C1 wants 2000
			gone.accept(i, "warm");
	}

	private static void callGone(int n) {
		for (int i = 0; i < n; i++) {
			String text = text(-2, i);
			new Rec(gone.getClass(), "call").a(i).s(text).end();
			gone.accept(i, text);
		}
	}

	public static void main(String[] argv) throws Exception {
		Ctl.ready(0);
		for (;;) {
			String[] cmd = Ctl.command();
			String answer = "";
			switch (cmd[0]) {
			case "start":
				start(Integer.parseInt(cmd[1]));
				break;
			case "stop":
				answer = stop();
				break;
			case "mode":
				mode = Integer.parseInt(cmd[1]);
				break;
			case "cha":
				shape = new FollowSquare();
				break;
			case "late":
				late = true;
				break;
			case "quiet":
				quiet(Integer.parseInt(cmd[1]));
				break;
			case "load":
				load();
				break;
			case "gone":
				callGone(Integer.parseInt(cmd[1]));
				break;
			case "drop":
				gone = null;
				break;
			case "gc":
				System.gc();
				break;
			default:
				throw new IllegalArgumentException(cmd[0]);
			}
			Ctl.done(answer);
		}
	}
}
