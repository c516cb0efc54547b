// SPDX-License-Identifier: MIT
/*
 * hotprobe is killed while it has a thread of the target in its hands: the thread must return by
 * itself, with everything as it was. HP_CRASHES=N makes the random part longer.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "remote/hijack.h"
#include "remote/tracee.h"
#include "lib/victim.h"

#define STEPS_MAX 1000

#define ERESTART_RESTARTBLOCK 516 /* kernel include/linux/errno.h */

#define CRASHES	      100
#define CRASH_LATE_US 600

static int steps_left;

static void die_at_step(void)
{
	if (--steps_left == 0)
		kill(getpid(), SIGKILL);
}

static const uint64_t no_args[6];

/* Everything hotprobe ever does with a thread. Return: 0; a line where it went wrong. */
static int remote_calls(pid_t pid)
{
	const uint64_t mmap_args[6] = {
		0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0};
	static const uint8_t text[HIJACK_SCRATCH] = "text";
	uint64_t unmap_args[6] = {0, 4096}, addr;
	struct hijack *h;
	int64_t res;

	/* The second time the thread has hardly left our hands. */
	if (hijack_open(pid, &h) || hijack_close(h) || hijack_open(pid, &h))
		return __LINE__;
	if (hijack_syscall(h, SYS_getpid, no_args, &res) || res != pid)
		return __LINE__;
	if (hijack_scratch(h, text, sizeof(text), &addr))
		return __LINE__;
	if (hijack_call(h, (uint64_t)(uintptr_t)victim_count, no_args))
		return __LINE__;
	if (hijack_syscall(h, SYS_mmap, mmap_args, &res) || res < 0)
		return __LINE__;
	if (hijack_call(h, (uint64_t)(uintptr_t)victim_count_syscall, no_args))
		return __LINE__;
	unmap_args[0] = (uint64_t)res;
	if (hijack_syscall(h, SYS_munmap, unmap_args, &res) || res)
		return __LINE__;
	return hijack_close(h) ? __LINE__ : 0;
}

/* Return: wait status of a tracer that was to be killed at @step. */
static int tracer(pid_t pid, int step)
{
	int status;
	pid_t child = victim_fork();

	if (!child) {
		steps_left = step;
		hijack_step = die_at_step;
		_exit(remote_calls(pid) & 0xff);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void crash_everywhere(enum victim_kind kind)
{
	struct victim v;
	int step = 1;

	victim_start(&v, kind);
	for (; step < STEPS_MAX; step++) {
		int status = tracer(v.pid, step);

		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			break;
		}
		assert_int_equal(WTERMSIG(status), SIGKILL);
		victim_check(&v);
	}
	assert_in_range(step, 40, STEPS_MAX - 1);
	victim_stop(&v);
}

/* Killed between any two operations, in a thread that computes: no register is changed. */
static void crash_spin(void **state)
{
	(void)state;
	crash_everywhere(VICTIM_SPIN);
}

/* ... in a thread that handles a signal every 200 us: every signal is handled. */
static void crash_ticks(void **state)
{
	(void)state;
	crash_everywhere(VICTIM_TICKS);
}

/* ... in a thread asleep in a futex: it sleeps on, and wakes when it is woken. */
static void crash_futex(void **state)
{
	(void)state;
	crash_everywhere(VICTIM_FUTEX);
}

/* ... with an absolute timeout, as HotSpot's threads sleep: it wakes on time, without EINTR. */
static void crash_futex_timed(void **state)
{
	(void)state;
	crash_everywhere(VICTIM_FUTEX_TIMED);
}

/* ... in nanosleep() and in poll() with a timeout: neither is short, neither sees EINTR. */
static void crash_relative_timeouts(void **state)
{
	(void)state;
	crash_everywhere(VICTIM_NANOSLEEP);
	crash_everywhere(VICTIM_POLL_TIMED);
}

/*
 * What the kernel does to a sleep that was interrupted, just before it lets the thread go on: here
 * it is done to a thread that job control keeps stopped, which makes that moment last.
 */
static void about_to_restart(pid_t pid)
{
	struct user_regs_struct r;

	kill(pid, SIGSTOP);
	victim_wait_state(pid, pid, 'T');
	assert_int_equal(tracee_stop(pid, pid, 0, clock_ns() + TRACEE_LIMIT_NS), 0);
	assert_int_equal(tracee_ptrace(pid, PTRACE_GETREGS, 0, (uint64_t)(uintptr_t)&r), 0);
	if ((int64_t)r.rax == -ERESTART_RESTARTBLOCK) {
		r.rax = SYS_restart_syscall;
		r.rip -= 2;
	}
	assert_int_equal(tracee_ptrace(pid, PTRACE_SETREGS, 0, (uint64_t)(uintptr_t)&r), 0);
	assert_int_equal(tracee_detach(pid, 0), 0);
	victim_wait_state(pid, pid, 'T');
}

/* ... in sleeps that were interrupted before and are just about to go on. */
static void crash_before_sleep_resumes(void **state)
{
	static const enum victim_kind kinds[] = {VICTIM_NANOSLEEP, VICTIM_POLL_TIMED,
						 VICTIM_FUTEX_TIMED};

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct victim v;

		victim_start(&v, kinds[k]);
		for (int step = 20; step < 40; step++) {
			about_to_restart(v.pid);
			assert_true(WIFSIGNALED(tracer(v.pid, step)));
			kill(v.pid, SIGCONT);
			victim_check(&v);
		}
		victim_stop(&v);
	}
}

/* ... in poll(), ppoll() and read() without a timeout: they end when there is something to read. */
static void crash_reads(void **state)
{
	(void)state;
	crash_everywhere(VICTIM_POLL);
	crash_everywhere(VICTIM_PPOLL);
	crash_everywhere(VICTIM_READ);
}

/* ... in a process of many threads, whose primordial one is taken. */
static void crash_threads(void **state)
{
	(void)state;
	crash_everywhere(VICTIM_THREADS_ALL);
}

static int crashes_wanted(void)
{
	const char *s = getenv("HP_CRASHES");

	return s ? atoi(s) : CRASHES;
}

/* Killed at a random moment, not only between two operations. */
static void crash_random(void **state)
{
	unsigned int seed = (unsigned int)time(NULL) ^ (unsigned int)getpid();
	struct victim v[VICTIM_KINDS];

	(void)state;
	print_message("seed %u\n", seed);
	for (int k = 0; k < VICTIM_KINDS; k++) {
		victim_start(&v[k], (enum victim_kind)k);
		for (int i = 0; i < crashes_wanted() / VICTIM_KINDS; i++) {
			int status;
			pid_t child = victim_fork();

			if (!child) {
				int line = 0;

				while (!line)
					line = remote_calls(v[k].pid);
				_exit(line & 0xff);
			}
			usleep((unsigned int)rand_r(&seed) % CRASH_LATE_US);
			kill(child, SIGKILL);
			assert_int_equal(waitpid(child, &status, 0), child);
			assert_true(WIFSIGNALED(status));
			if (i % 8 == 0)
				victim_check(&v[k]);
		}
		victim_check(&v[k]);
		victim_check(&v[k]);
		victim_stop(&v[k]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crash_spin),
		cmocka_unit_test(crash_ticks),
		cmocka_unit_test(crash_futex),
		cmocka_unit_test(crash_futex_timed),
		cmocka_unit_test(crash_relative_timeouts),
		cmocka_unit_test(crash_before_sleep_resumes),
		cmocka_unit_test(crash_reads),
		cmocka_unit_test(crash_threads),
		cmocka_unit_test(crash_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
