// SPDX-License-Identifier: MIT
package prog;

import java.util.Arrays;

/** Holds a program back until the test says so: its main class is the first argument. */
final class Hold {
	private Hold() { }

	public static void main(String[] argv) throws Exception {
		Ctl.ready(0);
		Ctl.command();
		Class.forName(argv[0]).getMethod("main", String[].class)
			.invoke(null, (Object) Arrays.copyOfRange(argv, 1, argv.length));
	}
}
