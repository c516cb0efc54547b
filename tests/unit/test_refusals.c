// SPDX-License-Identifier: MIT
/* test_refusals.c - thousands of methods that are not probed make a line for each reason. */
#include "lib/cmocka_all.h"
#include "probe/refusals.h"

static char said[REFUSALS_MAX + 1][1024];
static size_t nsaid;

static void say(void *arg _unused_, const char *text)
{
	assert_true(nsaid < ARRAY_SIZE(said));
	snprintf(said[nsaid++], sizeof(said[0]), "%s", text);
}

static int begin(void **state _unused_)
{
	nsaid = 0;
	return 0;
}

/* One method is named, with all that is known of the reason. */
static void refusals_tell_one(void **state _unused_)
{
	struct refusals r = {0};

	refusals_add(&r, "a.B.c", "first instruction cannot be moved: cmp rax, [rsi]");
	refusals_tell(&r, say, NULL);
	assert_int_equal(nsaid, 1);
	assert_string_equal(said[0], "a.B.c is not probed: first instruction cannot be moved: cmp "
				     "rax, [rsi]");
}

/* Many make one line for each reason, with their number and some names; nothing is told twice. */
static void refusals_tell_many(void **state _unused_)
{
	struct refusals r = {0};

	for (int i = 0; i < 24116; i++) {
		char name[32], why[64];

		snprintf(name, sizeof(name), "gen.C.m%d", i);
		refusals_add(&r, name, "all 4095 slots are in use");
		snprintf(why, sizeof(why), "cannot be moved: instruction %d", i);
		if (i < 2)
			refusals_add(&r, name, why);
	}
	assert_int_equal(refusals_count(&r), 24118);
	refusals_tell(&r, say, NULL);
	assert_int_equal(nsaid, 2);
	assert_string_equal(said[0],
			    "24116 methods are not probed: all 4095 slots are in use (gen.C.m0, "
			    "gen.C.m1, gen.C.m2 and 24113 more; -v names them)");
	assert_string_equal(said[1],
			    "2 methods are not probed: cannot be moved (gen.C.m0, gen.C.m1)");
	refusals_tell(&r, say, NULL);
	assert_int_equal(nsaid, 2);
	refusals_add(&r, "x.Y.z", "all 4095 slots are in use");
	refusals_tell_soon(&r, say, NULL);
	assert_int_equal(nsaid, 2);
	refusals_tell(&r, say, NULL);
	assert_int_equal(nsaid, 3);
	assert_string_equal(said[2], "x.Y.z is not probed: all 4095 slots are in use");
	assert_int_equal(refusals_count(&r), 24119);
}

/* However many reasons there are and however long a name is: there is room, and all are counted. */
static void refusals_add_bounds(void **state _unused_)
{
	struct refusals r = {0};
	char name[4096];

	for (size_t i = 0; i < sizeof(name) - 1; i++)
		name[i] = "\xc3\xa4"[i % 2];
	name[sizeof(name) - 1] = '\0';
	for (int i = 0; i < 100; i++) {
		char why[16];

		snprintf(why, sizeof(why), "reason %d", i);
		refusals_add(&r, name, i < 50 ? why : name);
	}
	assert_int_equal(r.n, REFUSALS_MAX);
	assert_int_equal(refusals_count(&r), 100);
	refusals_tell(&r, say, NULL);
	assert_int_equal(nsaid, REFUSALS_MAX);
	assert_non_null(strstr(said[0], "\xc3\xa4... is not probed: reason 0"));
	assert_null(strstr(said[0], "\xc3..."));
	assert_non_null(strstr(said[REFUSALS_MAX - 1], "85 methods are not probed: various"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(refusals_tell_one, begin),
		cmocka_unit_test_setup(refusals_tell_many, begin),
		cmocka_unit_test_setup(refusals_add_bounds, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
