// SPDX-License-Identifier: MIT
/* test_fds.c - what a forked process keeps of its parent's descriptors. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/fds.h"

#define FDS 40

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static bool is_null(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

/* Every other one, the first and the last among them, in no order, and one twice. */
static int check_kept(int first)
{
	int keep[FDS / 2 + 2] = {-1}, n = 1;

	for (int i = FDS - 1; i > 0; i -= 2)
		keep[n++] = first + i;
	keep[n++] = first + 1;
	fds_keep(keep, (size_t)n);
	for (int i = 0; i < FDS; i++)
		if (is_open(first + i) != (i % 2 == 1))
			return 1;
	for (int fd = 3; fd < first; fd++)
		if (is_open(fd))
			return 2;
	for (int fd = first + FDS; fd < first + 3 * FDS; fd++)
		if (is_open(fd))
			return 3;
	return is_null(0) && is_null(1) && is_open(2) ? 0 : 4;
}

/* What is named stays open, and nothing else does. */
static void fds_keep_closes_the_others(void **state _unused_)
{
	int first = fcntl(0, F_DUPFD_CLOEXEC, 100), status;
	pid_t pid;

	for (int i = 1; i < 2 * FDS; i++)
		assert_int_equal(fcntl(0, F_DUPFD_CLOEXEC, first + i), first + i);
	pid = fork();
	if (pid == 0)
		_exit(check_kept(first));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close_range((unsigned int)first, (unsigned int)first + 2 * FDS - 1, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fds_keep_closes_the_others),
	};

	return cmocka_run_group_tests_name("fds", tests, NULL, NULL);
}
