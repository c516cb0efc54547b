// SPDX-License-Identifier: MIT
package prog;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.function.IntUnaryOperator;

/**
 * What the agent is to tell of: methods that are compiled and inlined, threads that come and go,
 * classes whose names are meant to break somebody's parser, other processes.
 */
final class Inside {
	static volatile int last;

	/** A quote, a backslash, NUL, a newline, a character of two units, a lone surrogate. */
	private static final String ODD = "prog/Odd\"\\\0\n\ud83d\ude00\ud83d";

	private Inside() { }

	private static volatile Object kept;

	/** The allocation is a place where a compiler has to say whose code this is. */
	static int inner(int i) {
		kept = new int[i & 7];
		return i * 31 + 7;
	}

	static int outer(int i) {
		return inner(i) ^ inner(i + 1);
	}

	private static void warm(int n) {
		for (int i = 0; i < n; i++)
			last = outer(i);
	}

	// --- a class of another name ---------------------------------------------------------------

	private static IntUnaryOperator odd;

	private static void odd() throws IOException, ReflectiveOperationException {
		odd = (IntUnaryOperator) Renamed.instance("BusyPart", Map.of("prog/BusyPart", ODD));
		for (int i = 0; i < 40000; i++)
			last = odd.applyAsInt(i);
	}

	// --- others --------------------------------------------------------------------------------

	private static void thread(String name) throws InterruptedException {
		Thread t = new Thread(() -> last++, name);
		t.start();
		t.join();
	}

	private static long threads(int n) throws InterruptedException {
		long start = System.nanoTime();
		for (int i = 0; i < n; i++)
			thread("many");
		return (System.nanoTime() - start) / 1000000;
	}

	private static FileChannel locked;

	/** Locked as long as this program runs. */
	private static void lock(String file) throws IOException {
		locked = FileChannel.open(Path.of(file), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
		locked.lock();
	}

	/** What a child process says, in one line. */
	private static String exec(String[] cmd) throws IOException, InterruptedException {
		String[] argv = java.util.Arrays.copyOfRange(cmd, 1, cmd.length);
		Process p = new ProcessBuilder(argv).redirectErrorStream(true).start();
		String said = new String(p.getInputStream().readAllBytes()).replace('\n', ' ').trim();
		return p.waitFor() + " " + said;
	}

	public static void main(String[] argv) throws Exception {
		Ctl.ready(0);
		for (;;) {
			String[] cmd = Ctl.command();
			Object answer = "";
			switch (cmd[0]) {
			case "warm":
				warm(Integer.parseInt(cmd[1]));
				break;
			case "odd":
				odd();
				break;
			case "drop":
				odd = null;
				break;
			case "gc":
				System.gc();
				break;
			case "thread":
				thread(cmd[1]);
				break;
			case "threads":
				answer = threads(Integer.parseInt(cmd[1]));
				break;
			case "lock":
				lock(cmd[1]);
				break;
			case "exec":
				answer = exec(cmd);
				break;
			default:
				throw new IllegalArgumentException(cmd[0]);
			}
			Ctl.done(answer);
		}
	}
}
