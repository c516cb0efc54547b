// SPDX-License-Identifier: MIT
/* memfd.c - take hold of a memfd of the target. See memfd.h. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "proc/memfd.h"

#define LINK_LEN_MAX 64 /* longer names are not ours */

/* All memfds live on one file system that nobody can mount: our own tells which. */
static int check_device(const struct stat *st)
{
	_cleanup_close_ int fd = memfd_create("hotprobe-device", MFD_CLOEXEC);
	struct stat own;

	if (fd < 0 || fstat(fd, &own))
		return -errno;
	return st->st_dev == own.st_dev ? 0 : -EPROTO;
}

static int check_memfd(const char *self, const struct stat *st, const char *link)
{
	char found[LINK_LEN_MAX] = "";

	if (!S_ISREG(st->st_mode) || st->st_nlink ||
	    readlink(self, found, sizeof(found) - 1) <= 0 || strcmp(found, link))
		return -EPROTO;
	return check_device(st);
}

int memfd_reopen(const char *path, const char *link, int *fd_ret)
{
	/* O_PATH does nothing to the file, and holds it while we look. */
	_cleanup_close_ int seen = open(path, O_PATH | O_CLOEXEC);
	char self[32];
	struct stat st;
	int fd, err;

	if (seen < 0)
		return fail_code(errno);
	snprintf(self, sizeof(self), "/proc/self/fd/%d", seen);
	if (fstat(seen, &st))
		return -errno;
	err = check_memfd(self, &st, link);
	if (err)
		return err;
	fd = open(self, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return fail_code(errno);
	*fd_ret = fd;
	return 0;
}
