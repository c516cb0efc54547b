// SPDX-License-Identifier: MIT
/* test_names.c - the table of short-lived names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/names.h"

/* What was put in is found, what was not is not, and an empty table can be asked. */
static void names_get_finds_what_was_put(void **state _unused_)
{
	struct names t = {0};

	assert_null(names_get(&t, 7));
	names_put(&t, 7, "seven", 1);
	names_put(&t, 7ULL << 40, "far", 2);
	assert_string_equal(names_get(&t, 7)->text, "seven");
	assert_string_equal(names_get(&t, 7ULL << 40)->text, "far");
	assert_null(names_get(&t, 8));
	names_put(&t, 7, "other", 3);
	assert_string_equal(names_get(&t, 7)->text, "other");
	assert_int_equal(names_get(&t, 7)->ts_ns, 3);
	assert_int_equal(t.n, 2);
	names_fini(&t);
}

/* The text is a copy, whatever becomes of the caller's; having none can be remembered too. */
static void names_put_copies(void **state _unused_)
{
	struct names t = {0};
	char text[] = "first";

	names_put(&t, 7, text, 1);
	text[0] = 'F';
	assert_string_equal(names_get(&t, 7)->text, "first");
	names_put(&t, 7, "first", 2);
	assert_int_equal(names_get(&t, 7)->ts_ns, 2);
	names_put(&t, 7, NULL, 3);
	assert_non_null(names_get(&t, 7));
	assert_null(names_get(&t, 7)->text);
	names_fini(&t);
}

/* However many keys come, memory stays bounded and the newest is there. */
static void names_put_stays_bounded(void **state _unused_)
{
	struct names t = {0};
	static char text[1 << 16];

	memset(text, 'x', sizeof(text) - 1);

	for (uint64_t key = 1; key <= 3 * NAMES_MAX; key++) {
		names_put(&t, key << 3, "x", key);
		assert_non_null(names_get(&t, key << 3));
		assert_true(t.n <= NAMES_MAX);
	}
	assert_true(t.cap <= 4 * NAMES_MAX);
	for (size_t key = 1; key <= 3 * NAMES_BYTES_MAX / sizeof(text); key++) {
		names_put(&t, key, text, key);
		assert_string_equal(names_get(&t, key)->text, text);
		assert_true(t.bytes <= NAMES_BYTES_MAX);
	}
	names_fini(&t);
}

/* Key 0 marks an empty place and is never kept. */
static void names_put_ignores_key_zero(void **state _unused_)
{
	struct names t = {0};

	names_put(&t, 0, "zero", 1);
	assert_int_equal(t.n, 0);
	names_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_get_finds_what_was_put),
		cmocka_unit_test(names_put_copies),
		cmocka_unit_test(names_put_stays_bounded),
		cmocka_unit_test(names_put_ignores_key_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
