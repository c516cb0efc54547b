/* SPDX-License-Identifier: MIT */
#include "fds.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

static atomic_int own_fds[FDS_MAX]; /* descriptor + 1; 0 is free */
static atomic_bool forked;

int fd_own(int fd)
{
	for (size_t i = 0; fd >= 0 && i < FDS_MAX; i++)
		if (atomic_compare_exchange_strong(&own_fds[i], &(int){0}, fd + 1))
			return fd;
	if (fd < 0)
		return -errno;
	close(fd);
	return -EMFILE;
}

void fd_close(int fd)
{
	for (size_t i = 0; i < FDS_MAX; i++)
		if (atomic_compare_exchange_strong(&own_fds[i], &(int){fd + 1}, 0)) {
			close(fd);
			return;
		}
}

/* Between fork() and exec(): only what is safe in a signal handler. */
static void on_fork_child(void)
{
	atomic_store(&forked, true);
	for (size_t i = 0; i < FDS_MAX; i++) {
		int fd = atomic_exchange(&own_fds[i], 0) - 1;

		if (fd >= 0)
			close(fd);
	}
}

int fds_prepare(void)
{
	return -pthread_atfork(NULL, NULL, on_fork_child);
}

bool fds_forked(void)
{
	return atomic_load_explicit(&forked, memory_order_relaxed);
}
