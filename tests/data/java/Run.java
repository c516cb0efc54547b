// SPDX-License-Identifier: MIT
package prog;

import java.nio.file.Path;

/**
 * A program to be launched: calls on command, and starts other JVMs, which inherit its environment.
 *
 *   Run NAME		does as it is told on stdin
 *   Run NAME MS	calls for so many milliseconds, prints "LAST n", the number of its last call
 */
final class Run {
	private static long sum;

	private Run() { }

	static void step(long number, String name) {
		sum += number + name.length();
	}

	/** Calls, each some time after the one before. */
	private static void slow(int n, String name) throws InterruptedException {
		for (int i = 0; i < n; i++) {
			step(i, name);
			Thread.sleep(10);
		}
	}

	private static void once(String name, long ms) {
		long end = System.nanoTime() + ms * 1_000_000, i = 0;
		while (System.nanoTime() < end)
			step(i++, name);
		System.out.println("LAST " + (i - 1));
	}

	/** Another JVM with the same flags, to its end. */
	private static int start(String flag, String name, String ms) throws Exception {
		String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
		return new ProcessBuilder(java, "-cp", System.getProperty("java.class.path"), "-Xcomp",
			"-XX:-TieredCompilation", "-XX:CompileCommand=quiet",
			"-XX:CompileCommand=compileonly,prog.Run::step", flag, "prog.Run", name, ms)
			.redirectOutput(ProcessBuilder.Redirect.INHERIT)
			.redirectError(ProcessBuilder.Redirect.INHERIT).start().waitFor();
	}

	public static void main(String[] argv) throws Exception {
		if (argv.length > 1) {
			once(argv[0], Long.parseLong(argv[1]));
			return;
		}
		Ctl.ready(ProcessHandle.current().pid());
		for (;;) {
			String[] c = Ctl.command();
			switch (c[0]) {
			case "slow":
				slow(Integer.parseInt(c[1]), argv[0]);
				break;
			case "calls":
				for (int i = 0; i < Integer.parseInt(c[1]); i++)
					step(i, argv[0]);
				break;
			case "property":
				Ctl.done(System.getProperty(c[1]));
				continue;
			case "start":
				Ctl.done(start(c[1], c[2], c[3]));
				continue;
			case "exit":
				System.exit(Integer.parseInt(c[1]));
				break;
			default:
				throw new IllegalArgumentException(c[0]);
			}
			Ctl.done(sum);
		}
	}
}
