// SPDX-License-Identifier: MIT
package prog;

/** Gets other names: see Odd. */
public final class OddPart implements Odd.Call {
	static volatile int last;

	public OddPart() { }

	public void call(int number, String text, Object other, char unit) {
		part(number, text, other, unit);
	}

	void part(int number, String text, Object other, char unit) {
		last = number;
	}
}
