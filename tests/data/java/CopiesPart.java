// SPDX-License-Identifier: MIT
package prog;

import java.util.function.IntUnaryOperator;

/** Twenty methods, of which Copies loads as many as it is told to. */
public final class CopiesPart implements IntUnaryOperator {
	static int m0(int i) {
		return i + 0;
	}

	static int m1(int i) {
		return i + 1;
	}

	static int m2(int i) {
		return i + 2;
	}

	static int m3(int i) {
		return i + 3;
	}

	static int m4(int i) {
		return i + 4;
	}

	static int m5(int i) {
		return i + 5;
	}

	static int m6(int i) {
		return i + 6;
	}

	static int m7(int i) {
		return i + 7;
	}

	static int m8(int i) {
		return i + 8;
	}

	static int m9(int i) {
		return i + 9;
	}

	static int m10(int i) {
		return i + 10;
	}

	static int m11(int i) {
		return i + 11;
	}

	static int m12(int i) {
		return i + 12;
	}

	static int m13(int i) {
		return i + 13;
	}

	static int m14(int i) {
		return i + 14;
	}

	static int m15(int i) {
		return i + 15;
	}

	static int m16(int i) {
		return i + 16;
	}

	static int m17(int i) {
		return i + 17;
	}

	static int m18(int i) {
		return i + 18;
	}

	static int m19(int i) {
		return i + 19;
	}

	@Override public int applyAsInt(int i) {
		return m0(i) + m1(i) + m2(i) + m3(i) + m4(i) + m5(i) + m6(i) + m7(i) + m8(i) + m9(i)
			+ m10(i) + m11(i) + m12(i) + m13(i) + m14(i) + m15(i) + m16(i) + m17(i) + m18(i) + m19(i);
	}
}
