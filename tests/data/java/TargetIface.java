// SPDX-License-Identifier: MIT
package prog;

/** Calls through an interface: abstract, default and static methods. */
interface TargetIface {
	int abs(int a, String s);

	default void dflt(long a, Object o) {
		Target.sink = a;
		Target.ref = o;
	}

	static void stat(int a) {
		Target.sink = a;
	}
}
