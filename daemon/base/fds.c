// SPDX-License-Identifier: MIT
/* fds.c - inherited descriptors. See fds.h. */
#include <fcntl.h>
#include <limits.h>
#include <sys/resource.h>

#include "base/fds.h"

static int compare(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

void fds_complete(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

void fds_keep(int *keep, size_t n)
{
	unsigned int next = STDERR_FILENO + 1;
	int null;

	qsort(keep, n, sizeof(*keep), compare);
	for (size_t i = 0; i < n; i++) {
		if (keep[i] < (int)next)
			continue;
		if ((unsigned int)keep[i] > next)
			close_range(next, (unsigned int)keep[i] - 1, 0);
		next = (unsigned int)keep[i] + 1;
	}
	close_range(next, UINT_MAX, 0);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	if (null > STDERR_FILENO)
		close(null);
}

/* --- enough of them --------------------------------------------------------------------------- */

/* To take probes out: files and folders of /proc, the agent's socket and what it sends. */
#define SPARE 16

static int spare[SPARE];
static size_t n_spare;

void fds_raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int fds_reserve(void)
{
	int err = 0;

	while (n_spare < SPARE && !err) {
		int fd = open("/", O_PATH | O_CLOEXEC);

		if (fd < 0)
			err = -errno;
		else
			spare[n_spare++] = fd;
	}
	if (err)
		fds_release();
	return err;
}

void fds_release(void)
{
	while (n_spare)
		close(spare[--n_spare]);
}
