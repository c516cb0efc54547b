// SPDX-License-Identifier: MIT
package prog;

/** Inherited, overridden and abstract methods. */
abstract class TargetBase {
	TargetBase(double d) {
		Target.dsink = d;
	}

	abstract void poly(int a, double d);

	void inherited(long a, String s) {
		Target.sink = a;
		Target.ref = s;
	}

	void over(int a) {
		Target.sink = a;
	}
}
