// SPDX-License-Identifier: MIT
package prog;

/** Another receiver, so that calls through the bases are not of one class. */
class TargetA extends TargetBase implements TargetIface {
	TargetA(int a) {
		super(a);
	}

	@Override void poly(int a, double d) {
		Target.sink = a;
	}

	@Override public int abs(int a, String s) {
		Target.ref = s;
		return a;
	}
}
