// SPDX-License-Identifier: MIT
/* memfd.c - take hold of a memfd of the target. See memfd.h. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "proc/memfd.h"

#define LINK_LEN_MAX 64 /* longer names are not ours */

/* All memfds live on one file system that nobody can mount: our own tells which. */
static bool on_memfd_device(const struct stat *st)
{
	_cleanup_close_ int fd = memfd_create("hotprobe-device", MFD_CLOEXEC);
	struct stat own;

	return fd >= 0 && !fstat(fd, &own) && st->st_dev == own.st_dev;
}

static bool is_memfd(const char *self, const struct stat *st, const char *link)
{
	char found[LINK_LEN_MAX] = "";

	if (!S_ISREG(st->st_mode) || st->st_nlink || !on_memfd_device(st))
		return false;
	return readlink(self, found, sizeof(found) - 1) > 0 && !strcmp(found, link);
}

static int open_errno(void)
{
	return errno == ENOENT || errno == ESRCH ? -ESRCH : errno == EACCES ? -EPERM : -errno;
}

int memfd_reopen(const char *path, const char *link, int *fd_ret)
{
	/* O_PATH does nothing to the file, and holds it while we look. */
	_cleanup_close_ int seen = open(path, O_PATH | O_CLOEXEC);
	char self[32];
	struct stat st;
	int fd;

	if (seen < 0)
		return open_errno();
	snprintf(self, sizeof(self), "/proc/self/fd/%d", seen);
	if (fstat(seen, &st))
		return -errno;
	if (!is_memfd(self, &st, link))
		return -EPROTO;
	fd = open(self, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return open_errno();
	*fd_ret = fd;
	return 0;
}
