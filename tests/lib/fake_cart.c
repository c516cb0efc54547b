// SPDX-License-Identifier: MIT
/* A fake JVM with one class of one method. See fake_cart.h. */
#include "lib/cmocka_all.h"
#include "lib/fake_cart.h"

void fake_cart_init(struct fake_cart *c, int jdk)
{
	fake_jvm_init(&c->j, jdk);
	assert_int_equal(fake_jvm_read(&c->j, &c->vs, &c->l), 0);
	c->strings = strpool_new();
	c->names = name_cache_new(c->strings);
	assert_true(c->strings && c->names);
	c->klass = fake_klass(&c->j, "com/shop/Cart", c->j.object_klass, NULL, 0);
	c->method = fake_method(&c->j, c->klass, "add", "(ILjava/lang/String;)V", 0x9);
}

void fake_cart_fini(struct fake_cart *c)
{
	name_cache_free(c->names);
	strpool_free(c->strings);
	layout_fini(&c->l);
	vmstructs_free(c->vs);
	fake_jvm_fini(&c->j);
}
