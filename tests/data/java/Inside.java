// SPDX-License-Identifier: MIT
package prog;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
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

	private static final int UTF8 = 1, LONG = 5, DOUBLE = 6;

	/** Bytes of an entry of the constant pool behind its tag, by tag; JVM specification, 4.4. */
	private static final int[] SIZES = {0, 0, 0, 4, 4, 8, 8, 2, 2, 4, 4, 4, 4, 0, 0, 3, 2, 4, 4, 2, 2};

	private static void copyPool(DataInputStream in, DataOutputStream out, String from, String to)
			throws IOException {
		int count = in.readUnsignedShort();
		out.writeShort(count);
		for (int i = 1; i < count; i++) {
			int tag = in.readUnsignedByte();
			out.writeByte(tag);
			if (tag == UTF8)
				out.writeUTF(in.readUTF().replace(from, to));
			else
				out.write(in.readNBytes(SIZES[tag]));
			if (tag == LONG || tag == DOUBLE)
				i++;
		}
	}

	private static final class Loader extends ClassLoader {
		IntUnaryOperator rename(String name) throws IOException, ReflectiveOperationException {
			ByteArrayOutputStream bytes = new ByteArrayOutputStream();
			try (InputStream file = Inside.class.getResourceAsStream("BusyPart.class")) {
				DataInputStream in = new DataInputStream(file);
				DataOutputStream out = new DataOutputStream(bytes);
				out.write(in.readNBytes(8));
				copyPool(in, out, "prog/BusyPart", name);
				out.write(in.readAllBytes());
			}
			Class<?> c = defineClass(null, bytes.toByteArray(), 0, bytes.size());
			return (IntUnaryOperator) c.getDeclaredConstructor().newInstance();
		}
	}

	private static IntUnaryOperator odd;

	private static void odd() throws IOException, ReflectiveOperationException {
		odd = new Loader().rename(ODD);
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
