// SPDX-License-Identifier: MIT
/* test_coverage_why.c - what is said of a compiled method, by what is known of its copies. */
#include "lib/cmocka_all.h"
#include "runtime/hotspot/coverage_why.h"

struct fixture {
	struct target t;
	struct coverage_look k;
	struct coverage_found f;
};

/* A method of 40 bytes that C2 has compiled, and may inline. */
static void make(struct fixture *x)
{
	*x = (struct fixture){.f = {.class_state = CLASS_INITIALIZED,
				    .levels = 1 << 4,
				    .st = {.method = 0x7000, .code_size = 40},
				    .m = {.klass = "a.B", .name = "c", .desc = "()V"}}};
	x->t.layout.jdk = 17;
	x->t.layout.compiler = (struct layout_compiler){.on = true,
							.tiered = true,
							.stop_at_level = 4,
							.inline_size = 35,
							.inline_hot = 325};
	x->k.t = &x->t;
}

static void check(struct fixture *x, enum coverage_state state, const char *part)
{
	struct coverage_reason r;

	coverage_why(&x->k, &x->f, &r);
	assert_int_equal(r.state, state);
	if (!strstr(r.why, part))
		fail_msg("%s: no '%s'", r.why, part);
}

/* Every call is only seen if all bodies were looked at and say so, or it is too large. */
static void seen_is_known(void **state _unused_)
{
	struct fixture x;

	make(&x);
	check(&x, COVERAGE_PARTLY, "does not tell where, or there was no time to look");
	x.k.inlined = (struct inlined){.bodies = 512, .silent = 512};
	check(&x, COVERAGE_PARTLY, "only time to look into 512 compiled bodies");
	x.k.inlined = (struct inlined){.bodies = 900, .silent = 2, .all = true};
	check(&x, COVERAGE_PARTLY, "2 of 900 compiled bodies do not say");
	x.k.inlined.silent = 0;
	check(&x, COVERAGE_SEEN, "inlined nowhere");
	x.k.inlined = (struct inlined){0};
	x.f.st.code_size = 326;
	check(&x, COVERAGE_SEEN, "too large to be inlined");
}

/* A copy that is known is named, with what to do. */
static void copies_are_named(void **state _unused_)
{
	const struct nmethod holder = {.m = {.klass = "a.D", .name = "e", .desc = "()V"},
				       .level = 3};
	struct inlined_copy copy = {.method = 0x7000, .holder = &holder};
	struct fixture x;

	make(&x);
	x.k.inlined = (struct inlined){.copies = &copy, .n = 1, .bodies = 1, .all = true};
	check(&x, COVERAGE_PARTLY, "not those inlined into a.D.e (level 3); to see these");
	x.f.levels = 0;
	check(&x, COVERAGE_NOT_THIS_WAY, "inlined into a.D.e (level 3), with no compiled body");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seen_is_known),
		cmocka_unit_test(copies_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
