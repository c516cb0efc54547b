// SPDX-License-Identifier: MIT
/* test_fail.c - how an error travels: a code, and the line of whoever saw it first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fail.h"

/* The first failure names the cause: what comes of it further up changes neither code nor line. */
static void fail_set_keeps_the_first(void **state _unused_)
{
	struct fail f = {0};

	assert_int_equal(fail_set(&f, -EPERM, "it is %s", "locked"), -EPERM);
	assert_int_equal(fail_set(&f, -EIO, "it did not work"), -EIO);
	assert_int_equal(f.err, -EPERM);
	assert_string_equal(f.text, "it is locked");
}

/* Whoever only wants the code passes none. */
static void fail_set_without_struct(void **state _unused_)
{
	assert_int_equal(fail_set(NULL, -ENOENT, "%d", 1), -ENOENT);
	assert_int_equal(fail_pid(NULL, -ENOENT, 1, "%d", 1), -ENOENT);
	fail_clear(NULL);
}

/* A line about a process begins with it. */
static void fail_pid_begins_with_it(void **state _unused_)
{
	struct fail f = {0};

	assert_int_equal(fail_pid(&f, -ESRCH, 4711, "has ended after %d s", 3), -ESRCH);
	assert_string_equal(f.text, "PID 4711: has ended after 3 s");
}

/* Where another way is tried, the first one's failure is forgotten. */
static void fail_clear_forgets(void **state _unused_)
{
	struct fail f = {0};

	fail_set(&f, -EPERM, "no");
	fail_clear(&f);
	assert_int_equal(f.err, 0);
	fail_set(&f, -ENOENT, "nor that");
	assert_string_equal(f.text, "nor that");
}

/* A text of a hostile target is cut, says so, and stays a string, of whole characters. */
static void fail_set_cuts(void **state _unused_)
{
	char *long_text = malloc(3 * FAIL_TEXT_MAX);
	struct fail f = {0};

	assert_non_null(long_text);
	memset(long_text, 'x', 3 * FAIL_TEXT_MAX - 1);
	long_text[3 * FAIL_TEXT_MAX - 1] = '\0';
	fail_pid(&f, -EPROTO, 1, "%s", long_text);
	assert_int_equal(strlen(f.text), FAIL_TEXT_MAX - 1);
	assert_string_equal(f.text + FAIL_TEXT_MAX - 5, "x...");
	for (size_t i = 0; i < 3 * FAIL_TEXT_MAX - 3; i += 2)
		memcpy(long_text + i, "\u00e9", 2);
	fail_clear(&f);
	fail_set(&f, -EPROTO, "%s", long_text);
	assert_string_equal(f.text + FAIL_TEXT_MAX - 6, "\u00e9...");
	free(long_text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fail_set_keeps_the_first),
		cmocka_unit_test(fail_set_without_struct),
		cmocka_unit_test(fail_pid_begins_with_it),
		cmocka_unit_test(fail_clear_forgets),
		cmocka_unit_test(fail_set_cuts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
