// SPDX-License-Identifier: MIT
package prog;

/**
 * Calls every method of Target with values that are hard to get right, and records what it called
 * with. "once" makes straight-line calls from a method that runs once, hence is interpreted unless
 * -Xcomp; "hot" makes them from compiled code, by every kind of call there is.
 */
final class Args {
	private static final boolean[] BOOLEANS = { false, true };
	private static final byte[] BYTES = { Byte.MIN_VALUE, -1, 0, 1, Byte.MAX_VALUE };
	private static final short[] SHORTS = { Short.MIN_VALUE, -129, -1, 0, 1, 255,
		Short.MAX_VALUE };
	private static final char[] CHARS = { 0, 1, '\n', '"', '\\', '/', 'a', 0x7f, 0x80, 0xff, 0x100,
		0x2028, 0xd7ff, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xe000, 0xfeff, 0xfffe, 0xffff };
	private static final int[] INTS = { Integer.MIN_VALUE, -65536, -1, 0, 1, 65535,
		Integer.MAX_VALUE };
	private static final long[] LONGS = { Long.MIN_VALUE, Integer.MIN_VALUE - 1L, -1, 0, 1,
		0xffffffffL, 1L << 53, (1L << 53) + 1, Long.MAX_VALUE - 1, Long.MAX_VALUE };
	private static final float[] FLOATS = { Float.NEGATIVE_INFINITY, -Float.MAX_VALUE, -1.1f,
		-Float.MIN_VALUE, -0.0f, 0.0f, Float.MIN_VALUE, 1.17549421E-38f, Float.MIN_NORMAL, 0.1f,
		1f, 16777216f, 3.4028233E38f, Float.MAX_VALUE, Float.POSITIVE_INFINITY, Float.NaN,
		Float.intBitsToFloat(0xffc00001) };
	private static final double[] DOUBLES = { Double.NEGATIVE_INFINITY, -Double.MAX_VALUE, -1.1,
		-Double.MIN_VALUE, -0.0, 0.0, Double.MIN_VALUE, 2.2250738585072009E-308,
		Double.MIN_NORMAL, 0.1, 1, 1e15, 1e16, 1e17, 123456789012345680.0, 1e21, 1e22, 1e23,
		1.7976931348623155E308, Double.MAX_VALUE, Double.POSITIVE_INFINITY, Double.NaN,
		Double.longBitsToDouble(0xfff8000000000001L), 5e-324, Math.PI };
	private static final String[] TEXTS = texts();

	private static final Target T = new Target(1, "receiver", 2.5);
	private static final TargetBase[] BASES = { T, new TargetA(1), new TargetB(2) };
	private static final TargetIface[] FACES = { T, new TargetA(3), new TargetB(4) };
	private static final Target.Nested N = new Target.Nested(5);
	private static final Target.Nested[] NESTED = { new Target.Nested(4), N, new Target.Nested(6) };
	private static final Target.Inner INNER = T.new Inner(1, 2f);
	private static final Target.Point POINT = new Target.Point(7, 8.5);
	private static final Object[] OBJECTS = { null, "a String in an Object", 42, 43L, 'c', T, N,
		INNER, POINT, Target.Color.GREEN, new int[3], new String[2][2], new Object[0], Target.class,
		Thread.currentThread(), new StringBuilder("x"), new Target[1], new Target.Nested.Deep[0] };
	private static final int[] INT_ARRAY = { 1, 2, 3 };
	private static final String[] NO_STRINGS = {};
	private static final Number NUMBER = 3.5;

	private Args() { }

	public static void main(String[] argv) throws Exception {
		int rounds = Integer.getInteger("rounds", 40000);
		for (int i = 0; i < rounds; i++)
			warm(i);
		Ctl.ready(0);
		for (;;) {
			String[] cmd = Ctl.command();
			switch (cmd[0]) {
			case "once":
				once();
				break;
			case "texts":
				texts(TEXTS);
				break;
			case "overloads":
				overloads(3);
				break;
			case "hot":
				hot(Integer.parseInt(cmd[1]));
				break;
			case "name":
				Thread.currentThread().setName(cmd.length > 1 ? cmd[1] : "");
				break;
			default:
				throw new IllegalArgumentException(cmd[0]);
			}
			Ctl.done("");
		}
	}

	private static String repeat(String s, int n) {
		return s.repeat(n);
	}

	private static String[] texts() {
		StringBuilder all = new StringBuilder();
		for (char c = 0; c < 256; c++)
			all.append(c);
		return new String[] { null, "", "a", "pear", "with \"quotes\" and \\ and /", "\0", "\t\n\r\b\f",
			"caf\u00e9", all.toString(), all.substring(128), "\u65e5\u672c\u8a9e", "\ud83d\ude00",
			"x\ud83d\ude00y\ud834\udd1ez", "\ud83d", "\ude00", "\ude00\ud83d", "a\ud83d", "\ud83db",
			"\u0100", "\uffff\ufffe\ufeff", "\u2028\u2029", repeat("s", 15), repeat("s", 16),
			repeat("s", 17), repeat("s", 255), repeat("s", 256), repeat("s", 257),
			repeat("\u00e4", 300), repeat("s", 100000), repeat("\u20ac", 127), repeat("\u20ac", 128),
			repeat("\u20ac", 129), repeat("\ud83d\ude00", 64), "x" + repeat("\ud83d\ude00", 64),
			repeat("\ud83d\ude00", 5000), repeat("t", 4095), repeat("t", 4096), repeat("t", 4097) };
	}

	// --- from interpreted code -----------------------------------------------------------------

	private static void once() {
		prims();
		singles();
		overloads(1);
		texts(TEXTS);
		many();
		mixed();
		if (!Boolean.getBoolean("noWide"))
			wide();
		references();
		results();
		instances();
		if (!Boolean.getBoolean("noNested"))
			nested();
	}

	private static void prims() {
		new Rec(Target.class, "none").end();
		Target.none();
		new Rec(Target.class, "noneOfInstance").self(T).end();
		T.noneOfInstance();
		for (int i = 0; i < DOUBLES.length; i++) {
			boolean z = BOOLEANS[i % BOOLEANS.length];
			byte b = BYTES[i % BYTES.length];
			short s = SHORTS[i % SHORTS.length];
			char c = CHARS[i % CHARS.length];
			int n = INTS[i % INTS.length];
			long j = LONGS[i % LONGS.length];
			float f = FLOATS[i % FLOATS.length];
			double d = DOUBLES[i];
			new Rec(Target.class, "prims").a(z).a(b).a(s).a(c).a(n).a(j).a(f).a(d).end();
			Target.prims(z, b, s, c, n, j, f, d);
			new Rec(Target.class, "primsOfInstance").self(T)
				.a(z).a(b).a(s).a(c).a(n).a(j).a(f).a(d).end();
			T.primsOfInstance(z, b, s, c, n, j, f, d);
		}
	}

	private static Rec one() {
		return new Rec(Target.class, "one");
	}

	private static void singles() {
		for (boolean v : BOOLEANS) {
			one().a(v).end();
			Target.one(v);
		}
		for (byte v : BYTES) {
			one().a(v).end();
			Target.one(v);
		}
		for (short v : SHORTS) {
			one().a(v).end();
			Target.one(v);
		}
		for (char v : CHARS) {
			one().a(v).end();
			Target.one(v);
		}
		for (int v : INTS) {
			one().a(v).end();
			Target.one(v);
		}
		for (long v : LONGS) {
			one().a(v).end();
			Target.one(v);
		}
		for (float v : FLOATS) {
			one().a(v).end();
			Target.one(v);
		}
		for (double v : DOUBLES) {
			one().a(v).end();
			Target.one(v);
		}
	}

	private static void overloads(int times) {
		String[][] nested = { { "a" }, { "b", "c" } };
		for (int i = 0; i < times; i++) {
			one().a(i).end();
			Target.one(i);
			one().a((long) i).end();
			Target.one((long) i);
			one().s("text").end();
			Target.one("text");
			one().o(Object.class, "text").end();
			Target.one((Object) "text");
			one().o(int[].class, INT_ARRAY).end();
			Target.one(INT_ARRAY);
			one().a(i).s("second").end();
			Target.one(i, "second");
			one().o(String[][].class, nested).end();
			Target.one(nested);
		}
	}

	private static void texts(String[] texts) {
		for (String s : texts) {
			one().s(s).end();
			Target.one(s);
			new Rec(Target.class, "fixed").self(T).s(s).end();
			T.fixed(s);
		}
	}

	private static void many() {
		int[] n = INTS;
		new Rec(Target.class, "ints").a(n[0]).a(n[1]).a(n[2]).a(n[3]).a(n[4]).a(n[5]).a(n[6])
			.a(77).a(-88).a(99).end();
		Target.ints(n[0], n[1], n[2], n[3], n[4], n[5], n[6], 77, -88, 99);
		long[] j = LONGS;
		new Rec(Target.class, "longs").a(j[0]).a(j[1]).a(j[2]).a(j[3]).a(j[4]).a(j[5]).a(j[6])
			.a(j[7]).a(j[8]).a(j[9]).a(0xaaaaaaaabbbbbbbbL).a(12L).end();
		Target.longs(j[0], j[1], j[2], j[3], j[4], j[5], j[6], j[7], j[8], j[9],
			0xaaaaaaaabbbbbbbbL, 12L);
		float[] f = FLOATS;
		for (int i = 0; i < 2; i++) {
			int k = 5 * i;
			new Rec(Target.class, "floats").a(f[k]).a(f[k + 1]).a(f[k + 2]).a(f[k + 3]).a(f[k + 4])
				.a(f[k + 5]).a(f[k + 6]).a(f[k + 7]).a(f[k + 8]).a(f[k + 9]).a(f[k + 10])
				.a(f[k + 11]).end();
			Target.floats(f[k], f[k + 1], f[k + 2], f[k + 3], f[k + 4], f[k + 5], f[k + 6],
				f[k + 7], f[k + 8], f[k + 9], f[k + 10], f[k + 11]);
		}
		double[] d = DOUBLES;
		for (int k = 0; k + 12 <= d.length; k++) {
			new Rec(Target.class, "doubles").a(d[k]).a(d[k + 1]).a(d[k + 2]).a(d[k + 3]).a(d[k + 4])
				.a(d[k + 5]).a(d[k + 6]).a(d[k + 7]).a(d[k + 8]).a(d[k + 9]).a(d[k + 10])
				.a(d[k + 11]).end();
			Target.doubles(d[k], d[k + 1], d[k + 2], d[k + 3], d[k + 4], d[k + 5], d[k + 6],
				d[k + 7], d[k + 8], d[k + 9], d[k + 10], d[k + 11]);
		}
	}

	private static void mixed() {
		double[] d = DOUBLES;
		float[] f = FLOATS;
		for (int i = 0; i < 17; i++) {
			String e = TEXTS[(i + 3) % TEXTS.length], q = TEXTS[(i + 9) % TEXTS.length];
			Object k = OBJECTS[i % OBJECTS.length];
			byte u = BYTES[i % BYTES.length];
			char v = CHARS[i % CHARS.length];
			short t = SHORTS[i % SHORTS.length];
			long o = LONGS[i % LONGS.length];
			int m = INTS[i % INTS.length];
			boolean w = BOOLEANS[i % 2];
			for (Target self : new Target[] { null, T }) {
				Rec r = new Rec(Target.class, self == null ? "mixed" : "mixedOfInstance");
				if (self != null)
					r.self(self);
				r.a(i).a(d[i]).a(-o).a(f[i]).s(e).a(d[i + 1]).a(~i).a(d[i + 2]).a(o ^ 5).a(-f[i])
					.o(Object.class, k).a(d[i + 3]).a(m).a(d[i + 4]).a(o).a(d[i + 5]).s(q).a(f[16 - i])
					.a(d[i + 6]).a(t).a(u).a(v).a(w).a(d[i + 7]).end();
				if (self == null)
					Target.mixed(i, d[i], -o, f[i], e, d[i + 1], ~i, d[i + 2], o ^ 5, -f[i], k,
						d[i + 3], m, d[i + 4], o, d[i + 5], q, f[16 - i], d[i + 6], t, u, v, w,
						d[i + 7]);
				else
					self.mixedOfInstance(i, d[i], -o, f[i], e, d[i + 1], ~i, d[i + 2], o ^ 5, -f[i],
						k, d[i + 3], m, d[i + 4], o, d[i + 5], q, f[16 - i], d[i + 6], t, u, v, w,
						d[i + 7]);
			}
			new Rec(Target.class, "refs").s(e).o(Object.class, k).o(int[].class, INT_ARRAY).s(q)
				.o(Object.class, e).s(null).o(Object.class, null).s(e)
				.o(String[].class, NO_STRINGS).s(q).o(Object.class, T).end();
			Target.refs(e, k, INT_ARRAY, q, e, null, null, e, NO_STRINGS, q, T);
		}
	}

	/** C2 17 declines it: "unsupported incoming calling sequence". */
	private static void wide() {
		Rec r = new Rec(Target.class, "wide");
		for (int i = 0; i < 255; i++)
			r.a(i * 0x01010101);
		r.end();
		Wide.call();
	}

	private static void references() {
		int[][] noArrays = { null, new int[0], INT_ARRAY };
		for (int[] a : noArrays) {
			long[][] b = { { 1 }, null };
			String[] c = { "x", null };
			boolean[] z = a == null ? null : new boolean[9];
			double[] f = { 1.5 };
			Target[] t = { T };
			Object[][][] o = new Object[2][3][];
			new Rec(Target.class, "arrays").o(int[].class, a).o(long[][].class, b)
				.o(String[].class, c).o(Object[].class, c).o(boolean[].class, z)
				.o(double[].class, f).o(Target[].class, t).o(Object[][][].class, o).end();
			Target.arrays(a, b, c, c, z, f, t, o);
		}
		for (Object x : OBJECTS) {
			TargetIface e = x == null ? null : FACES[1];
			new Rec(Target.class, "objects").o(Object.class, x).o(CharSequence.class, "chars")
				.o(Comparable.class, "compared").o(Number.class, NUMBER).o(TargetIface.class, e)
				.o(Target.Nested.class, N).end();
			Target.objects(x, "chars", "compared", NUMBER, e, N);
			Object[] more = { x, x };
			new Rec(Target.class, "varargs").a(7).o(Object[].class, more).end();
			Target.varargs(7, more);
			one().o(Object.class, x).end();
			Target.one(x);
		}
	}

	private static void results() {
		new Rec(Target.class, "echo").s("echoed").end(String.class);
		Target.echo("echoed");
		new Rec(Target.class, "half").a(-0.0).end(double.class);
		Target.half(-0.0);
		new Rec(Target.class, "longer").a(Integer.MIN_VALUE).end(long.class);
		Target.longer(Integer.MIN_VALUE);
		new Rec(Target.class, "odd").a(5).end(boolean.class);
		Target.odd(5);
		new Rec(Target.class, "array").o(int[].class, INT_ARRAY).end(int[].class);
		Target.array(INT_ARRAY);
	}

	private static void instances() {
		new Rec(Target.class, "locked").self(T).a(1).end();
		T.locked(1);
		new Rec(Target.class, "lockedStatic").a(2).end();
		Target.lockedStatic(2);
		new Rec(Target.class, "\u00fcber\u5b57\ud835\udc9c").a(4).end();
		Target.\u00fcber\u5b57\ud835\udc9c(4);
		new Rec(TargetIface.class, "dflt").self(T).a(5L).o(Object.class, "o").end();
		T.dflt(5L, "o");
		new Rec(TargetIface.class, "stat").a(6).end();
		TargetIface.stat(6);
		new Rec(TargetBase.class, "inherited").self(BASES[1]).a(7L).s("base").end();
		BASES[1].inherited(7L, "base");
		new Rec(Target.Nested.class, "method").self(N).s("nested").a(-1L).end();
		N.method("nested", -1L);
		new Rec(Target.Nested.Deep.class, "method").a(9).end();
		Target.Nested.Deep.method(9);
		new Rec(Target.Inner.class, "method").self(INNER).a(1e300).end();
		INNER.method(1e300);
		new Rec(Target.Color.class, "paint").self(Target.Color.GREEN).a(10).end();
		Target.Color.GREEN.paint(10);
		new Rec(Target.Point.class, "x").self(POINT).end(int.class);
		POINT.x();
		constructors();
	}

	/** Targets that call targets: without flags the compiler may well inline the second call. */
	private static void nested() {
		new Rec(Target.class, "callHidden").self(T).a(3).end();
		new Rec(Target.class, "hidden").self(T).a(3).end();
		T.callHidden(3);
		new Rec(Target.class, "over").self(T).a(8).end();
		new Rec(TargetBase.class, "over").self(T).a(8).end();
		BASES[0].over(8);
		new Rec(Target.Nested.class, "compareTo").self(N).o(Object.class, NESTED[2])
			.end(int.class);
		new Rec(Target.Nested.class, "compareTo").self(N).o(Target.Nested.class, NESTED[2])
			.end(int.class);
		compare(N, NESTED[2]);
		if (Rec.ADDRESSES)
			return;
		new Rec(Target.class, "<init>").self(T).a(11).s("made").a(-2.5).end();
		new Rec(TargetBase.class, "<init>").self(T).a(-2.5).end();
		new Target(11, "made", -2.5);
	}

	@SuppressWarnings({ "unchecked", "rawtypes" })
	private static int compare(Comparable a, Object b) {
		return a.compareTo(b);
	}

	/** "this" is not there before the call, so its address cannot be recorded: see Rec.ADDRESSES. */
	private static void constructors() {
		if (Rec.ADDRESSES)
			return;
		new Rec(Target.Nested.class, "<init>").self(N).a(12L).end();
		new Target.Nested(12L);
		new Rec(Target.Inner.class, "<init>").self(INNER).o(Target.class, T).a(13).a(0.5f).end();
		T.new Inner(13, 0.5f);
		new Rec(Target.Point.class, "<init>").self(POINT).a(14).a(15.5).end();
		new Target.Point(14, 15.5);
	}

	// --- from compiled code --------------------------------------------------------------------

	/** Many times what hot() does, and every other target, with both sides of every branch. */
	private static void warm(int i) {
		calls(i);
		coldCalls(i);
		Wide.call();
	}

	private static void hot(int n) {
		for (int i = 0; i < n; i++) {
			expect(i);
			calls(i);
		}
	}

	private static void expect(int i) {
		String s = TEXTS[i % TEXTS.length];
		double d = DOUBLES[i % DOUBLES.length];
		TargetBase b = BASES[i % 3];
		TargetIface f = FACES[i % 3];
		new Rec(Target.class, "prims").a((i & 1) == 0).a((byte) i).a((short) i).a((char) i).a(i)
			.a((long) i << 33).a((float) i).a(d).end();
		one().s(s).end();
		new Rec(Target.class, "primsOfInstance").self(T).a(true).a((byte) -i).a((short) -i)
			.a((char) ~i).a(-i).a(-1L).a((float) d).a(-d).end();
		new Rec(b.getClass(), "poly").self(b).a(i).a(d).end();
		new Rec(f.getClass(), "abs").self(f).a(i).s(s).end(int.class);
		new Rec(TargetIface.class, "dflt").self(f).a((long) i).o(Object.class, s).end();
		new Rec(TargetBase.class, "inherited").self(b).a((long) -i).s(s).end();
		new Rec(Target.Nested.class, "<init>").self(N).a((long) i).end();
		new Rec(Target.class, "ints").a(i).a(i + 1).a(i + 2).a(i + 3).a(i + 4).a(i + 5).a(i + 6)
			.a(i + 7).a(i + 8).a(i + 9).end();
		new Rec(Target.class, "doubles").a(d).a(1.0).a(2.0).a(3.0).a(4.0).a(5.0).a(6.0).a(7.0)
			.a(d).a(-d).a(10.0).a((double) i).end();
	}

	private static void calls(int i) {
		String s = TEXTS[i % TEXTS.length];
		double d = DOUBLES[i % DOUBLES.length];
		TargetBase b = BASES[i % 3];
		TargetIface f = FACES[i % 3];
		Target.prims((i & 1) == 0, (byte) i, (short) i, (char) i, i, (long) i << 33, (float) i, d);
		Target.one(s);
		T.primsOfInstance(true, (byte) -i, (short) -i, (char) ~i, -i, -1L, (float) d, -d);
		b.poly(i, d);
		f.abs(i, s);
		f.dflt(i, s);
		b.inherited(-i, s);
		new Target.Nested(i);
		Target.ints(i, i + 1, i + 2, i + 3, i + 4, i + 5, i + 6, i + 7, i + 8, i + 9);
		Target.doubles(d, 1, 2, 3, 4, 5, 6, 7, d, -d, 10, i);
	}

	private static void coldCalls(int i) {
		double d = i;
		long j = i;
		float f = i;
		String s = TEXTS[i % TEXTS.length];
		Object o = OBJECTS[i % OBJECTS.length];
		Target.none();
		T.noneOfInstance();
		Target.one((i & 1) == 0);
		Target.one((byte) i);
		Target.one((short) i);
		Target.one((char) i);
		Target.one(i);
		Target.one(j);
		Target.one(f);
		Target.one(d);
		Target.one(o);
		Target.one(INT_ARRAY);
		Target.one(i, s);
		Target.one((String[][]) null);
		Target.longs(j, j, j, j, j, j, j, j, j, j, j, j);
		Target.floats(f, f, f, f, f, f, f, f, f, f, f, f);
		Target.refs(s, o, INT_ARRAY, s, s, null, null, s, null, s, T);
		Target.mixed(i, d, j, f, s, d, i, d, j, f, o, d, i, d, j, d, s, f, d, (short) i, (byte) i,
			(char) i, true, d);
		T.mixedOfInstance(i, d, j, f, s, d, i, d, j, f, o, d, i, d, j, d, s, f, d, (short) i,
			(byte) i, (char) i, true, d);
		Target.arrays(INT_ARRAY, null, null, null, null, null, null, null);
		Target.objects(o, s, s, i, T, N);
		Target.varargs(i);
		Target.echo(s);
		Target.half(d);
		Target.longer(i);
		Target.odd(i);
		Target.array(INT_ARRAY);
		T.locked(i);
		Target.lockedStatic(i);
		T.callHidden(i);
		T.fixed(s);
		Target.\u00fcber\u5b57\ud835\udc9c(i);
		TargetIface.stat(i);
		T.over(i);
		N.method(s, j);
		Target.Nested.Deep.method(i);
		INNER.method(d);
		Target.Color.GREEN.paint(i);
		POINT.x();
		compare(N, NESTED[i % 3]);
		new Target(i, s, d);
		T.new Inner(i, f);
		new Target.Point(i, d);
	}
}
