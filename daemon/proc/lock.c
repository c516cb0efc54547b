// SPDX-License-Identifier: MIT
/* lock.c - one instance per target. See lock.h. */
#include <fcntl.h>

#include "proc/entry.h"
#include "proc/lock.h"

int lock_file(int fd, pid_t *holder)
{
	struct flock want = {.l_type = F_WRLCK, .l_whence = SEEK_SET}, found = want;

	if (fcntl(fd, F_SETLK, &want) == 0)
		return 0;
	if (errno != EAGAIN && errno != EACCES)
		return -errno;
	*holder = 0;
	if (fcntl(fd, F_GETLK, &found) == 0 && found.l_type != F_UNLCK && found.l_pid > 0)
		*holder = found.l_pid;
	return -EBUSY;
}

int lock_target(pid_t pid, int *fd_ret, pid_t *holder)
{
	_cleanup_close_ int fd = entry_open(pid, "mem", O_RDWR);
	int err;

	if (fd < 0)
		return fd;
	err = lock_file(fd, holder);
	if (err)
		return err;
	*fd_ret = take_fd(fd);
	return 0;
}
