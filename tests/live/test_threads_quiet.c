// SPDX-License-Identifier: MIT
/* test_threads_quiet.c - which threads may still make a killed instance's remote call, as anybody
 * can see it. */
#include <setjmp.h>
#include <stdarg.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "remote/threads_quiet.h"
#include "lib/victim.h"

/* Threads that compute and threads that sleep are seen to make no remote call; a traced one is not.
 */
static void quiet_wait_tells_errands(void **state)
{
	struct victim v;
	int status;

	(void)state;
	victim_start(&v, VICTIM_THREADS_ALL);
	assert_int_equal(threads_quiet_wait(v.pid), 0);
	assert_int_equal(ptrace(PTRACE_SEIZE, v.pid, 0, 0), 0);
	assert_int_equal(threads_quiet_wait(v.pid), -EAGAIN);
	assert_int_equal(ptrace(PTRACE_INTERRUPT, v.pid, 0, 0), 0);
	assert_int_equal(waitpid(v.pid, &status, __WALL), v.pid);
	assert_int_equal(ptrace(PTRACE_DETACH, v.pid, 0, 0), 0);
	assert_int_equal(threads_quiet_wait(v.pid), 0);
	victim_stop(&v);
	assert_int_equal(threads_quiet_wait(v.pid), -ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quiet_wait_tells_errands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
