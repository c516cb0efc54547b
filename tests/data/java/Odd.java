// SPDX-License-Identifier: MIT
package prog;

import java.lang.invoke.MethodHandles;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Names and texts that are valid for a JVM and trouble for whoever writes them down. */
public final class Odd {
	/** What each class of another name implements. */
	public interface Call {
		void call(int number, String text, Object other, char unit);
	}

	/** Class, method; test_text.c has the same ones. */
	private static final String[][] NAMES = {
		{"prog/My Class", "with space"},
		{"prog/Kl*ss", "x*y"},
		{"prog/A+0x00007f", "plain"},
		{"prog/c\nd", "line\nbreak"},
		{"prog/\u202eX", "\u009b31m\u2028"},
		{"prog/nul\0x", "lone\ud800"},
		{"prog/\ud83d\ude00", "a b(int, String)"},
		{"prog/B", "back\\slash"},
		{"prog/C", "a@0x12"},
		{"prog/" + "L\u0001".repeat(30000), "\u0001".repeat(60000)},
	};

	private static final String[] TEXTS = {
		"\u202eRTL\u009b31m", "back\\slash\n\"", "lone\ud800\udc00\ud800", "nul\0\u2029", "caf\u00e9\u009b",
	};
	private static final Object[] OTHERS = {new String[1], new int[2][3], new Object[0][0][], new Odd[0], "x"};

	private Odd() { }

	private static Call hidden(String name) throws Exception {
		byte[] bytes = Renamed.bytes("OddPart", Map.of("prog/OddPart", name));
		return (Call) MethodHandles.lookup().defineHiddenClass(bytes, true).lookupClass()
			.getDeclaredConstructor().newInstance();
	}

	private static void calls(List<Call> all, int n) {
		for (int i = 0; i < n; i++)
			for (Call c : all)
				c.call(i, TEXTS[i % TEXTS.length], OTHERS[i % OTHERS.length],
					TEXTS[i % TEXTS.length].charAt(4));
	}

	/** Classes that are compiled, called, and gone at once. */
	private static void gone(int n) throws Exception {
		for (int i = 0; i < n; i++) {
			List<Call> one = List.of(hidden("prog/Gone"));
			calls(one, 1000);
			for (int k = 0; k < 40; k++, Thread.sleep(1))
				calls(one, 20);
			one = null;
			System.gc();
		}
	}

	public static void main(String[] argv) throws Exception {
		List<Call> all = new ArrayList<>();
		for (String[] n : NAMES)
			all.add((Call) Renamed.instance("OddPart", Map.of("prog/OddPart", n[0], "part", n[1])));
		all.add(hidden("prog/Hidden"));
		calls(all, 3000);
		Ctl.ready(all.size());
		for (;;) {
			String[] c = Ctl.command();
			if (c[0].equals("hidden")) {
				Ctl.done(all.get(all.size() - 1).getClass().getName());
				continue;
			}
			if (c[0].equals("gone")) {
				gone(Integer.parseInt(c[1]));
				Ctl.done("");
				continue;
			}
			Thread.currentThread().setName("back\\slash\u202e\ud800" + "T".repeat(Integer.parseInt(c[2])));
			calls(all, Integer.parseInt(c[1]));
			Ctl.done("");
		}
	}
}
