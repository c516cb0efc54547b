// SPDX-License-Identifier: MIT
/* From Method* to names and access flags, when nothing on the way is to be trusted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/fake_cart.h"

static struct fake_cart *make(int jdk)
{
	struct fake_cart *f = calloc(1, sizeof(*f));

	fake_cart_init(f, jdk);
	return f;
}

static void drop(struct fake_cart *f)
{
	fake_cart_fini(f);
	free(f);
}

static int name_it(struct fake_cart *f, uint64_t method, struct nmethod *nm)
{
	*nm = (struct nmethod){.method_addr = method};
	return nmethod_names(&f->j.t.mem, &f->l, f->names, nm);
}

/* When metadata is reused the new names are told, though every address is the old one. */
static void names_of_reused_metadata(void **state _unused_)
{
	struct fake_cart *f = make(25);
	struct nmethod nm;
	uint64_t cm, pool;

	assert_int_equal(name_it(f, f->method, &nm), 0);
	assert_string_equal(nm.m.klass, "com.shop.Cart");
	fake_put64(&f->j.t, f->klass + FK_KLASS_NAME, fake_symbol_text(&f->j, "com/shop/Till", 13));
	assert_int_equal(name_it(f, f->method, &nm), 0);
	assert_string_equal(nm.m.klass, "com.shop.Till");
	memcpy(&cm, fake_at(&f->j.t, f->method + FK_METHOD_CONST, 8), 8);
	memcpy(&pool, fake_at(&f->j.t, cm + FK_CONST_POOL, 8), 8);
	fake_put64(&f->j.t, pool + FK_POOL_SIZE + 8, fake_symbol_text(&f->j, "remove", 6));
	assert_int_equal(name_it(f, f->method, &nm), 0);
	assert_string_equal(nm.m.name, "remove");
	drop(f);
}

/* Names that are not where they should be, or are no names, leave the nmethod as it was. */
static void names_that_lie(void **state _unused_)
{
	for (int lie = 0; lie < 9; lie++) {
		struct fake_cart *f = make(21);
		struct fake_target *t = &f->j.t;
		uint64_t cm, pool;
		struct nmethod nm;
		int want = -EPROTO;

		memcpy(&cm, fake_at(t, f->method + FK_METHOD_CONST, 8), 8);
		memcpy(&pool, fake_at(t, cm + FK_CONST_POOL, 8), 8);
		switch (lie) {
		case 0:
			fake_put16(t, cm + FK_CONST_NAME, 0);
			break;
		case 1:
			fake_put16(t, cm + FK_CONST_DESC, 0xffff);
			break;
		case 2: /* a constant pool of four thousand million slots */
			fake_put32(t, pool + FK_POOL_LENGTH, 0xffffffff);
			fake_put16(t, cm + FK_CONST_NAME, 0x7fff);
			want = -1; /* whatever lies there: no name */
			break;
		case 3:
			fake_put64(t, f->method + FK_METHOD_CONST, 0);
			want = -EFAULT;
			break;
		case 4:
			fake_put64(t, cm + FK_CONST_POOL, UINT64_MAX - 15);
			want = -EFAULT;
			break;
		case 5:
			fake_put64(t, pool + FK_POOL_HOLDER, 0x10);
			want = -EFAULT;
			break;
		case 6:
			fake_put64(t, pool + FK_POOL_SIZE + 8, fake_symbol_text(&f->j, "a\0b", 3));
			break;
		case 7: /* no descriptor */
			fake_put64(t, pool + FK_POOL_SIZE + 16, fake_symbol_text(&f->j, "(I", 2));
			break;
		case 8:
			fake_put64(t, f->klass + FK_KLASS_NAME, fake_symbol_text(&f->j, "", 0));
			break;
		}
		int err = name_it(f, f->method, &nm);
		assert_true(want == -1 ? err < 0 : err == want);
		assert_true(!nm.m.klass && !nm.m.name && !nm.m.desc);
		drop(f);
	}
}

/* Access flags are those of the class file, whatever HotSpot keeps above them. */
static void flags_of_method(void **state _unused_)
{
	static const int jdks[] = {17, 21, 25};

	for (size_t i = 0; i < ARRAY_SIZE(jdks); i++) {
		struct fake_cart *f = make(jdks[i]);
		uint32_t flags = 0;
		uint64_t m = fake_method(&f->j, f->klass, "f", "()V", 0x109);
		if (f->j.jdk < 23)
			fake_put32(&f->j.t, m + FK_METHOD_FLAGS, 0xff000109);
		assert_int_equal(method_flags(&f->j.t.mem, &f->l, m, &flags), 0);
		assert_int_equal(flags, 0x109);
		assert_int_equal(method_flags(&f->j.t.mem, &f->l, 0x1000, &flags), -EFAULT);
		drop(f);
	}
}

/* A name longer than any buffer on the way arrives whole, and so does one from the paged reader. */
static void names_of_any_length(void **state _unused_)
{
	struct fake_cart *f = make(21);
	struct nmethod nm;
	struct mem *paged;
	char text[3001];

	memset(text, 'n', sizeof(text));
	text[sizeof(text) - 1] = 0;
	uint64_t m = fake_method(&f->j, f->klass, text, "()V", 1);
	assert_int_equal(name_it(f, m, &nm), 0);
	assert_string_equal(nm.m.name, text);
	assert_int_equal(mem_open_paged(&f->j.t.mem, &paged), 0);
	nm = (struct nmethod){.method_addr = m};
	assert_int_equal(nmethod_names(paged, &f->l, f->names, &nm), 0);
	assert_string_equal(nm.m.name, text);
	assert_string_equal(nm.m.klass, "com.shop.Cart");
	mem_close(paged);
	drop(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_reused_metadata),
		cmocka_unit_test(names_that_lie),
		cmocka_unit_test(names_of_any_length),
		cmocka_unit_test(flags_of_method),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
