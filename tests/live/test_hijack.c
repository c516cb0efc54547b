// SPDX-License-Identifier: MIT
/* One thread of another process makes remote calls for us, and nobody there notices. */
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "remote/hijack.h"
#include "proc/threads.h"
#include "lib/victim.h"

#define ROUNDS 15

static const uint64_t no_args[6];

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
}

static uint64_t code_of(void (*fn)(void))
{
	return (uint64_t)(uintptr_t)fn;
}

static struct hijack *open_ok(pid_t pid)
{
	struct hijack *h = NULL;

	assert_int_equal(hijack_open(pid, &h), 0);
	return h;
}

static int64_t call_ok(struct hijack *h, long nr, const uint64_t args[static 6])
{
	int64_t res = -1;

	assert_int_equal(hijack_syscall(h, nr, args, &res), 0);
	return res;
}

/* A system call runs in the target, whatever the thread is doing, and its result arrives. */
static void syscall_each_kind(void **state)
{
	(void)state;
	for (int kind = 0; kind < VICTIM_KINDS; kind++) {
		struct victim v;

		victim_start(&v, (enum victim_kind)kind);
		for (int i = 0; i < ROUNDS; i++) {
			struct hijack *h = open_ok(v.pid);

			assert_int_equal(call_ok(h, SYS_getpid, no_args), v.pid);
			assert_int_equal(call_ok(h, 9999, no_args), -ENOSYS);
			assert_int_equal(call_ok(h, SYS_gettid, no_args), hijack_tid(h));
			assert_int_equal(hijack_close(h), 0);
		}
		victim_check(&v);
		victim_stop(&v);
	}
}

/* A function runs in the target, one that makes system calls too, as often as it is called. */
static void call_each_kind(void **state)
{
	(void)state;
	for (int kind = 0; kind < VICTIM_KINDS; kind++) {
		struct victim v;

		victim_start(&v, (enum victim_kind)kind);
		for (int i = 0; i < ROUNDS; i++) {
			struct hijack *h = open_ok(v.pid);

			assert_int_equal(hijack_call(h, code_of(victim_count), no_args), 0);
			assert_int_equal(hijack_call(h, code_of(victim_count_syscall), no_args), 0);
			assert_int_equal(call_ok(h, SYS_getpid, no_args), v.pid);
			assert_int_equal(v.shared->calls, 2 * i + 2);
			assert_int_equal(hijack_close(h), 0);
		}
		victim_check(&v);
		victim_stop(&v);
	}
}

/* A function that touches memory it may not is given up, and the target never hears of it. */
static void call_that_faults(void **state)
{
	struct victim v;
	struct hijack *h;

	(void)state;
	victim_start(&v, VICTIM_SPIN);
	h = open_ok(v.pid);
	assert_int_equal(hijack_call(h, code_of(victim_fault), no_args), -EFAULT);
	assert_int_equal(call_ok(h, SYS_getpid, no_args), v.pid);
	assert_int_equal(hijack_call(h, code_of(victim_count), no_args), 0);
	assert_int_equal(hijack_close(h), 0);
	victim_check(&v);
	victim_stop(&v);
}

/* What hijack_scratch() puts down can be read by a system call, and leaves no trace. */
static void scratch_is_readable(void **state)
{
	uint64_t args[6] = {0, 1}, addr;
	struct victim v;
	struct hijack *h;
	char name[] = "hotprobe-scratch", link[64], path[64];
	int64_t fd;
	ssize_t n;

	(void)state;
	victim_start(&v, VICTIM_FUTEX);
	h = open_ok(v.pid);
	assert_int_equal(hijack_scratch(h, name, sizeof(name), &addr), 0);
	args[0] = addr;
	fd = call_ok(h, SYS_memfd_create, args);
	assert_true(fd >= 0);
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", v.pid, (int)fd);
	n = readlink(path, link, sizeof(link) - 1);
	assert_true(n > 0);
	link[n] = '\0';
	assert_string_equal(link, "/memfd:hotprobe-scratch (deleted)");
	assert_int_equal(hijack_scratch(h, name, HIJACK_SCRATCH + 1, &addr), -EFAULT);
	assert_int_equal(hijack_close(h), 0);
	victim_check(&v);
	victim_stop(&v);
}

/* --- which thread ----------------------------------------------------------------------------- */

/* The primordial thread is taken if it sleeps in a futex, as the Java launcher's does. */
static void open_prefers_primordial(void **state)
{
	struct victim v;
	struct hijack *h;

	(void)state;
	victim_start(&v, VICTIM_THREADS_ALL);
	h = open_ok(v.pid);
	assert_int_equal(hijack_tid(h), v.pid);
	assert_true(hijack_paused_ns(h) > 0);
	assert_int_equal(hijack_close(h), 0);
	victim_stop(&v);
}

static pid_t sleepers[3];

static void *named_sleeper(void *name)
{
	prctl(PR_SET_NAME, name);
	sleepers[__atomic_fetch_add(&victim_shared->calls, 1, __ATOMIC_SEQ_CST)] = gettid();
	for (;;)
		syscall(SYS_futex, &victim_shared->futex, 0, 0, NULL, NULL, 0);
	return NULL;
}

static void start_sleepers(void)
{
	static char names[ARRAY_SIZE(sleepers)][THREAD_COMM_MAX] = {"worker", "VM Thread", "other"};
	pthread_t t;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		pthread_create(&t, NULL, named_sleeper, names[i]);
	while (victim_shared->calls < ARRAY_SIZE(names))
		sched_yield();
	for (size_t i = 0; i < ARRAY_SIZE(sleepers); i++) {
		while (!__atomic_load_n(&sleepers[i], __ATOMIC_SEQ_CST))
			sched_yield();
		victim_wait_state(getpid(), sleepers[i], 'S');
	}
}

static void primordial_gone(struct victim *v)
{
	start_sleepers();
	victim_ready(v);
	pthread_exit(NULL);
}

static void read_comm(pid_t pid, pid_t tid, char comm[static THREAD_COMM_MAX])
{
	struct thread_info t;

	assert_int_equal(thread_read(pid, tid, &t), 0);
	memcpy(comm, t.comm, sizeof(t.comm));
}

/* A primordial thread that has ended is left alone; HotSpot's own threads come next. */
static void open_without_primordial(void **state)
{
	char comm[THREAD_COMM_MAX];
	struct victim v;
	struct hijack *h;

	(void)state;
	victim_start_fn(&v, primordial_gone);
	victim_wait_state(v.pid, v.pid, 'Z');
	h = open_ok(v.pid);
	read_comm(v.pid, hijack_tid(h), comm);
	assert_string_equal(comm, "VM Thread");
	assert_int_equal(call_ok(h, SYS_getpid, no_args), v.pid);
	assert_int_equal(hijack_close(h), 0);
	victim_stop(&v);
}

static void vforking(struct victim *v)
{
	pid_t pid = getpid();

	start_sleepers();
	victim_ready(v);
	if (!vfork()) {
		syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
		/* The parent may be dead by now: then no signal comes. */
		while (syscall(SYS_getppid) == pid)
			syscall(SYS_pause);
		_exit(0);
	}
}

#define TRIES_MAX 50 /* of what a busy machine may make slow, but not each time */

/* A thread that waits in vfork() would not stop, for two seconds: it is not even tried. */
static void open_beside_vfork(void **state)
{
	uint64_t best = UINT64_MAX;
	struct victim v;

	(void)state;
	victim_start_fn(&v, vforking);
	victim_wait_state(v.pid, v.pid, 'D');
	for (int i = 0; i < TRIES_MAX && best >= NSEC_PER_SEC; i++) {
		uint64_t began = now_ns();
		struct hijack *h = open_ok(v.pid);

		assert_int_not_equal(hijack_tid(h), v.pid);
		assert_int_equal(hijack_close(h), 0);
		best = MIN(best, now_ns() - began);
	}
	assert_true(best < NSEC_PER_SEC);
	victim_stop(&v);
}

static char alt_stack[65536];

static void park(int sig)
{
	(void)sig;
	victim_shared->signals++;
	while (!victim_shared->release)
		syscall(SYS_futex, &victim_shared->release, 0, 0, NULL, NULL, 0);
}

static void on_alternate_stack(struct victim *v)
{
	stack_t s = {.ss_sp = alt_stack, .ss_size = sizeof(alt_stack)};
	struct sigaction sa = {.sa_handler = park, .sa_flags = SA_ONSTACK};

	sigaltstack(&s, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	victim_ready(v);
	raise(SIGUSR1);
}

/* A thread in a handler on another stack is not borrowed: who knows where that stack ends. */
static void open_on_alternate_stack(void **state)
{
	struct victim v;
	struct hijack *h;

	(void)state;
	victim_start_fn(&v, on_alternate_stack);
	victim_wait_for(&v.shared->signals, 1);
	assert_int_equal(hijack_open(v.pid, &h), -EAGAIN);
	victim_stop(&v);
}

/* No process: -ESRCH. A process that somebody else traces: -EPERM, at once. */
static void open_refusals(void **state)
{
	struct victim v;
	struct hijack *h;
	int pipefd[2], status;
	char c;
	pid_t tracer;

	(void)state;
	assert_int_equal(hijack_open(0x3fffff, &h), -ESRCH);
	victim_start(&v, VICTIM_FUTEX);
	assert_int_equal(pipe(pipefd), 0);
	tracer = victim_fork();
	if (!tracer) {
		ptrace(PTRACE_SEIZE, v.pid, 0, 0);
		if (write(pipefd[1], "x", 1) == 1)
			pause();
		_exit(0);
	}
	assert_int_equal(read(pipefd[0], &c, 1), 1);
	assert_int_equal(hijack_open(v.pid, &h), -EPERM);
	kill(tracer, SIGKILL);
	assert_int_equal(waitpid(tracer, &status, 0), tracer);
	assert_int_equal(hijack_close(open_ok(v.pid)), 0);
	victim_check(&v);
	victim_stop(&v);
	close(pipefd[0]);
	close(pipefd[1]);
}

static void filtered(struct victim *v)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_memfd_create, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {ARRAY_SIZE(code), code};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		victim_error(__LINE__);
	victim_ready(v);
	victim_sleeper(v, VICTIM_NANOSLEEP);
}

/* A seccomp filter that would kill the target for what we do is not asked, or we do nothing. */
static void open_under_seccomp(void **state)
{
	uint64_t args[6] = {0}, addr;
	struct victim v;
	struct hijack *h;
	int err;

	(void)state;
	victim_start_fn(&v, filtered);
	err = hijack_open(v.pid, &h);
	if (!err) {
		assert_int_equal(hijack_scratch(h, "x", 2, &addr), 0);
		args[0] = addr;
		assert_true(call_ok(h, SYS_memfd_create, args) >= 0);
		assert_int_equal(hijack_close(h), 0);
	} else {
		assert_int_equal(err, -EOPNOTSUPP);
	}
	victim_check(&v);
	victim_stop(&v);
}

/* --- what the target would notice ------------------------------------------------------------- */

static void long_sleep(struct victim *v)
{
	struct timespec t = {0, 100 * (long)NSEC_PER_MSEC};

	victim_ready(v);
	if (nanosleep(&t, NULL))
		victim_error(__LINE__);
	victim_shared->beats = now_ns();
	pause();
}

/* Return: how long the sleep of 100 ms was that was interrupted @times_ret times. */
static uint64_t sleep_interrupted(int *times_ret)
{
	struct victim v;
	uint64_t began = now_ns(), slept;
	int times = 0;

	victim_start_fn(&v, long_sleep);
	for (; !v.shared->beats && times < 100000; times++) {
		struct hijack *h = open_ok(v.pid);

		call_ok(h, SYS_getpid, no_args);
		assert_int_equal(hijack_close(h), 0);
	}
	slept = v.shared->beats - began;
	assert_int_equal(v.shared->errors, 0);
	assert_true(slept >= 100 * NSEC_PER_MSEC);
	victim_stop(&v);
	*times_ret = times;
	return slept;
}

/* A relative sleep that is interrupted again and again ends when it would have ended anyway. */
static void close_resumes_sleep(void **state)
{
	uint64_t slept;
	int times, tries = 0;

	(void)state;
	do {
		assert_true(tries++ < TRIES_MAX);
		slept = sleep_interrupted(&times);
	} while (times <= 10 || slept > 200 * NSEC_PER_MSEC);
}

static void note_signal(int sig, siginfo_t *info, void *ctx)
{
	(void)ctx;
	victim_shared->siginfo = *info;
	victim_shared->signals += (uint64_t)(sig != 0);
}

static void handles_signals(struct victim *v)
{
	static const int sigs[] = {SIGUSR1, SIGSEGV, SIGTERM};
	struct sigaction sa = {.sa_sigaction = note_signal, .sa_flags = SA_SIGINFO | SA_RESTART};

	for (size_t i = 0; i < ARRAY_SIZE(sigs); i++)
		sigaction(sigs[i], &sa, NULL);
	victim_ready(v);
	victim_sleeper(v, VICTIM_SPIN);
}

static void send_during(int sig)
{
	union sigval value = {.sival_int = 4711};
	struct victim v;
	struct hijack *h;

	victim_start_fn(&v, handles_signals);
	h = open_ok(v.pid);
	call_ok(h, SYS_getpid, no_args);
	assert_int_equal(sigqueue(v.pid, sig, value), 0);
	call_ok(h, SYS_getpid, no_args);
	assert_int_equal(hijack_call(h, code_of(victim_count), no_args), 0);
	assert_int_equal(v.shared->signals, 0);
	assert_int_equal(hijack_close(h), 0);
	victim_wait_for(&v.shared->signals, 1);
	assert_int_equal(v.shared->siginfo.si_signo, sig);
	assert_int_equal(v.shared->siginfo.si_code, SI_QUEUE);
	assert_int_equal(v.shared->siginfo.si_pid, getpid());
	assert_int_equal(v.shared->siginfo.si_value.sival_int, 4711);
	victim_check(&v);
	assert_int_equal(v.shared->signals, 1);
	assert_int_equal(v.shared->calls, 1);
	victim_stop(&v);
}

/* A signal that arrives while we have the thread is handled afterwards, once, unchanged. */
static void signal_waits(void **state)
{
	(void)state;
	send_during(SIGUSR1);
	send_during(SIGTERM);
	send_during(SIGSEGV); /* this one is not blocked meanwhile */
}

/* A target that is killed in our hands: -ESRCH from then on, and no zombie is kept. */
static void target_killed(void **state)
{
	struct victim v;
	struct hijack *h;
	int64_t res;

	(void)state;
	victim_start(&v, VICTIM_THREADS_ALL);
	h = open_ok(v.pid);
	call_ok(h, SYS_getpid, no_args);
	kill(v.pid, SIGKILL);
	while (hijack_syscall(h, SYS_getpid, no_args, &res) == 0)
		;
	assert_int_equal(hijack_syscall(h, SYS_getpid, no_args, &res), -ESRCH);
	assert_int_equal(hijack_call(h, code_of(victim_count), no_args), -ESRCH);
	assert_int_equal(hijack_close(h), -ESRCH);
	while (hijack_settle())
		usleep(100);
	victim_stop(&v);
	assert_int_equal(hijack_open(v.pid, &h), -ESRCH);
}

/* A process stopped by job control can be worked on, stays stopped, and goes on when continued. */
static void stopped_stays_stopped(void **state)
{
	struct victim v;
	struct hijack *h;
	uint64_t beats;

	(void)state;
	victim_start(&v, VICTIM_SPIN);
	kill(v.pid, SIGSTOP);
	victim_wait_state(v.pid, v.pid, 'T');
	beats = v.shared->beats;
	for (int i = 0; i < ROUNDS; i++) {
		h = open_ok(v.pid);
		assert_int_equal(call_ok(h, SYS_getpid, no_args), v.pid);
		assert_int_equal(hijack_call(h, code_of(victim_count), no_args), 0);
		assert_int_equal(hijack_close(h), 0);
		victim_wait_state(v.pid, v.pid, 'T');
	}
	assert_int_equal(v.shared->beats, beats);
	assert_int_equal(v.shared->calls, ROUNDS);
	kill(v.pid, SIGCONT);
	victim_check(&v);
	victim_stop(&v);
}

/* A stop, or its end, that comes while we work takes effect when we are done. */
static void stop_and_continue_meanwhile(void **state)
{
	struct victim v;
	struct hijack *h;

	(void)state;
	victim_start(&v, VICTIM_NANOSLEEP);
	h = open_ok(v.pid);
	kill(v.pid, SIGSTOP);
	assert_int_equal(call_ok(h, SYS_getpid, no_args), v.pid);
	assert_int_equal(hijack_call(h, code_of(victim_count), no_args), 0);
	assert_int_equal(hijack_close(h), 0);
	victim_wait_state(v.pid, v.pid, 'T');
	h = open_ok(v.pid);
	call_ok(h, SYS_getpid, no_args);
	kill(v.pid, SIGCONT);
	assert_int_equal(hijack_call(h, code_of(victim_count_syscall), no_args), 0);
	call_ok(h, SYS_getpid, no_args);
	assert_int_equal(hijack_close(h), 0);
	victim_check(&v);
	assert_int_equal(v.shared->calls, 2);
	victim_stop(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syscall_each_kind),
		cmocka_unit_test(call_each_kind),
		cmocka_unit_test(call_that_faults),
		cmocka_unit_test(scratch_is_readable),
		cmocka_unit_test(open_prefers_primordial),
		cmocka_unit_test(open_without_primordial),
		cmocka_unit_test(open_beside_vfork),
		cmocka_unit_test(open_on_alternate_stack),
		cmocka_unit_test(open_refusals),
		cmocka_unit_test(open_under_seccomp),
		cmocka_unit_test(close_resumes_sleep),
		cmocka_unit_test(signal_waits),
		cmocka_unit_test(target_killed),
		cmocka_unit_test(stopped_stays_stopped),
		cmocka_unit_test(stop_and_continue_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
