// SPDX-License-Identifier: MIT
/*
 * remote_agent.c - into a target by hotprobe's agent inside it. See remote.h and jvmagent/wire.h.
 *
 * No thread of the target is stopped: the agent's own runs the system calls and the code that we
 * ask for, one request at a time, to its end. Memory and mappings are read from descriptors of its
 * /proc files that it opened for us (proc/view.h).
 *
 * That no thread is inside a range of the region is not seen, but proved, by a safepoint:
 *
 *   Only a Java thread can be inside slots and continuations, for only compiled code leads there.
 *   HotSpot's other threads (collectors, the VM thread) run no compiled code, nor do those of
 * native libraries unless they are attached as Java threads, nor does the agent's own, which has
 * just answered us. While a Java thread is inside, it is in state _thread_in_Java and has not
 * polled; if a poll is taken from our code, it returns to the method's own address. That holds
 * too for a thread that a signal handler has interrupted there, or that is in the kernel's uprobe
 * trap or trampoline: none of these changes its state. A safepoint begins only when every Java
 * thread has left that state, at a poll, in a transition, or by ending
 *   (SafepointSynchronize::begin(), OpenJDK share/runtime/safepoint.cpp). So a safepoint that
 *   began after nothing led into the range any more, and has ended, has seen every thread that was
 *   inside come out; and none can have got in since.
 *
 * The self-test's slot and the patch stub are run by the agent's own thread alone. Threads that a
 * killed instance sent there by ptrace are no Java code's: wait_calls() is for them.
 */
#include <limits.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "agent/agent_link.h"
#include "proc/memfd.h"
#include "proc/threads.h"
#include "remote/threads_quiet.h"
#include "remote/remote.h"

#define ERRNO_MAX 4095 /* MAX_ERRNO, kernel include/linux/err.h */

struct remote_agent {
	struct remote base;
	struct view view;
	struct agent_link *link; /* NULL: the agent has not taken us back */
	struct mem *mem;
	int maps_fd;
};

static struct remote_agent *self(struct remote *w)
{
	return (struct remote_agent *)w;
}

/* One request whose result is all that matters. Return: the result, or the error of asking. */
static int64_t ask(struct remote_agent *a, struct agent_ask *q)
{
	int err = a->link ? agent_link_ask(a->link, q) : -ETIMEDOUT;

	return err ? err : q->result;
}

/* The same for a request whose only good result is 0. */
static int ask_done(struct remote_agent *a, struct agent_ask *q)
{
	int64_t res = ask(a, q);

	return res > 0 ? -EPROTO : (int)res;
}

/*
 * After a late answer: the agent takes us back when it is done with what it was asked, for it
 * serves one connection at a time. So a link that is open says that no former request is being
 * served.
 */
static int relink(struct remote_agent *a)
{
	int err;

	if (a->link && !a->link->broken)
		return 0;
	agent_link_close(take_ptr(a->link));
	err = agent_link_open(a->base.pid, &a->link);
	return err == -EBUSY ? -ETIMEDOUT : err == -ENOENT || err == -ECONNREFUSED ? -EPROTO : err;
}

static int agent_begin(struct remote *w)
{
	return relink(self(w));
}

static int agent_end(struct remote *w)
{
	(void)w;
	return 0;
}

_Static_assert(REMOTE_SCRATCH <= HP_AGENT_DATA_MAX, "there is room for it");

static int agent_scratch(struct remote *w, const void *data, size_t len, uint64_t *addr_ret)
{
	struct agent_ask q = {.kind = HP_AGENT_SCRATCH, .data = data, .len = len};
	int64_t res = ask(self(w), &q);

	if (res < 0)
		return (int)res;
	*addr_ret = (uint64_t)res;
	return 0;
}

static int agent_syscall(struct remote *w, long nr, const uint64_t args[static 6], int64_t *ret)
{
	struct agent_ask q = {.kind = HP_AGENT_SYSCALL, .arg = {(uint64_t)nr}};
	struct agent_link *l = self(w)->link;
	int err;

	memcpy(q.arg + 1, args, 6 * sizeof(*args));
	err = l ? agent_link_ask(l, &q) : -ETIMEDOUT;
	if (!err)
		*ret = q.result;
	return err;
}

static int agent_call(struct remote *w, uint64_t addr, const uint64_t args[static 3])
{
	struct agent_ask q = {.kind = HP_AGENT_CALL, .arg = {addr, args[0], args[1], args[2]}};

	return ask_done(self(w), &q);
}

static uint64_t agent_paused_ns(const struct remote *w)
{
	(void)w;
	return 0;
}

static int agent_maps(struct remote *w, struct maps *ret)
{
	int err = maps_read_fd(self(w)->maps_fd, ret);

	if (err || ret->n)
		return err;
	maps_fini(ret); /* its memory is gone: it has ended, or become another program */
	return -ESRCH;
}

static int agent_read(struct remote *w, uint64_t addr, void *buf, size_t len)
{
	return mem_read(self(w)->mem, addr, buf, len) ? -EFAULT : 0;
}

static int agent_next_fd(struct remote *w, int from, const char *link)
{
	struct agent_ask q = {.kind = HP_AGENT_NEXT_FD,
			      .arg = {(uint64_t)from},
			      .data = link,
			      .len = strlen(link)};
	int64_t fd = ask(self(w), &q);

	return fd >= INT_MAX || (fd >= 0 && fd < from) ? -EPROTO : (int)fd;
}

static int agent_fetch_fd(struct remote *w, int target_fd, const char *link, int *fd_ret)
{
	struct agent_ask q = {.kind = HP_AGENT_FD, .arg = {(uint64_t)target_fd}};
	char path[32];
	int err = ask_done(self(w), &q);

	if (err)
		return err;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", q.fd);
	err = memfd_reopen(path, link, fd_ret);
	close(q.fd);
	return err;
}

static int agent_outside(struct remote *w, uint64_t lo, uint64_t hi, remote_inside_fn *fn,
			 void *arg)
{
	struct agent_ask q = {.kind = HP_AGENT_SAFEPOINT, .limit_ns = agent_safepoint_ns};
	int err = relink(self(w));

	(void)lo;
	(void)hi;
	(void)fn;
	(void)arg;
	if (!err)
		err = ask_done(self(w), &q);
	return err ? err : 1;
}

/* What a killed instance had asked of the agent is done: it answers us now. */
static int agent_wait_calls(struct remote *w)
{
	int err = relink(self(w));

	return err ? err : threads_quiet_wait(w->pid);
}

static int view_open(struct view *v, const char *path, int *fd_ret)
{
	struct remote_agent *a =
		(struct remote_agent *)((char *)v - offsetof(struct remote_agent, view));
	struct agent_ask q = {.kind = HP_AGENT_OPEN, .data = path, .len = strlen(path)};
	int err = q.len > HP_AGENT_DATA_MAX ? -ENAMETOOLONG : relink(a);

	if (!err)
		err = ask_done(a, &q);
	if (err)
		return err;
	*fd_ret = q.fd;
	return 0;
}

static void agent_close(struct remote *w)
{
	struct remote_agent *a = self(w);

	if (a->maps_fd >= 0)
		close(a->maps_fd);
	mem_close(a->mem);
	agent_link_close(a->link);
	free(a);
}

static const struct remote_ops ops = {
	.name = "agent",
	.fault_is_fatal = true,
	.begin = agent_begin,
	.scratch = agent_scratch,
	.syscall = agent_syscall,
	.call = agent_call,
	.paused_ns = agent_paused_ns,
	.end = agent_end,
	.maps = agent_maps,
	.read = agent_read,
	.next_fd = agent_next_fd,
	.fetch_fd = agent_fetch_fd,
	.outside = agent_outside,
	.wait_calls = agent_wait_calls,
	.close = agent_close,
};

int remote_agent_open(pid_t pid, struct remote **ret)
{
	struct remote_agent *a = calloc(1, sizeof(*a));
	int err;

	if (!a)
		return -ENOMEM;
	*a = (struct remote_agent){.base = {.ops = &ops, .pid = pid, .keeps_fd = true},
				   .view = {.open = view_open},
				   .maps_fd = -1};
	a->base.view = &a->view;
	err = agent_link_open(pid, &a->link);
	if (!err)
		err = view_open_mem(&a->view, &a->mem);
	if (!err)
		err = view_open_maps(&a->view, &a->maps_fd);
	if (err) {
		agent_close(&a->base);
		return err;
	}
	*ret = &a->base;
	return 0;
}

/* --- seccomp ---------------------------------------------------------------------------------- */

/* Those of jvmagent/trial.c that we ask for; of the agent's own the number must do. */
static const char *syscall_name(uint64_t nr, char *buf, size_t size)
{
	static const struct {
		uint64_t nr;
		const char *name;
	} names[] = {
		{SYS_memfd_create, "memfd_create"}, {SYS_mmap, "mmap"},	  {SYS_munmap, "munmap"},
		{SYS_membarrier, "membarrier"},	    {SYS_close, "close"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].nr == nr)
			return names[i].name;
	snprintf(buf, size, "system call %llu", (unsigned long long)nr);
	return buf;
}

static int fail_filter(uint64_t nr, uint64_t error, struct fail *f)
{
	char number[48];
	const char *name = syscall_name(nr, number, sizeof(number));

	if (!error)
		return fail_set(f, -EPERM, "its seccomp filter would end it at the agent's %s",
				name);
	return fail_set(f, -EPERM, "its seccomp filter forbids the agent %s (%s)", name,
			error <= ERRNO_MAX ? strerror((int)error) : "unknown error");
}

/* An agent that does not know the question: it may not be asked to do anything if there is one. */
static int try_without(const struct remote *w, struct fail *f)
{
	struct thread_status st;
	int err = thread_read_status(w->pid, w->pid, &st);

	if (!err && !st.seccomp)
		return 0;
	return fail_set(
		f, -EPERM,
		"it has a seccomp filter, and its agent is too old to try what that allows");
}

int remote_agent_try(struct remote *w, struct fail *f)
{
	struct agent_ask q = {.kind = HP_AGENT_TRY, .limit_ns = agent_safepoint_ns};
	int64_t res = ask(self(w), &q);

	if (res == -EOPNOTSUPP)
		return try_without(w, f);
	if (res == -ESRCH || res == -ETIMEDOUT || res == -EPROTO)
		return (int)res;
	if (res == -EPERM)
		return fail_filter(q.reply[0], q.reply[1], f);
	return res >= 0
		       ? 0
		       : fail_set(
				 f, -EPERM,
				 "it has a seccomp filter, and what that allows cannot be tried: %s",
				 strerror((int)MIN(-res, ERRNO_MAX)));
}
