// SPDX-License-Identifier: MIT
/* test_stop.c - long work learns that it is not wanted any more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/stop.h"

struct asked {
	int looks;
	int from; /* the look that says yes */
};

static bool look(void *arg)
{
	struct asked *a = arg;

	return ++a->looks >= a->from;
}

/* Nobody asks by default; asking often looks rarely; a yes stays until somebody else is asked. */
static void stop_asked_looks_rarely(void **state _unused_)
{
	struct asked a = {.from = 3};
	uint64_t begun_ns = clock_ns();
	int asks = 0;

	assert_false(stop_asked());
	stop_set(look, &a);
	while (!stop_asked())
		asks++;
	assert_int_equal(a.looks, 3);
	assert_true(asks > 3);
	assert_true(clock_ns() - begun_ns >= 2 * STOP_LOOK_NS);
	assert_true(stop_asked());
	assert_int_equal(a.looks, 3);
	stop_set(NULL, NULL);
	assert_false(stop_asked());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stop_asked_looks_rarely),
	};

	return cmocka_run_group_tests_name("stop", tests, NULL, NULL);
}
