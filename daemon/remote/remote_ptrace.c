// SPDX-License-Identifier: MIT
/*
 * remote_ptrace.c - into a target by ptrace: hijack.h behind remote.h.
 *
 * If hotprobe's agent happens to be in the target it is claimed, and kept busy, all the same: an
 * instance that has no right to ptrace knows of others only by that, and what a killed one asked of
 * the agent may still be in its queue.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>

#include "agent/agent_link.h"
#include "remote/hijack.h"
#include "remote/threads_outside.h"
#include "remote/threads_wait.h"
#include "proc/entry.h"
#include "proc/memfd.h"
#include "proc/proc.h"
#include "remote/tracee.h"
#include "remote/remote.h"

#define LINK_LEN_MAX 256 /* what is looked for is far shorter */

struct remote_ptrace {
	struct remote base;
	uint64_t start_time;	  /* of the process that was opened: its PID may be reused */
	struct hijack *h;	  /* during a remote call */
	struct agent_link *agent; /* NULL: none is there, or @agent_err */
	int agent_err;
};

static struct remote_ptrace *self(struct remote *w)
{
	return (struct remote_ptrace *)w;
}

static int ptrace_begin(struct remote *w)
{
	uint64_t start_time;
	int err = hijack_open(w->pid, &self(w)->h);

	/* A process whose thread is in our hands does not end: it is the right one, or never was.
	 */
	if (!err && (proc_start_time(w->pid, &start_time) || start_time != self(w)->start_time)) {
		hijack_close(take_ptr(self(w)->h));
		err = -ESRCH;
	}
	return err;
}

static int ptrace_end(struct remote *w)
{
	return hijack_close(take_ptr(self(w)->h));
}

_Static_assert(REMOTE_SCRATCH <= HIJACK_SCRATCH, "there is room for it");

static int ptrace_scratch(struct remote *w, const void *data, size_t len, uint64_t *addr_ret)
{
	return hijack_scratch(self(w)->h, data, len, addr_ret);
}

static int ptrace_syscall(struct remote *w, long nr, const uint64_t args[static 6], int64_t *ret)
{
	return hijack_syscall(self(w)->h, nr, args, ret);
}

static int ptrace_call(struct remote *w, uint64_t addr, const uint64_t args[static 3])
{
	return hijack_call(self(w)->h, addr, args);
}

static uint64_t ptrace_paused_ns(const struct remote *w)
{
	const struct remote_ptrace *p = (const struct remote_ptrace *)w;

	return p->h ? hijack_paused_ns(p->h) : 0;
}

/* The thread in our hands has not ended; nor has any other that is found now (entry.h). */
static pid_t who(struct remote *w)
{
	return self(w)->h ? hijack_tid(self(w)->h) : entry_thread(w->pid);
}

static int ptrace_maps(struct remote *w, struct maps *ret)
{
	return maps_read(who(w), ret);
}

static int ptrace_read(struct remote *w, uint64_t addr, void *buf, size_t len)
{
	return tracee_read(who(w), addr, buf, len);
}

static int ptrace_next_fd(struct remote *w, int from, const char *link)
{
	char found[LINK_LEN_MAX];
	int best = -ENOENT, fd = entry_open(w->pid, "fd", O_RDONLY | O_DIRECTORY);
	struct dirent *d;
	DIR *dir;

	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while ((d = readdir(dir))) {
		long number = strtol(d->d_name, NULL, 10);
		ssize_t n;

		if (*d->d_name == '.' || number < from || number > INT_MAX ||
		    (best >= 0 && number > best))
			continue;
		n = readlinkat(dirfd(dir), d->d_name, found, sizeof(found));
		if (n == (ssize_t)strlen(link) && !memcmp(found, link, (size_t)n))
			best = (int)number;
	}
	closedir(dir);
	return best;
}

static int ptrace_fetch_fd(struct remote *w, int target_fd, const char *link, int *fd_ret)
{
	char name[16], path[ENTRY_PATH_MAX];
	int err;

	snprintf(name, sizeof(name), "fd/%d", target_fd);
	err = entry_path(w->pid, name, path);
	return err ? err : memfd_reopen(path, link, fd_ret);
}

static int ptrace_outside(struct remote *w, uint64_t lo, uint64_t hi, remote_inside_fn *fn,
			  void *arg)
{
	return threads_outside_check(w->pid, lo, hi, fn, arg);
}

/* Once the agent has answered us it has done what others asked of it. */
static int ptrace_wait_calls(struct remote *w)
{
	return self(w)->agent_err ? -EAGAIN : threads_wait(w->pid);
}

static void ptrace_close(struct remote *w)
{
	agent_link_close(self(w)->agent);
	free(w);
}

static const struct remote_ops ops = {
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
	.wait_calls = ptrace_wait_calls,
	.close = ptrace_close,
};

int remote_ptrace_open(pid_t pid, struct remote **ret)
{
	struct remote_ptrace *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	p->base = (struct remote){.ops = &ops, .pid = pid};
	err = proc_start_time(pid, &p->start_time);
	if (err) {
		ptrace_close(&p->base);
		return err;
	}
	err = agent_link_open(pid, &p->agent);
	if (err == -EBUSY || err == -ENOMEM) {
		ptrace_close(&p->base);
		return err;
	}
	/* One that is there but cannot be asked is no obstacle, unless something has to be removed.
	 */
	p->agent_err = err == -EPROTO || err == -ETIMEDOUT ? err : 0;
	*ret = &p->base;
	return 0;
}
