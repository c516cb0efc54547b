// SPDX-License-Identifier: MIT
/* view.c - look into a process by what it opens for us. See view.h. */
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "proc/view.h"

static bool link_ends(int fd, const char *end)
{
	char self[32], link[MAPS_PATH_MAX];
	size_t len = strlen(end);
	ssize_t n;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	n = readlink(self, link, sizeof(link));
	return n >= (ssize_t)len && !memcmp(link + n - len, end, len);
}

/*
 * A file of procfs with the right name. Whose it is does not matter: a process that wants to show
 * us another's memory can as well copy it. But reading it must end.
 */
static bool is_proc_file(int fd, const char *end)
{
	struct statfs fs;
	struct stat st;

	return link_ends(fd, end) && !fstatfs(fd, &fs) && fs.f_type == PROC_SUPER_MAGIC &&
	       !fstat(fd, &st) && S_ISREG(st.st_mode);
}

static int open_own(struct view *v, const char *path, const char *end, int *fd_ret)
{
	_cleanup_close_ int fd = -1;
	int err = v->open(v, path, &fd);

	if (err)
		return err;
	if (!is_proc_file(fd, end))
		return -EPROTO;
	*fd_ret = take_fd(fd);
	return 0;
}

int view_open_file(struct view *v, const char *path)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int err = v->open(v, path, &fd);

	if (err)
		return err;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return -ENOENT;
	return take_fd(fd);
}

int view_open_mem(struct view *v, struct mem **ret)
{
	int fd, err = open_own(v, PROC_OWN "mem", "/mem", &fd);

	return err ? err : mem_open_fd(fd, ret);
}

int view_open_maps(struct view *v, int *fd_ret)
{
	return open_own(v, PROC_OWN "maps", "/maps", fd_ret);
}

int view_maps(struct view *v, struct maps *ret)
{
	_cleanup_close_ int fd = -1;
	int err = view_open_maps(v, &fd);

	return err ? err : maps_read_fd(fd, ret);
}

size_t view_root(struct view *v, char *buf, size_t size)
{
	_cleanup_close_ int fd = -1;
	char self[32];
	ssize_t n;

	if (v->open(v, "/", &fd))
		return 0;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	n = readlink(self, buf, size);
	return n > 0 && (size_t)n < size ? (size_t)n : 0;
}
