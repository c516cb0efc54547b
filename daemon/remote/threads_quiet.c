// SPDX-License-Identifier: MIT
/*
 * threads_quiet.c - are a killed instance's remote calls over? See threads_quiet.h.
 *
 * While an instance has a thread in its hands the thread is traced. When that instance has died the
 * thread runs on to the end of its call: a system call that maps or unmaps, or a few hundred
 * compare-and-swaps (arch/x86_64/stub.c). So a thread makes no remote call if it is not traced, and
 *   - sleeps so that a signal can end it, or has ended: no such system call does that, they wait
 *     uninterruptibly, for the process's memory map; or
 *   - has computed for longer since than any remote call takes.
 */
#include <fcntl.h>

#include "remote/threads_quiet.h"
#include "proc/threads.h"

#define PATIENCE_NS (1 * NSEC_PER_SEC)
#define PAUSE_US    500
/* A batch of PATCH_BATCH_MAX swaps takes some ten microseconds, a mapping less. */
#define CALL_NS (2 * NSEC_PER_MSEC)

struct watched {
	pid_t tid;
	uint64_t cpu_ns; /* what it had computed when it was first seen untraced */
};

struct watch_list {
	struct watched *v;
	size_t n, cap;
};

/* Time on the processor: the first number of schedstat; 0 when it cannot be told. */
static uint64_t cpu_ns(pid_t pid, pid_t tid)
{
	char path[64], text[128];
	_cleanup_close_ int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", pid, tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	text[MAX(n, 0)] = '\0';
	return strtoull(text, NULL, 10);
}

static struct watched *watched_find(struct watch_list *l, pid_t tid)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].tid == tid)
			return &l->v[i];
	return NULL;
}

static int watched_add(struct watch_list *l, pid_t pid, pid_t tid)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 16;
		struct watched *v = reallocarray(l->v, cap, sizeof(*v));

		if (!v)
			return -ENOMEM;
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n++] = (struct watched){tid, cpu_ns(pid, tid)};
	return 0;
}

/* Return: 1 it makes no remote call; 0 not known yet; -EPERM; -ENOMEM. */
static int thread_quiet(struct watch_list *l, pid_t pid, pid_t tid)
{
	struct thread_status st;
	struct watched *w = watched_find(l, tid);
	int err = thread_read_status(pid, tid, &st);

	if (err)
		return err == -ESRCH ? 1 : err;
	if (st.tracer) {
		if (w)
			*w = l->v[--l->n];
		return 0;
	}
	if (strchr("SZXI", st.state)) /* not T: it may go on with the call when it is continued */
		return 1;
	if (!w)
		return watched_add(l, pid, tid);
	return cpu_ns(pid, tid) > w->cpu_ns + CALL_NS;
}

/* Keep in @tids those that are not known to be quiet. Return: 0; -EPERM; -ENOMEM. */
static int sift(struct watch_list *l, pid_t pid, pid_t *tids, size_t *n)
{
	size_t kept = 0;

	for (size_t i = 0; i < *n; i++) {
		int quiet = thread_quiet(l, pid, tids[i]);

		if (quiet < 0)
			return quiet;
		if (!quiet)
			tids[kept++] = tids[i];
	}
	*n = kept;
	return 0;
}

int threads_quiet_wait(pid_t pid)
{
	uint64_t deadline_ns = clock_ns() + PATIENCE_NS;
	_cleanup_free_ pid_t *tids = NULL;
	struct watch_list l = {0};
	size_t n;
	int err = threads_list(pid, &tids, &n);

	while (!err) {
		err = sift(&l, pid, tids, &n);
		if (err || !n)
			break;
		if (clock_ns() > deadline_ns)
			err = -EAGAIN;
		usleep(PAUSE_US);
	}
	free(l.v);
	return err;
}
