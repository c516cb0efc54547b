// SPDX-License-Identifier: MIT
package prog;

/** While there is one subclass, C2 binds calls to it directly; the second one makes it recompile. */
abstract class FollowShape {
	abstract int area(int i);
}
