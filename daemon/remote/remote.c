// SPDX-License-Identifier: MIT
/* remote.c - choose how a target is reached. See remote.h. */
#include <fcntl.h>
#include <limits.h>

#include "agent/agent_library.h"
#include "agent/agent_load.h"
#include "proc/entry.h"
#include "proc/caps.h"
#include "proc/held.h"
#include "proc/lock.h"
#include "proc/threads.h"
#include "remote/remote.h"
#include "base/log.h"

/* --- choosing --------------------------------------------------------------------------------- */

/* Why @pid cannot be ptraced; NULL if it can. Opening its memory asks the kernel the same. */
static const char *ptrace_obstacle(pid_t pid)
{
	static char text[HELD_TEXT_MAX];
	_cleanup_close_ int fd = entry_open(pid, "mem", O_RDONLY);

	return fd == -EPERM ? "ptrace is not permitted" : held_why(pid, HELD_BORROW, text);
}

/* Who it is can be seen where it holds the lock on the target. */
static int fail_busy(pid_t pid, struct fail *f)
{
	_cleanup_close_ int fd = -1;
	pid_t holder = 0;

	if (lock_target(pid, &fd, &holder) == -EBUSY && holder > 0)
		return fail_pid(f, -EBUSY, pid,
				"is being traced already by the hotprobe with PID %d: wait for it "
				"or end it",
				holder);
	return fail_pid(f, -EBUSY, pid,
			"is being traced already: its agent serves another hotprobe; wait for it "
			"or end it");
}

static int fail_agent(pid_t pid, int err, struct fail *f)
{
	char held[HELD_TEXT_MAX];

	if (err == -ETIMEDOUT && held_why(pid, HELD_RUN, held))
		return fail_pid(f, -EPERM, pid, "its agent cannot answer: %s", held);
	switch (err) {
	case -ENOENT:
		return fail_pid(f, err, pid,
				"cannot find the hotprobe agent, maybe because its network "
				"namespace is closed to us: run hotprobe as root");
	case -EBUSY:
		return fail_busy(pid, f);
	case -ETIMEDOUT:
		return fail_pid(f, err, pid,
				"the hotprobe agent does not answer: try again, or use --via "
				"ptrace");
	case -ECONNREFUSED:
		return fail_pid(
			f, -EPERM, pid,
			"its agent refuses us: it serves root and its own user only, as its "
			"user namespace maps them; use --via ptrace");
	case -EPROTO:
		return fail_pid(f, err, pid,
				"the agent speaks another protocol version: load this version's "
				"libhotprobe.so");
	case -ESRCH:
		return fail_pid(f, err, pid, "no such process");
	case -EACCES:
		return fail_pid(f, err, pid,
				"may not open its own /proc files, because it has changed its user "
				"since its program began: use --via ptrace");
	default:
		return fail_pid(f, err, pid, "cannot reach the hotprobe agent: %s",
				fail_strerror(err));
	}
}

/* The links of /proc/PID/ns are for those who may ptrace it. */
static bool net_hidden(pid_t pid)
{
	char link[64];

	return entry_readlink(pid, "ns/net", link, sizeof(link)) == -EPERM;
}

static int load_agent(pid_t pid, struct fail *f)
{
	char library[PATH_MAX];
	int err = agent_library(library, sizeof(library));

	if (net_hidden(pid))
		log_pid(LOG_LVL_DEBUG, pid,
			"no agent is found in our network namespace; whether one is in another "
			"cannot be seen without CAP_SYS_PTRACE");
	if (err)
		return fail_pid(f, err, pid,
				"no hotprobe agent is loaded, and %s, which is to be, cannot be "
				"read: %s",
				library, strerror(-err));
	err = agent_load(pid, library, "quiet", f);
	if (!err)
		log_pid(LOG_LVL_INFO, pid, "loaded the agent %s, which stays in it", library);
	return err;
}

/* One that is there and may do what is wanted. Return: as remote_agent_open(); -EPERM with @f. */
static int open_usable(pid_t pid, enum remote_use use, struct remote **ret, struct fail *f)
{
	struct remote *w;
	int err = remote_agent_open(pid, &w);

	if (err)
		return err;
	if (use == REMOTE_CHANGE)
		err = remote_agent_try(w, f);
	if (err) {
		remote_close(w);
		return err;
	}
	*ret = w;
	return 0;
}

static int open_agent(pid_t pid, enum remote_use use, struct remote **ret, struct fail *f)
{
	struct fail why = {0};
	int err = open_usable(pid, use, ret, &why);

	if (err == -ENOENT) {
		err = load_agent(pid, f);
		if (err)
			return err;
		err = open_usable(pid, use, ret, &why);
	}
	if (*why.text)
		return fail_pid(f, err, pid, "%s: use --via ptrace, which suspends it", why.text);
	return err ? fail_agent(pid, err, f) : 0;
}

/* A filter is told of: it stands for a limit that somebody has set, and does not hold for us. */
static int open_ptrace(pid_t pid, struct remote **ret, struct fail *f)
{
	int err = remote_ptrace_open(pid, ret);
	struct thread_status st;

	if (!err && !thread_read_status(pid, pid, &st) && st.seccomp && caps_have(CAP_SYS_ADMIN))
		log_pid(LOG_LVL_INFO, pid,
			"its seccomp filter is suspended while a borrowed thread makes hotprobe's "
			"system calls");
	if (err == -ESRCH)
		fail_pid(f, err, pid, "no such process");
	return err == -EBUSY ? fail_busy(pid, f) : err;
}

/*
 * Who has put the agent there wants it to be used. Return: 1 there is none, or it cannot be used
 * (@why, to stand behind the PID); 0 it is open; -EBUSY; -ESRCH.
 */
static int open_present(pid_t pid, enum remote_use use, struct remote **ret, struct fail *why,
			struct fail *f)
{
	int err = open_usable(pid, use, ret, why);

	if (!err)
		log_pid(LOG_LVL_INFO, pid, "uses the agent that is loaded in it");
	if (!err || err == -EBUSY || err == -ESRCH)
		return err ? fail_agent(pid, err, f) : 0;
	fail_set(why, err, "%s",
		 err == -ENOENT		? "no agent is loaded in it"
		 : err == -ECONNREFUSED ? "the agent in it refuses us"
					: "the agent in it does not answer");
	return 1;
}

static int open_default(pid_t pid, enum remote_use use, struct remote **ret, struct fail *f)
{
	struct fail why = {0};
	int err = open_present(pid, use, ret, &why, f);

	if (err <= 0)
		return err;
	log_pid(why.err == -EPERM ? LOG_LVL_INFO : LOG_LVL_DEBUG, pid, "uses ptrace: %s", why.text);
	return open_ptrace(pid, ret, f);
}

static int open_auto(pid_t pid, enum remote_use use, struct remote **ret, struct fail *f)
{
	struct fail why = {0};
	const char *obstacle;
	int err = open_present(pid, use, ret, &why, f);

	if (err <= 0)
		return err;
	obstacle = ptrace_obstacle(pid);
	if (obstacle && why.err == -EPERM)
		return fail_pid(f, -EPERM, pid, "%s; and %s: run hotprobe as root on the host",
				why.text, obstacle);
	if (obstacle) {
		log_pid(LOG_LVL_INFO, pid, "uses the agent: %s", obstacle);
		return open_agent(pid, use, ret, f);
	}
	log_pid(LOG_LVL_INFO, pid, "uses ptrace: %s", why.text);
	return open_ptrace(pid, ret, f);
}

int remote_open(pid_t pid, enum via via, enum remote_use use, struct remote **ret, struct fail *f)
{
	switch (via) {
	case VIA_AGENT:
		return open_agent(pid, use, ret, f);
	case VIA_AUTO:
		return open_auto(pid, use, ret, f);
	case VIA_PTRACE:
		return open_ptrace(pid, ret, f);
	case VIA_DEFAULT:
		break;
	}
	return open_default(pid, use, ret, f);
}

/* --- words ------------------------------------------------------------------------------------ */

/* Without these capabilities that is why, most likely. */
static const char *forbidden(const struct remote *w)
{
	if (w && w->ops->fault_is_fatal)
		return "it is not permitted: a seccomp filter or SELinux forbids it, or it takes "
		       "CAP_SYS_PTRACE";
	if (!caps_have(CAP_SYS_PTRACE))
		return "it is not permitted: CAP_SYS_PTRACE is missing";
	if (!caps_have(CAP_DAC_OVERRIDE))
		return "it is not permitted: it is another user's, and CAP_DAC_OVERRIDE is missing";
	return "it is not permitted: a seccomp filter or SELinux forbids it";
}

static const char *unsupported(const struct remote *w)
{
	struct thread_status st;

	if (!w || thread_read_status(w->pid, w->pid, &st))
		return strerror(EOPNOTSUPP);
	if (st.shadow_stack)
		return "it has a user shadow stack, which allows no borrowing of threads";
	if (st.seccomp && !w->ops->fault_is_fatal)
		return "it has a seccomp filter, which may not be suspended: that takes "
		       "CAP_SYS_ADMIN, and to have no seccomp filter oneself";
	return "the kernel or a seccomp filter forbids membarrier()";
}

/* NULL: nobody is seen to hold it, or that is not why @err came. */
static const char *held_by(const struct remote *w, int err)
{
	static char held[HELD_TEXT_MAX];

	if (!w || (err != -EPERM && err != -ETIMEDOUT && err != -EAGAIN))
		return NULL;
	return held_why(w->pid, w->ops->fault_is_fatal ? HELD_RUN : HELD_BORROW, held);
}

int remote_error(const struct remote *w, int err)
{
	return held_by(w, err) ? -EPERM : err;
}

const char *remote_strerror(const struct remote *w, int err)
{
	bool agent = w && w->ops->fault_is_fatal;
	const char *held = held_by(w, err);

	if (held)
		return held;
	switch (err) {
	case -ESRCH:
		return "it has ended";
	case -EPERM:
		return forbidden(w);
	case -EOPNOTSUPP:
		return unsupported(w);
	case -ENOSPC:
		return "no address range within a jump's reach of its code cache is free";
	case -ETIMEDOUT:
		return agent ? "its agent does not answer" : "none of its threads could be stopped";
	case -EPROTO:
		return agent ? "its agent's answer is malformed, or something in it changed the "
			       "memfd that was made there: try again"
			     : "something in it changed the memfd that was made there: try again";
	case -EAGAIN:
		return agent ? "it is starting: try again"
			     : "none of its threads can be borrowed right now: try again";
	default:
		return fail_strerror(err);
	}
}

/* --- passing on ------------------------------------------------------------------------------- */

void remote_close(struct remote *w)
{
	if (w)
		w->ops->close(w);
}

int remote_begin(struct remote *w)
{
	return w->ops->begin(w);
}

int remote_end(struct remote *w)
{
	return w->ops->end(w);
}

uint64_t remote_paused_ns(const struct remote *w)
{
	return w->ops->paused_ns(w);
}

int remote_scratch(struct remote *w, const void *data, size_t len, uint64_t *addr_ret)
{
	return len > REMOTE_SCRATCH ? -EFAULT : w->ops->scratch(w, data, len, addr_ret);
}

int64_t remote_syscall(struct remote *w, long nr, const uint64_t args[static 6])
{
	int64_t ret;
	int err = w->ops->syscall(w, nr, args, &ret);

	return err ? err : ret;
}

int remote_call(struct remote *w, uint64_t addr, const uint64_t args[static 3])
{
	return w->ops->call(w, addr, args);
}

int remote_maps(struct remote *w, struct maps *ret)
{
	return w->ops->maps(w, ret);
}

int remote_read(struct remote *w, uint64_t addr, void *buf, size_t len)
{
	return w->ops->read(w, addr, buf, len);
}

int remote_next_fd(struct remote *w, int from, const char *link)
{
	return w->ops->next_fd(w, from, link);
}

int remote_fetch_fd(struct remote *w, int target_fd, const char *link, int *fd_ret)
{
	return w->ops->fetch_fd(w, target_fd, link, fd_ret);
}

int remote_outside(struct remote *w, uint64_t lo, uint64_t hi, remote_inside_fn *fn, void *arg)
{
	return w->ops->outside(w, lo, hi, fn, arg);
}

int remote_wait_calls(struct remote *w)
{
	return w->ops->wait_calls(w);
}
