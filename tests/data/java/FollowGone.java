// SPDX-License-Identifier: MIT
package prog;

import java.util.function.BiConsumer;

/** Loaded by a class loader of its own, again and again, and unloaded with it. */
public final class FollowGone implements BiConsumer<Integer, String> {
	static volatile String last;

	static void call(int i, String text) {
		last = text;
	}

	/** The only way in for a class that is another one's, to its loader. */
	@Override public void accept(Integer i, String text) {
		call(i, text);
	}
}
