// SPDX-License-Identifier: MIT
/* test_cli.c - numbers, sizes and times as people type them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/number.h"

/* Whole decimal numbers within bounds, and nothing else. */
static void number_parse_takes_only_digits(void **state _unused_)
{
	static const char *const bad[] = {"",
					  "-1",
					  "+1",
					  " 1",
					  "1 ",
					  "0x10",
					  "1e3",
					  "1.5",
					  "a",
					  "18446744073709551616",
					  "99999999999999999999999"};
	uint64_t n = 77;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(number_parse(bad[i], 0, UINT64_MAX, &n), -EINVAL);
	assert_int_equal(n, 77);
	assert_int_equal(number_parse("18446744073709551615", 0, UINT64_MAX, &n), 0);
	assert_true(n == UINT64_MAX);
	assert_int_equal(number_parse("007", 1, 7, &n), 0);
	assert_int_equal(n, 7);
	assert_int_equal(number_parse("0", 1, 7, &n), -EINVAL);
	assert_int_equal(number_parse("8", 1, 7, &n), -EINVAL);
}

/* Binary units; a size that does not fit 64 bits is refused, not wrapped. */
static void number_parse_size_takes_units(void **state _unused_)
{
	static const char *const bad[] = {"", "K", "1k", "1KB", "1.5M", "-1M", "17179869184G"};
	uint64_t n;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(number_parse_size(bad[i], 0, UINT64_MAX, &n), -EINVAL);
	assert_int_equal(number_parse_size("4096", 1, 1u << 30, &n), 0);
	assert_int_equal(n, 4096);
	assert_int_equal(number_parse_size("16M", 1, 1u << 30, &n), 0);
	assert_int_equal(n, 16u << 20);
	assert_int_equal(number_parse_size("1G", 1, 1u << 30, &n), 0);
	assert_int_equal(number_parse_size("2G", 1, 1u << 30, &n), -EINVAL);
}

/* Seconds without a unit; fractions; no time at all is refused. */
static void number_parse_duration_takes_units(void **state _unused_)
{
	static const char *const bad[] = {"",	 "s",	"-1",	 "1x",	"0",	"0s",
					  "nan", "inf", "1e300", "1 s", "0.1ns"};
	uint64_t n;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(number_parse_duration(bad[i], &n), -EINVAL);
	assert_int_equal(number_parse_duration("2", &n), 0);
	assert_true(n == 2 * NSEC_PER_SEC);
	assert_int_equal(number_parse_duration("0.5s", &n), 0);
	assert_true(n == NSEC_PER_SEC / 2);
	assert_int_equal(number_parse_duration("250ms", &n), 0);
	assert_true(n == 250 * NSEC_PER_MSEC);
	assert_int_equal(number_parse_duration("2m", &n), 0);
	assert_true(n == 120 * NSEC_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(number_parse_takes_only_digits),
		cmocka_unit_test(number_parse_size_takes_units),
		cmocka_unit_test(number_parse_duration_takes_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
