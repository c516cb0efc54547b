// SPDX-License-Identifier: MIT
/* Is any thread of another process still inside a range of code? */
#include <linux/futex.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "remote/hijack.h"
#include "remote/threads_outside.h"
#include "lib/victim.h"

#define RANGE	    4096
#define SLEEPERS    200
#define CALLER	    64 /* where code_call lies in the range */
#define PATIENCE_NS (60 * NSEC_PER_SEC)

/* 1: pause; cmpl $0,(%rdi); je 1b; ret */
static const uint8_t code_spin[] = {0xf3, 0x90, 0x83, 0x3f, 0x00, 0x74, 0xf9, 0xc3};
/* sub $8,%rsp; call *%rsi; add $8,%rsp; ret */
static const uint8_t code_call[] = {0x48, 0x83, 0xec, 0x08, 0xff, 0xd6,
				    0x48, 0x83, 0xc4, 0x08, 0xc3};

typedef void inside_fn(volatile uint32_t *release, void (*fn)(void));

static uint8_t *range;

static int setup(void **state)
{
	(void)state;
	range = mmap(NULL, RANGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		     -1, 0);
	if (range == MAP_FAILED)
		return -1;
	memcpy(range, code_spin, sizeof(code_spin));
	memcpy(range + CALLER, code_call, sizeof(code_call));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return munmap(range, RANGE);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
}

static int outside(pid_t pid)
{
	return threads_outside(pid, (uint64_t)(uintptr_t)range, (uint64_t)(uintptr_t)range + RANGE);
}

static void sleep_until_released(void)
{
	__atomic_fetch_add(&victim_shared->calls, 1, __ATOMIC_SEQ_CST);
	while (!victim_shared->release)
		syscall(SYS_futex, &victim_shared->release, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static void spin_until_released(void)
{
	victim_shared->calls++;
	while (!victim_shared->release)
		asm volatile("pause");
}

static void release(struct victim *v)
{
	v->shared->release = 1;
	syscall(SYS_futex, &v->shared->release, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
	victim_wait_for(&v->shared->beats, 1);
}

static void go_inside(void)
{
	((inside_fn *)(uintptr_t)range)(&victim_shared->release, NULL);
}

static void finish(void)
{
	victim_shared->beats = 1;
	for (;;)
		pause();
}

/* Seen inside, whatever @fn does there, until it is released. */
static void check_inside(void (*fn)(struct victim *v), uint64_t signals)
{
	uint64_t until = now_ns() + PATIENCE_NS;
	struct victim v;

	victim_start_fn(&v, fn);
	while (outside(v.pid) == 1) /* on its way */
		assert_true(now_ns() < until);
	victim_wait_for(&v.shared->signals, signals);
	for (int i = 0; i < 5; i++)
		assert_int_equal(outside(v.pid), 0);
	release(&v);
	assert_int_equal(outside(v.pid), 1);
	assert_int_equal(v.shared->errors, 0);
	victim_stop(&v);
}

static void spins_inside(struct victim *v)
{
	victim_ready(v);
	go_inside();
	finish();
}

/* A thread whose program counter is in the range is inside. */
static void inside_running(void **state)
{
	(void)state;
	check_inside(spins_inside, 0);
}

static void sleeps_below(struct victim *v)
{
	victim_ready(v);
	((inside_fn *)(uintptr_t)(range + CALLER))(NULL, sleep_until_released);
	finish();
}

static void spins_below(struct victim *v)
{
	victim_ready(v);
	((inside_fn *)(uintptr_t)(range + CALLER))(NULL, spin_until_released);
	finish();
}

/*
 * A mere return address into the range counts for nothing: slots call nothing, and stale ones lie
 * about on the stacks of all threads that passed the kernel's uprobe trampoline.
 */
static void outside_called(void **state)
{
	static void (*const fns[])(struct victim * v) = {sleeps_below, spins_below};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fns); i++) {
		struct victim v;

		victim_start_fn(&v, fns[i]);
		while (!v.shared->calls)
			usleep(20);
		for (int k = 0; k < 5; k++)
			assert_int_equal(outside(v.pid), 1);
		release(&v);
		victim_stop(&v);
	}
}

static void on_signal_sleep(int sig)
{
	(void)sig;
	victim_shared->signals++;
	sleep_until_released();
}

static void on_signal_spin(int sig)
{
	(void)sig;
	victim_shared->signals++;
	spin_until_released();
}

static void interrupted_inside(struct victim *v, void (*handler)(int), int flags)
{
	static char alt[65536];
	stack_t s = {.ss_sp = alt, .ss_size = sizeof(alt)};
	struct sigaction sa = {.sa_handler = handler, .sa_flags = flags};
	struct itimerval it = {
		.it_value = {0, 1000}}; /* of its own time, so it is inside by then */

	sigaltstack(&s, NULL);
	sigaction(SIGVTALRM, &sa, NULL);
	victim_ready(v);
	setitimer(ITIMER_VIRTUAL, &it, NULL);
	go_inside();
	if (!victim_shared->signals)
		victim_error(__LINE__);
	finish();
}

static void interrupted_sleeps(struct victim *v)
{
	interrupted_inside(v, on_signal_sleep, 0);
}

static void interrupted_spins(struct victim *v)
{
	interrupted_inside(v, on_signal_spin, 0);
}

static void interrupted_elsewhere(struct victim *v)
{
	interrupted_inside(v, on_signal_sleep, SA_ONSTACK);
}

/* A thread in a signal handler that interrupted the range is inside, on whatever stack it runs. */
static void inside_interrupted(void **state)
{
	(void)state;
	check_inside(interrupted_sleeps, 1);
	check_inside(interrupted_spins, 1);
	check_inside(interrupted_elsewhere, 1);
}

static void *sleeper(void *arg)
{
	(void)arg;
	sleep_until_released();
	return NULL;
}

static void many_sleepers(struct victim *v)
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 1 << 17);
	for (int i = 0; i < SLEEPERS; i++)
		if (pthread_create(&t, &attr, sleeper, NULL))
			victim_error(__LINE__);
	while (__atomic_load_n(&victim_shared->calls, __ATOMIC_SEQ_CST) < SLEEPERS)
		sched_yield();
	victim_ready(v);
	sleep_until_released();
}

static int stopped;

static void count_stops(void)
{
	stopped++;
}

/* Threads that sleep are not even stopped, so that many of them cost little. */
static void outside_sleeping(void **state)
{
	struct victim v;
	uint64_t began;

	(void)state;
	victim_start_fn(&v, many_sleepers);
	victim_wait_asleep(v.pid);
	stopped = 0;
	hijack_step = count_stops;
	began = now_ns();
	assert_int_equal(outside(v.pid), 1);
	print_message("%d threads in %llu us\n", SLEEPERS + 1,
		      (unsigned long long)(now_ns() - began) / NSEC_PER_USEC);
	hijack_step = NULL;
	assert_int_equal(stopped, 0);
	assert_int_equal(v.shared->errors, 0);
	victim_stop(&v);
}

/* Threads that compute, and handle signals all the time, are looked at without harm. */
static void outside_computing(void **state)
{
	static const enum victim_kind kinds[] = {VICTIM_SPIN, VICTIM_TICKS, VICTIM_THREADS_ALL};

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct victim v;

		victim_start(&v, kinds[k]);
		for (int i = 0; i < 50; i++)
			assert_int_equal(outside(v.pid), 1);
		victim_check(&v);
		victim_stop(&v);
	}
}

static void primordial_ends(struct victim *v)
{
	pthread_t t;

	if (pthread_create(&t, NULL, sleeper, NULL))
		victim_error(__LINE__);
	victim_ready(v);
	pthread_exit(NULL);
}

/* No process: -ESRCH. Without its primordial thread one is as good as any. A computing thread that
 * somebody else traces cannot be looked at: -EPERM. */
static void outside_refusals(void **state)
{
	struct victim v;
	int ready[2];
	pid_t tracer;
	char c;

	(void)state;
	assert_int_equal(outside(0x3fffff), -ESRCH);
	victim_start(&v, VICTIM_SPIN);
	kill(v.pid, SIGKILL);
	victim_wait_state(v.pid, v.pid, 'Z');
	assert_int_equal(outside(v.pid), -ESRCH);
	victim_stop(&v);
	victim_start_fn(&v, primordial_ends);
	victim_wait_state(v.pid, v.pid, 'Z');
	assert_int_equal(outside(v.pid), 1);
	victim_stop(&v);
	victim_start(&v, VICTIM_SPIN);
	assert_int_equal(pipe(ready), 0);
	tracer = victim_fork();
	if (!tracer) {
		ptrace(PTRACE_SEIZE, v.pid, 0, 0);
		if (write(ready[1], "x", 1) == 1)
			pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(outside(v.pid), -EPERM);
	kill(tracer, SIGKILL);
	assert_int_equal(waitpid(tracer, NULL, 0), tracer);
	assert_int_equal(outside(v.pid), 1);
	victim_check(&v);
	victim_stop(&v);
	close(ready[0]);
	close(ready[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inside_running),     cmocka_unit_test(outside_called),
		cmocka_unit_test(inside_interrupted), cmocka_unit_test(outside_sleeping),
		cmocka_unit_test(outside_computing),  cmocka_unit_test(outside_refusals),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
