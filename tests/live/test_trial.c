// SPDX-License-Identifier: MIT
/*
 * test_trial.c - what the agent finds out of a seccomp filter before it makes a system call: all
 * ways of refusing are seen, none of them ends the process, and nothing of the trial stays.
 */
#include <dirent.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "jvmagent/trial.h"
#include "lib/filter.h"
#include "lib/victim.h"
#include "proc/maps.h"

struct verdict {
	int err;
	bool deadly;
	struct trial trial;
	int left; /* descriptors and children that are there afterwards and were not before */
};

struct filter {
	long nr;
	unsigned int arg;
	uint32_t bits, action;
};

static struct verdict *verdict; /* shared with the process that has the filter */

static int count_entries(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

static void on_signal(int sig)
{
	(void)sig;
	_exit(98); /* the program's handler has no business in a trial */
}

static void try_it(const struct filter *f, size_t n)
{
	int fds = count_entries("/proc/self/fd");

	signal(SIGSYS, on_signal);
	signal(SIGCHLD, on_signal);
	for (size_t i = 0; i < n; i++) {
		/* A listener for USER_NOTIF, that nobody reads. */
		bool asks = f[i].action == SECCOMP_RET_USER_NOTIF;
		int fd = filter_install(f[i].nr, f[i].arg, f[i].bits, f[i].action,
					asks ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0);

		if (fd < 0)
			_exit(97);
		fds += asks;
	}
	verdict->err = trial_run(TRIAL_ALL, &verdict->trial);
	verdict->deadly = trial_deadly();
	verdict->left = count_entries("/proc/self/fd") - fds;
	verdict->left += waitpid(-1, NULL, __WALL | WNOHANG) != -1 || errno != ECHILD;
	_exit(0);
}

/* In a process of its own, which must survive it. */
static const struct verdict *run(const struct filter *f, size_t n)
{
	int status;
	pid_t pid;

	*verdict = (struct verdict){.err = 1};
	pid = fork();
	if (!pid)
		try_it(f, n);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(verdict->left, 0);
	return verdict;
}

static int setup(void **state)
{
	(void)state;
	verdict = mmap(NULL, sizeof(*verdict), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	return verdict == MAP_FAILED;
}

/* Without a filter, and with one that allows what we do, there is nothing to fear. */
static void trial_allows(void **state)
{
	const struct filter other = {SYS_reboot, 0, 0, SECCOMP_RET_KILL_PROCESS};
	const struct filter logs = {SYS_memfd_create, 0, 0, SECCOMP_RET_LOG};

	(void)state;
	assert_int_equal(run(NULL, 0)->err, 0);
	assert_false(verdict->deadly);
	assert_int_equal(run(&other, 1)->err, 0);
	assert_false(verdict->deadly);
	assert_int_equal(run(&logs, 1)->err, 0);
}

/* A filter that answers with an error: which call and which error; that ends nothing. */
static void trial_sees_errors(void **state)
{
	static const long calls[] = {SYS_memfd_create, SYS_mmap,    SYS_munmap, SYS_membarrier,
				     SYS_close,	       SYS_accept4, SYS_sendmsg};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		const struct filter f = {calls[i], calls[i] == SYS_mmap ? 3 : 0,
					 calls[i] == SYS_mmap ? MAP_SHARED
					 : calls[i] == SYS_close
						 ? 1u << 31 /* keep the test going */
						 : 0,
					 SECCOMP_RET_ERRNO | EACCES};

		assert_int_equal(run(&f, 1)->err, -EPERM);
		assert_int_equal(verdict->trial.nr, calls[i]);
		assert_int_equal(verdict->trial.error, EACCES);
		assert_false(verdict->deadly);
	}
}

/* One that kills, in each way there is, that sends a signal, or that asks somebody who is silent.
 */
static void trial_survives(void **state)
{
	static const uint32_t actions[] = {SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD,
					   SECCOMP_RET_TRAP, SECCOMP_RET_USER_NOTIF};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		const struct filter f = {SYS_memfd_create, 0, 0, actions[i]};

		assert_int_equal(run(&f, 1)->err, -EPERM);
		assert_int_equal(verdict->trial.nr, SYS_memfd_create);
		assert_int_equal(verdict->trial.error, 0);
		assert_true(verdict->deadly);
	}
}

/* By arguments, as of code that is mapped to be executed; and what kills counts more than errors.
 */
static void trial_sees_arguments(void **state)
{
	const struct filter both[] = {
		{SYS_memfd_create, 0, 0, SECCOMP_RET_ERRNO | EPERM},
		{SYS_mmap, 2, PROT_EXEC, SECCOMP_RET_KILL_PROCESS},
	};

	(void)state;
	assert_int_equal(run(&both[1], 1)->err, -EPERM);
	assert_int_equal(verdict->trial.nr, SYS_mmap);
	assert_true(verdict->deadly);
	assert_int_equal(run(both, 2)->err, -EPERM);
	assert_int_equal(verdict->trial.nr, SYS_mmap);
	assert_int_equal(verdict->trial.error, 0);
}

/* One that comes later is seen before the next call. */
static void trial_sees_new_filters(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (!pid) {
		bool before = trial_deadly(), after, later;

		filter_install(SYS_reboot, 0, 0, SECCOMP_RET_KILL_PROCESS, 0);
		after = trial_deadly();
		filter_install(SYS_munmap, 1, 0, SECCOMP_RET_KILL_PROCESS, 0);
		later = trial_deadly();
		_exit(before | after << 1 | later << 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trial_allows),		  cmocka_unit_test(trial_sees_errors),
		cmocka_unit_test(trial_survives),	  cmocka_unit_test(trial_sees_arguments),
		cmocka_unit_test(trial_sees_new_filters),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
