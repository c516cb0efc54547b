// SPDX-License-Identifier: MIT
/* test_memfd.c - taking hold of a memfd of the target, and of nothing else. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "proc/memfd.h"

static int reopen_as(int fd, const char *name)
{
	char path[64], link[64];
	int got = -1, err;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), fd);
	snprintf(link, sizeof(link), "/memfd:%s (deleted)", name);
	err = memfd_reopen(path, link, &got);
	if (!err)
		close(got);
	return err;
}

/* Only a memfd of the right name is opened for writing, whatever the target's link leads to. */
static void memfd_reopen_is_strict(void **state)
{
	int fd = memfd_create("hotprobe.1", MFD_CLOEXEC), fds[2];
	char dir[] = "/dev/shm/hp-test-XXXXXX", path[64], prefixed[80];

	(void)state;
	assert_int_equal(reopen_as(fd, "hotprobe.1"), 0);
	assert_int_equal(reopen_as(fd, "hotprobe"), -EPROTO);
	assert_int_equal(reopen_as(fd, "hotprobe.11"), -EPROTO);
	close(fd);
	assert_int_equal(reopen_as(fd, "hotprobe.1"), -ESRCH);

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(reopen_as(fds[0], "hotprobe.1"), -EPROTO);
	close(fds[0]);
	close(fds[1]);

	/* A deleted file of another tmpfs, whose link ends alike. */
	if (!mkdtemp(dir))
		skip();
	snprintf(path, sizeof(path), "%s/memfd:hotprobe.1", dir);
	fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	unlink(path);
	rmdir(dir);
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), fd);
	memset(prefixed, 0, sizeof(prefixed));
	assert_true(readlink(path, prefixed, sizeof(prefixed) - 1) > 0);
	assert_int_equal(memfd_reopen(path, prefixed, &fds[0]), -EPROTO);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memfd_reopen_is_strict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
