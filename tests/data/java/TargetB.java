// SPDX-License-Identifier: MIT
package prog;

/** A third receiver: from three on, calls go through vtable and itable stubs. */
class TargetB extends TargetBase implements TargetIface {
	TargetB(int a) {
		super(a);
	}

	@Override void poly(int a, double d) {
		Target.dsink = d;
	}

	@Override public int abs(int a, String s) {
		Target.ref = s;
		return -a;
	}
}
