// SPDX-License-Identifier: MIT
/* test_slot.c - which slots are taken, and when they may be taken again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "probe/slots.h"

/* Each slot is taken once, slot 0 and those beyond the count never. */
static void slot_take_gives_each_once(void **state _unused_)
{
	struct slots s;
	bool taken[REGION_SLOTS] = {false};

	slots_init(&s, 5);
	for (int i = 0; i < 4; i++) {
		uint32_t slot = slots_take(&s);

		assert_in_range(slot, 1, 4);
		assert_false(taken[slot]);
		taken[slot] = true;
	}
	assert_int_equal(slots_take(&s), SLOT_NONE);
	assert_int_equal(s.nlive, 4);
}

/* A slot that was left rests; one that nothing was ever led to is free at once. */
static void slot_rest_is_not_free(void **state _unused_)
{
	struct slots s;
	uint32_t a, b;

	slots_init(&s, 3);
	a = slots_take(&s);
	b = slots_take(&s);
	slots_rest(&s, a);
	assert_int_equal(slots_take(&s), SLOT_NONE);
	slots_return(&s, b);
	assert_int_equal(slots_take(&s), b);
	assert_int_equal(s.nlive, 1);
	assert_int_equal(s.nresting, 1);
}

/* With nothing at rest no thread is looked at: there need not even be a way to. */
static void slots_reclaim_looks_at_no_thread_in_vain(void **state _unused_)
{
	struct region r = {.remote = NULL};
	struct slots s;

	slots_init(&s, 2);
	slots_take(&s);
	assert_int_equal(slots_reclaim(&s, (struct region *[]){&r}, 1), 0);
}

/* Resting slots are free again once every thread of the target was seen outside of them. */
static void slots_reclaim_frees_what_rests(void **state _unused_)
{
	struct region r = {.base = 1 << 20, .len = 1 << 20, .text = 1 << 20, .code = 3 << 19};
	struct slots s;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	assert_int_equal(remote_ptrace_open(pid, &r.remote), 0);
	slots_init(&s, 4);
	slots_rest(&s, slots_take(&s));
	slots_rest(&s, slots_take(&s));
	assert_int_equal(slots_reclaim(&s, (struct region *[]){&r}, 1), 2);
	assert_int_equal(s.nresting, 0);
	assert_int_not_equal(slots_take(&s), SLOT_NONE);
	remote_close(r.remote);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slot_take_gives_each_once),
		cmocka_unit_test(slot_rest_is_not_free),
		cmocka_unit_test(slots_reclaim_looks_at_no_thread_in_vain),
		cmocka_unit_test(slots_reclaim_frees_what_rests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
