// SPDX-License-Identifier: MIT
/* Numbers of threads and processes that have become another's: nothing is done to that one. */
#include <linux/sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "lib/victim.h"
#include "proc/proc.h"
#include "proc/threads.h"
#include "remote/remote.h"
#include "remote/tracee.h"

static void check_untouched(struct victim *v)
{
	struct thread_status st;

	assert_int_equal(thread_read_status(v->pid, v->pid, &st), 0);
	assert_int_equal(st.tracer, 0);
	victim_check(v);
}

/* A thread that is not the target's is let go, also when a signal came in between. */
static void stop_only_own_threads(void **state)
{
	static const enum victim_kind kinds[] = {VICTIM_SPIN, VICTIM_TICKS, VICTIM_NANOSLEEP};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct victim v;

		victim_start(&v, kinds[i]);
		for (int n = 0; n < 50; n++)
			assert_int_equal(
				tracee_stop(getpid(), v.pid, 0, clock_ns() + TRACEE_LIMIT_NS),
				-ESRCH);
		check_untouched(&v);
		assert_int_equal(tracee_stop(v.pid, v.pid, 0, clock_ns() + TRACEE_LIMIT_NS), 0);
		assert_int_equal(tracee_detach(v.pid, 0), 0);
		check_untouched(&v);
		victim_stop(&v);
	}
}

/* A child with just this PID: clone3(2) gives it to those who may (CAP_SYS_ADMIN). */
static pid_t start_with_pid(pid_t pid)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&pid, .set_tid_size = 1};
	pid_t got = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (got)
		return got;
	for (;;)
		pause();
}

/* What tells two processes apart is when they began, in ticks. */
static void wait_a_tick(pid_t pid)
{
	uint64_t start, now = 0, ns = NSEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK);
	struct timespec t;

	assert_int_equal(proc_start_time(pid, &start), 0);
	while (now < (start + 2) * ns) {
		usleep(1000);
		clock_gettime(CLOCK_BOOTTIME, &t);
		now = (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
	}
}

/* The target has ended and its PID is another process's: remote calls into that are refused. */
static void call_only_same_process(void **state)
{
	struct thread_status st;
	struct victim v;
	struct remote *w;
	pid_t pid;

	(void)state;
	victim_start(&v, VICTIM_SPIN);
	pid = v.pid;
	assert_int_equal(remote_ptrace_open(pid, &w), 0);
	assert_int_equal(remote_begin(w), 0);
	assert_int_equal(remote_end(w), 0);
	wait_a_tick(pid);
	victim_stop(&v);
	assert_int_equal(start_with_pid(pid), pid);
	assert_int_equal(remote_begin(w), -ESRCH);
	assert_int_equal(thread_read_status(pid, pid, &st), 0);
	assert_int_equal(st.tracer, 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(remote_begin(w), -ESRCH);
	remote_close(w);
	assert_int_equal(remote_ptrace_open(pid, &w), -ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stop_only_own_threads),
		cmocka_unit_test(call_only_same_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
