// SPDX-License-Identifier: MIT
package prog;

/** Not loaded until the test says so. */
final class FollowLate {
	static volatile String last;

	private FollowLate() { }

	static void call(int worker, int i, String text) {
		last = text;
	}
}
