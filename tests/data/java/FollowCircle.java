// SPDX-License-Identifier: MIT
package prog;

/** The subclass that is there from the start. */
class FollowCircle extends FollowShape {
	@Override int area(int i) {
		return 3 * i;
	}
}
