// SPDX-License-Identifier: MIT
package prog;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;

/**
 * The conversation with the test: commands come as lines on stdin, each is answered by a line
 * "DONE ...". The end of stdin ends the program.
 */
final class Ctl {
	private static final BufferedReader IN = new BufferedReader(new InputStreamReader(System.in));

	private Ctl() { }

	/** Next command, split at spaces; ends the program when there is none. */
	static String[] command() throws IOException {
		String line = IN.readLine();
		if (line == null) {
			Rec.flush();
			System.exit(0);
		}
		return line.split(" ");
	}

	static void ready(long number) {
		System.out.println("READY " + number);
		System.out.flush();
	}

	/** Everything recorded so far is in the file when the test reads this line. */
	static void done(Object answer) {
		Rec.flush();
		System.out.println("DONE " + answer);
		System.out.flush();
	}
}
