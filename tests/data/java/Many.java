// SPDX-License-Identifier: MIT
package prog;

/** A method with more strings than one event has room for. */
final class Many {
	static volatile String last;

	private Many() { }

	static void strings(String s0, String s1, String s2, String s3, String s4, String s5, String s6, String s7,
			String s8, String s9, String s10, String s11, String s12, String s13, String s14,
			String s15, String s16, String s17, String s18, String s19, String s20, String s21,
			String s22, String s23, String s24, String s25, String s26, String s27, String s28,
			String s29, String s30, String s31, String s32, String s33, String s34, String s35,
			String s36, String s37, String s38, String s39) {
		last = s39;
	}

	private static String text(int i) {
		return "text " + i;
	}

	private static void call() {
		strings(text(0), text(1), text(2), text(3), text(4), text(5), text(6), text(7), text(8), text(9),
				text(10), text(11), text(12), text(13), text(14), text(15), text(16), text(17), text(18),
				text(19), text(20), text(21), text(22), text(23), text(24), text(25), text(26), text(27),
				text(28), text(29), text(30), text(31), text(32), text(33), text(34), text(35), text(36),
				text(37), text(38), text(39));
	}

	public static void main(String[] argv) throws Exception {
		for (int i = 0; i < 20000; i++)
			call();
		Ctl.ready(0);
		for (;;) {
			Ctl.command();
			Rec r = new Rec(Many.class, "strings");
			for (int i = 0; i < 40; i++)
				r.s(text(i));
			r.end();
			call();
			Ctl.done("");
		}
	}
}
