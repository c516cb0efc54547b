// SPDX-License-Identifier: MIT
/* remote.c - which way into a target is taken. See remote.h. */
#include <fcntl.h>
#include <limits.h>

#include "agent/agent_library.h"
#include "agent/agent_load.h"
#include "proc/lock.h"
#include "proc/threads.h"
#include "remote/remote.h"
#include "base/log.h"

/* --- choosing --------------------------------------------------------------------------------- */

/* Why @pid cannot be ptraced; NULL if it can. Opening its memory asks the kernel the same. */
static const char *ptrace_obstacle(pid_t pid)
{
	_cleanup_close_ int fd = -1;
	struct thread_status st;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && (errno == EACCES || errno == EPERM))
		return "ptrace is not permitted";
	if (!thread_read_status(pid, pid, &st) && st.tracer)
		return "another tracer holds it";
	return NULL;
}

/* Who it is can be seen where it holds the lock on the target. */
static void say_busy(pid_t pid)
{
	_cleanup_close_ int fd = -1;
	pid_t holder = 0;

	if (lock_target(pid, &fd, &holder) == -EBUSY && holder > 0)
		log_err("PID %d is being traced already, by hotprobe with PID %d: wait for it or "
			"end it",
			pid, holder);
	else
		log_err("PID %d is being traced already: its agent serves another hotprobe; wait "
			"for it "
			"or end it",
			pid);
}

static int agent_refused(pid_t pid, int err)
{
	switch (err) {
	case -ENOENT:
		log_err("the hotprobe agent in PID %d cannot be found: its network namespace may "
			"be "
			"closed to us",
			pid);
		break;
	case -EBUSY:
		say_busy(pid);
		break;
	case -ETIMEDOUT:
		log_err("the hotprobe agent in PID %d does not answer", pid);
		break;
	case -EPROTO:
		log_err("what answers as hotprobe's agent in PID %d is none of this version", pid);
		break;
	case -ESRCH:
		log_err("no such process: %d", pid);
		break;
	case -EACCES:
		log_err("PID %d may not open its own /proc files, as a process that has changed "
			"its user "
			"since its program began: only --via ptrace works there",
			pid);
		break;
	default:
		log_err("cannot reach the hotprobe agent in PID %d: %s", pid, strerror(-err));
	}
	return err;
}

/* The links of /proc/PID/ns are for those who may ptrace it. */
static bool net_hidden(pid_t pid)
{
	char path[32], link[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	return readlink(path, link, sizeof(link)) < 0 && errno == EACCES;
}

/* Prints what is wrong. */
static int load_agent(pid_t pid)
{
	char library[PATH_MAX];
	int err = agent_library(library, sizeof(library));

	if (net_hidden(pid))
		log_debug("PID %d: no agent is found in our network namespace; if it is in "
			  "another, that "
			  "cannot be seen without CAP_SYS_PTRACE",
			  pid);
	if (err) {
		log_err("no hotprobe agent is in PID %d, and %s, to be loaded, is not there: %s",
			pid, library, strerror(-err));
		return err;
	}
	err = agent_load(pid, library, "quiet");
	if (!err)
		log_info("PID %d: loaded the agent %s, which stays in it", pid, library);
	return err;
}

static int open_agent(pid_t pid, struct remote **ret)
{
	int err = remote_agent_open(pid, ret);

	if (err == -ENOENT) {
		err = load_agent(pid);
		if (err)
			return err;
		err = remote_agent_open(pid, ret);
	}
	return err ? agent_refused(pid, err) : 0;
}

static int open_ptrace(pid_t pid, struct remote **ret)
{
	int err = remote_ptrace_open(pid, ret);

	return err == -EBUSY ? agent_refused(pid, err) : err;
}

/*
 * Who has put the agent there wants it to be used. Return: 1 there is none, or it does not answer
 * (@why); 0 it is open; -EBUSY; -ESRCH (said).
 */
static int open_present(pid_t pid, struct remote **ret, const char **why)
{
	int err = remote_agent_open(pid, ret);

	if (!err)
		log_info("PID %d: by way of the agent that is loaded in it", pid);
	if (!err || err == -EBUSY || err == -ESRCH)
		return err ? agent_refused(pid, err) : 0;
	*why = err == -ENOENT ? "no agent is loaded in it" : "the agent in it does not answer";
	return 1;
}

static int open_default(pid_t pid, struct remote **ret)
{
	const char *why;
	int err = open_present(pid, ret, &why);

	if (err <= 0)
		return err;
	log_debug("PID %d: by way of ptrace: %s", pid, why);
	return open_ptrace(pid, ret);
}

static int open_auto(pid_t pid, struct remote **ret)
{
	const char *why, *obstacle;
	int err = open_present(pid, ret, &why);

	if (err <= 0)
		return err;
	obstacle = ptrace_obstacle(pid);
	if (obstacle) {
		log_info("PID %d: by way of the agent: %s", pid, obstacle);
		return open_agent(pid, ret);
	}
	log_info("PID %d: by way of ptrace: %s", pid, why);
	return open_ptrace(pid, ret);
}

int remote_open(pid_t pid, enum via via, struct remote **ret)
{
	switch (via) {
	case VIA_AGENT:
		return open_agent(pid, ret);
	case VIA_AUTO:
		return open_auto(pid, ret);
	case VIA_PTRACE:
		return open_ptrace(pid, ret);
	case VIA_DEFAULT:
		break;
	}
	return open_default(pid, ret);
}

/* --- words ------------------------------------------------------------------------------------ */

const char *remote_why(const struct remote *w, int err)
{
	bool agent = w && w->ops->fault_is_fatal;

	switch (err) {
	case -ESRCH:
		return "it has ended";
	case -EPERM:
		return agent ? "not permitted (a seccomp filter or SELinux is in the way, or what "
			       "is "
			       "there can only be reached with CAP_SYS_PTRACE)"
			     : "not permitted (another tracer, a seccomp filter or SELinux is in "
			       "the "
			       "way)";
	case -ENOSPC:
		return "no free address range within 2 GiB of its code cache";
	case -ETIMEDOUT:
		return agent ? "its agent is silent" : "no thread of it could be stopped";
	case -EPROTO:
		return agent ? "its agent gives answers that make no sense" : strerror(EPROTO);
	case -EAGAIN:
		return agent ? "it is starting, or a thread of it is in another's hands: try again"
			     : "none of its threads is where it can be borrowed: try again";
	default:
		return strerror(-err);
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
