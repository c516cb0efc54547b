// SPDX-License-Identifier: MIT
/* Work for a target ends when its time is used up, or when nobody wants it any more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/budget.h"
#include "base/stop.h"

#define NEVER (1000 * NSEC_PER_SEC)

static bool stop_now(void *arg _unused_)
{
	return true;
}

static int spend_until_it_fails(void)
{
	int err;

	while (!(err = budget_spend()))
		;
	return err;
}

/* Outside of a budget nothing is limited, whatever the user wants: what is there must be removed.
 */
static void spend_without_budget(void **state _unused_)
{
	stop_set(stop_now, NULL);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(budget_spend(), 0);
	assert_int_equal(budget_until_ns(), UINT64_MAX);
	stop_set(NULL, NULL);
}

/* The time is measured on the processor; what is used up stays so, and ends with its budget. */
static void spend_all(void **state _unused_)
{
	struct budget b;

	budget_begin(&b, NSEC_PER_MSEC);
	assert_true(budget_until_ns() <= clock_ns() + NSEC_PER_MSEC);
	usleep(5000);
	assert_int_equal(budget_spend_bytes(1 << 20), 0);
	assert_int_equal(spend_until_it_fails(), -E2BIG);
	assert_int_equal(budget_spend(), -E2BIG);
	budget_end(&b);
	assert_int_equal(budget_spend(), 0);
}

/* The smaller of two that lie in each other counts, and the outer one goes on behind it. */
static void spend_nested(void **state _unused_)
{
	struct budget outer, inner;

	budget_begin(&outer, NEVER);
	budget_begin(&inner, NSEC_PER_MSEC);
	assert_int_equal(spend_until_it_fails(), -E2BIG);
	budget_end(&inner);
	assert_int_equal(budget_spend(), 0);
	budget_end(&outer);
	budget_begin(&outer, NSEC_PER_MSEC);
	budget_begin(&inner, NEVER);
	assert_int_equal(spend_until_it_fails(), -E2BIG);
	budget_end(&inner);
	budget_end(&outer);
}

/* The user is heard in the middle of it. */
static void spend_stopped(void **state _unused_)
{
	struct budget b;

	stop_set(stop_now, NULL);
	budget_begin(&b, NEVER);
	assert_int_equal(spend_until_it_fails(), -ECANCELED);
	budget_end(&b);
	stop_set(NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spend_without_budget),
		cmocka_unit_test(spend_all),
		cmocka_unit_test(spend_nested),
		cmocka_unit_test(spend_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
