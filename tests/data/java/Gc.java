// SPDX-License-Identifier: MIT
package prog;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Calls with strings that live long and are moved again and again, while other threads allocate as
 * fast as they can. What a string holds is kept beside it as JSON: recording a call must not read
 * the string, as that would mend the very reference inside it that a collector left stale.
 */
final class Gc {
	private static final int STRINGS = 400;
	static volatile Object last;
	static volatile double number;

	private static final Rec.Text[] TEXTS = new Rec.Text[STRINGS];
	private static final Random RANDOM = new Random(42);

	private Gc() { }

	/** The core of what can go wrong: references in registers and on the stack, and xmm registers. */
	static void call(int i, String a, double d, Object o, String b, long j, String c, int[] n,
			String e, float f) {
		last = e;
		number = d + f;
	}

	void instance(String a, long j) {
		last = a;
	}

	private static String text(int i) {
		StringBuilder b = new StringBuilder();
		int len = RANDOM.nextInt(i % 10 == 0 ? 1000 : 60);
		int top = i % 3 == 0 ? 0x10000 : i % 3 == 1 ? 256 : 128;
		for (int k = 0; k < len; k++) {
			char c = (char) RANDOM.nextInt(top);
			b.append(Character.isSurrogate(c) ? 'x' : c);
		}
		return b.append(i).toString();
	}

	/** Allocates short-lived objects and keeps some for a while, so that old space changes too. */
	private static void allocate(int keep) {
		List<Object> kept = new ArrayList<>();
		Random random = new Random(keep);
		for (int i = 0;; i++) {
			Object o = random.nextInt(3) == 0 ? new byte[random.nextInt(8000)]
				: new String[random.nextInt(100)];
			if (kept.size() < keep)
				kept.add(o);
			else
				kept.set(random.nextInt(keep), o);
		}
	}

	private static void calls(int i, Gc self) {
		int[] n = new int[i % 50];
		call(i, TEXTS[i % STRINGS].text(), i * 0.5, TEXTS, TEXTS[(i + 7) % STRINGS].text(),
			(long) i << 32, TEXTS[i * 13 % STRINGS].text(), n, TEXTS[i * 17 % STRINGS].text(), -i);
		self.instance(TEXTS[i * 31 % STRINGS].text(), i);
	}

	private static void expect(int i, Gc self) {
		new Rec(Gc.class, "call").a(i).t(TEXTS[i % STRINGS]).a(i * 0.5).o(Object.class, TEXTS)
			.t(TEXTS[(i + 7) % STRINGS]).a((long) i << 32).t(TEXTS[i * 13 % STRINGS])
			.o(int[].class, new int[0]).t(TEXTS[i * 17 % STRINGS]).a((float) -i).end();
		new Rec(Gc.class, "instance").self(self).t(TEXTS[i * 31 % STRINGS]).a((long) i).end();
	}

	public static void main(String[] argv) throws Exception {
		Gc self = new Gc();
		for (int i = 0; i < STRINGS; i++)
			TEXTS[i] = Rec.Text.of(text(i));
		for (int i = 0; i < 60000; i++)
			calls(i, self);
		int keep = Integer.getInteger("keep", 1500);
		for (int t = 0; t < 2; t++) {
			Thread thread = new Thread(() -> allocate(keep), "allocator-" + t);
			thread.setDaemon(true);
			thread.start();
		}
		Ctl.ready(0);
		for (;;) {
			String[] cmd = Ctl.command();
			int n = Integer.parseInt(cmd[1]);
			for (int i = 0; i < n; i++) {
				expect(i, self);
				calls(i, self);
				if (i % 64 == 0) {
					int k = RANDOM.nextInt(STRINGS);
					TEXTS[k] = Rec.Text.of(text(k));
				}
			}
			Ctl.done(gcs());
		}
	}

	/** How many collections there were: the test wants many. */
	private static long gcs() throws Exception {
		long n = 0;
		for (var bean : java.lang.management.ManagementFactory.getGarbageCollectorMXBeans())
			n += Math.max(0, bean.getCollectionCount());
		return n;
	}
}
