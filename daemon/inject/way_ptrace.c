// SPDX-License-Identifier: MIT
/*
 * way_ptrace.c - into a target by ptrace: hijack.h behind way.h.
 *
 * If hotprobe's agent happens to be in the target it is claimed, and kept busy, all the same: an
 * instance that has no right to ptrace knows of others only by that, and what a killed one asked of
 * the agent may still be in its queue.
 */
#include <dirent.h>
#include <limits.h>

#include "inject/agent_link.h"
#include "inject/hijack.h"
#include "inject/memfd.h"
#include "inject/tracee.h"
#include "inject/way.h"

#define LINK_LEN_MAX 256 /* what is looked for is far shorter */

struct way_ptrace {
	struct way base;
	struct hijack *h; /* while an errand is under way */
	struct agent_link *agent; /* NULL: none is there, or @agent_err */
	int agent_err;
};

static struct way_ptrace *self(struct way *w)
{
	return (struct way_ptrace *)w;
}

static int ptrace_begin(struct way *w)
{
	return hijack_open(w->pid, &self(w)->h);
}

static int ptrace_end(struct way *w)
{
	return hijack_close(take_ptr(self(w)->h));
}

static int ptrace_scratch(struct way *w, const void *data, size_t len, uint64_t *addr_ret)
{
	return hijack_scratch(self(w)->h, data, len, addr_ret);
}

static int ptrace_syscall(struct way *w, long nr, const uint64_t args[static 6], int64_t *ret)
{
	return hijack_syscall(self(w)->h, nr, args, ret);
}

static int ptrace_call(struct way *w, uint64_t addr, const uint64_t args[static 3])
{
	return hijack_call(self(w)->h, addr, args);
}

static uint64_t ptrace_paused_ns(const struct way *w)
{
	const struct way_ptrace *p = (const struct way_ptrace *)w;

	return p->h ? hijack_paused_ns(p->h) : 0;
}

/* When the primordial thread has ended, /proc/PID is empty, and the thread in our hands knows. */
static pid_t who(struct way *w)
{
	return self(w)->h ? hijack_tid(self(w)->h) : w->pid;
}

static int ptrace_maps(struct way *w, struct maps *ret)
{
	return maps_read(who(w), ret);
}

static int ptrace_read(struct way *w, uint64_t addr, void *buf, size_t len)
{
	return tracee_read(who(w), addr, buf, len);
}

static int ptrace_next_fd(struct way *w, int from, const char *link)
{
	char path[32], found[LINK_LEN_MAX];
	int best = -ENOENT;
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", w->pid);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? -ESRCH : -EPERM;
	while ((d = readdir(dir))) {
		long fd = strtol(d->d_name, NULL, 10);
		ssize_t n;

		if (*d->d_name == '.' || fd < from || fd > INT_MAX || (best >= 0 && fd > best))
			continue;
		n = readlinkat(dirfd(dir), d->d_name, found, sizeof(found));
		if (n == (ssize_t)strlen(link) && !memcmp(found, link, (size_t)n))
			best = (int)fd;
	}
	closedir(dir);
	return best;
}

static int ptrace_fetch_fd(struct way *w, int target_fd, const char *link, int *fd_ret)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", w->pid, target_fd);
	return memfd_reopen(path, link, fd_ret);
}

static int ptrace_outside(struct way *w, uint64_t lo, uint64_t hi, way_inside_fn *fn, void *arg)
{
	return hijack_threads_check(w->pid, lo, hi, fn, arg);
}

/* Once the agent has answered us it has done what others asked of it. */
static int ptrace_wait_errands(struct way *w)
{
	return self(w)->agent_err ? -EAGAIN : hijack_wait_errands(w->pid);
}

static void ptrace_close(struct way *w)
{
	agent_link_close(self(w)->agent);
	free(w);
}

static const struct way_ops ops = {
	.name = "ptrace",
	.begin = ptrace_begin,
	.scratch = ptrace_scratch,
	.syscall = ptrace_syscall,
	.call = ptrace_call,
	.paused_ns = ptrace_paused_ns,
	.end = ptrace_end,
	.maps = ptrace_maps,
	.read = ptrace_read,
	.next_fd = ptrace_next_fd,
	.fetch_fd = ptrace_fetch_fd,
	.outside = ptrace_outside,
	.wait_errands = ptrace_wait_errands,
	.close = ptrace_close,
};

int way_ptrace_open(pid_t pid, struct way **ret)
{
	struct way_ptrace *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	p->base = (struct way){.ops = &ops, .pid = pid};
	err = agent_link_open(pid, &p->agent);
	if (err == -EBUSY || err == -ENOMEM) {
		ptrace_close(&p->base);
		return err;
	}
	/* One that is there but cannot be asked is no obstacle, unless something has to be removed. */
	p->agent_err = err == -EPROTO || err == -ETIMEDOUT ? err : 0;
	*ret = &p->base;
	return 0;
}
