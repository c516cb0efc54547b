// SPDX-License-Identifier: MIT
package prog;

import java.util.function.IntUnaryOperator;

/** Loaded anew by Busy all the time. */
public final class BusyPart implements IntUnaryOperator {
	static int part(int i) {
		return i + 1;
	}

	@Override public int applyAsInt(int i) {
		return part(i);
	}
}
