// SPDX-License-Identifier: MIT
/* What a target must be to be opened, and what is said when it is not. JVMs are in tests/jvm. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "lib/env.h"
#include "lib/fake_elf.h"
#include "runtime/hotspot/target.h"

static char *dir;

static int setup(void **state)
{
	dir = test_dir();
	return test_setup(state);
}

static int teardown(void **state)
{
	free(dir);
	return test_cleanup(state);
}

static void *map_library(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return fake_library(path);
}

/* Opening @pid fails with @err and one line that contains @text. */
static void assert_refused(pid_t pid, int err, const char *text)
{
	struct target *t = NULL;
	struct fail f = {0};

	assert_int_equal(target_open(pid, &t, &f), err);
	assert_null(t);
	assert_int_equal(f.err, err);
	if (!strstr(f.text, text))
		fail_msg("said: %s", f.text);
}

/* A program without libjvm.so is told at once that it is no JVM. */
static void open_other_program(void **state)
{
	(void)state;
	assert_refused(getpid(), -EOPNOTSUPP, "is not a JVM: no libjvm.so is mapped");
}

/* What does not exist, has ended, or is only a thread is no process. */
static void open_no_process(void **state)
{
	pid_t pid = fork();
	siginfo_t si;

	(void)state;
	assert_true(pid >= 0);
	if (!pid)
		_exit(0);
	assert_int_equal(waitid(P_PID, pid, &si, WEXITED | WNOWAIT), 0);
	assert_refused(pid, -ESRCH, "no such process");
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_refused(pid, -ESRCH, "no such process");
	assert_refused(0, -ESRCH, "no such process");
	assert_refused(-1, -ESRCH, "no such process");
}

static void *open_own_tid(void *arg)
{
	struct target *t = NULL;

	target_open((pid_t)syscall(SYS_gettid), &t, arg);
	return NULL;
}

/* A thread's id is refused, though the process it belongs to could be looked at. */
static void open_thread_id(void **state)
{
	pthread_t thread;
	struct fail f = {0};

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, open_own_tid, &f), 0);
	pthread_join(thread, NULL);
	assert_int_equal(f.err, -ESRCH);
	assert_non_null(strstr(f.text, "no such process"));
}

/* Other JVMs are named. */
static void open_other_jvms(void **state)
{
	void *lib = map_library("libjvm.so"), *mark = map_library("libj9vm29.so");

	(void)state;
	assert_refused(getpid(), -EOPNOTSUPP, "OpenJ9");
	munmap(mark, FAKE_LIBRARY_SIZE);
	mark = map_library("libazsys3.so");
	assert_refused(getpid(), -EOPNOTSUPP, "Zing");
	munmap(mark, FAKE_LIBRARY_SIZE);
	munmap(lib, FAKE_LIBRARY_SIZE);
}

/* A libjvm.so without HotSpot's tables is no HotSpot, whatever its name. */
static void open_without_tables(void **state)
{
	void *lib = map_library("libjvm.so");

	(void)state;
	assert_refused(getpid(), -EOPNOTSUPP, "gHotSpotVMStructs");
	munmap(lib, FAKE_LIBRARY_SIZE);
}

/* Closing nothing is allowed. */
static void close_null(void **state)
{
	(void)state;
	target_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(open_other_program),  cmocka_unit_test(open_no_process),
		cmocka_unit_test(open_thread_id),      cmocka_unit_test(open_other_jvms),
		cmocka_unit_test(open_without_tables), cmocka_unit_test(close_null),
	};

	return cmocka_run_group_tests_name("target", tests, setup, teardown);
}
