// SPDX-License-Identifier: MIT
package prog;

/** The subclass that is loaded when the test says so. */
class FollowSquare extends FollowShape {
	@Override int area(int i) {
		return 4 * i;
	}
}
