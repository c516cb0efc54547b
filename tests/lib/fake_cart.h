/* SPDX-License-Identifier: MIT */
/*
 * fake_cart.h - a fake JVM with one class of one method, read as the daemon reads it.
 */
#ifndef HP_FAKE_CART_H
#define HP_FAKE_CART_H

#include "lib/fake_jvm.h"

struct fake_cart {
	struct fake_jvm j;
	struct vmstructs *vs;
	struct layout l;
	struct strpool *strings;
	struct name_cache *names;
	uint64_t klass, method; /* com.shop.Cart.add(int, String) */
};

/** fake_cart_init() - make it for a JDK: see fake_jvm_init(). Ends the test if it cannot. */
void fake_cart_init(struct fake_cart *c, int jdk);
void fake_cart_fini(struct fake_cart *c);

#endif
