// SPDX-License-Identifier: MIT
/* test_inlined.c - what a compiled body says that it holds, and bodies that say it badly. */
#include "base/budget.h"
#include "lib/cmocka_all.h"
#include "lib/fake_target.h"
#include "runtime/hotspot/inlined.h"
#include "runtime/hotspot/layout_code.h"

/* Where the fake body's parts lie, from its own address on; each may be so long. */
#define HEADER 64
#define LIST   64
#define SCOPES (LIST + 64)
#define PCS    (SCOPES + 8192)
#define DEPS   (PCS + (64u << 10))
#define END    (DEPS + 64)

#define PCDESC_SIZE 16
#define OWN	    0x7000000010ULL
#define CALLED	    0x7000000020ULL
#define INLINED	    0x7000000030ULL

struct fixture {
	struct fake_target t;
	struct layout_code code;
	struct layout l;
	struct symmap *map;
	uint64_t body;
	struct inlined in;
};

/* A body of JDK 17's form, whose list names three methods. */
static void make(struct fixture *f)
{
	struct nmethod nm = {.m = {.klass = "a.B", .name = "c", .desc = "()V", .symbol = ""},
			     .method_addr = OWN,
			     .level = 4};

	*f = (struct fixture){.l = {.jdk = 17}};
	fake_target_init(&f->t, 0x10000000, 1u << 20);
	f->l.code = &f->code;
	f->code.mutable.off = FIELD_NONE;
	f->code.metadata_offset = (struct field){0, 4};
	f->code.dependencies_offset = (struct field){4, 4};
	f->code.handler_table_offset = (struct field){8, 4};
	f->code.scopes_pcs_offset = (struct field){12, 4};
	f->code.scopes_data_begin = (struct field){16, 8};
	f->code.made_of_span = 24;
	f->body = fake_alloc(&f->t, END);
	fake_put32(&f->t, f->body, LIST);
	fake_put32(&f->t, f->body + 4, DEPS);
	fake_put32(&f->t, f->body + 8, END);
	fake_put32(&f->t, f->body + 12, PCS);
	fake_put64(&f->t, f->body + 16, f->body + SCOPES);
	fake_put64(&f->t, f->body + LIST, OWN);
	fake_put64(&f->t, f->body + LIST + 8, CALLED);
	fake_put64(&f->t, f->body + LIST + 16, INLINED);
	nm.addr = f->body;
	nm.m.begin = nm.m.entry = f->body + HEADER;
	nm.m.end = f->body + END;
	f->map = symmap_new();
	assert_int_equal(symmap_add(f->map, &nm, NULL), 1);
}

/* The dependencies: @methods were parsed for it, by their numbers. */
static void put_deps(struct fixture *f, const char *methods)
{
	for (uint64_t i = 0; methods[i]; i++) {
		fake_put8(&f->t, f->body + DEPS + 2 * i, 1);
		fake_put8(&f->t, f->body + DEPS + 2 * i + 1, (uint8_t)(methods[i] - '0'));
	}
}

static void find(struct fixture *f)
{
	const uint64_t methods[] = {CALLED, INLINED};

	inlined_fini(&f->in);
	assert_int_equal(inlined_find(&f->t.mem, &f->l, f->map, methods, ARRAY_SIZE(methods),
				      UINT64_MAX, &f->in),
			 0);
	assert_int_equal(f->in.bodies, 1);
}

static void drop(struct fixture *f)
{
	inlined_fini(&f->in);
	symmap_free(f->map);
	fake_target_fini(&f->t);
}

/* That a method is on the list does not make it inlined. */
static void dependencies_tell(void **state _unused_)
{
	struct fixture f;
	size_t n;

	make(&f);
	put_deps(&f, "13");
	find(&f);
	assert_true(f.in.all && !f.in.silent);
	assert_int_equal(f.in.n, 1);
	assert_non_null(inlined_of(&f.in, INLINED, &n));
	assert_null(inlined_of(&f.in, CALLED, &n));
	drop(&f);
}

/* What cannot be read, or breaks off, says nothing: then nobody may say "inlined nowhere". */
static void unreadable_is_silent(void **state _unused_)
{
	struct fixture f;

	make(&f);
	put_deps(&f, "13");
	fake_put8(&f.t, f.body + DEPS + 3, 0xff); /* more bytes follow, but the end is here */
	fake_put32(&f.t, f.body + 8, DEPS + 4);
	find(&f);
	assert_int_equal(f.in.silent, 1);
	fake_put8(&f.t, f.body + DEPS + 3, 3);
	find(&f);
	assert_int_equal(f.in.silent, 0);
	fake_put32(&f.t, f.body, LIST + (1u << 20)); /* behind where it ends */
	find(&f);
	assert_int_equal(f.in.silent, 1);
	fake_put32(&f.t, f.body, LIST);
	fake_put64(&f.t, f.body + 16, f.body + SCOPES + (1u << 20)); /* longer than any */
	find(&f);
	assert_int_equal(f.in.silent, 1);
	drop(&f);
}

/* Debug information that is more work than any real one ends with the budget, and says so. */
static void decoding_has_a_budget(void **state _unused_)
{
	struct fixture f;
	struct budget b;

	make(&f);
	memset(fake_at(&f.t, f.body + SCOPES, PCS - SCOPES), 3, PCS - SCOPES);
	for (uint64_t i = 0; i < (DEPS - PCS) / PCDESC_SIZE; i++)
		fake_put32(&f.t, f.body + PCS + PCDESC_SIZE * i + 4, (uint32_t)i + 4);
	find(&f);
	assert_true(f.in.all);
	assert_int_equal(f.in.n, 1);
	budget_begin(&b, 1);
	find(&f);
	budget_end(&b);
	assert_false(f.in.all);
	assert_int_equal(f.in.silent, 1);
	drop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dependencies_tell),
		cmocka_unit_test(unreadable_is_silent),
		cmocka_unit_test(decoding_has_a_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
