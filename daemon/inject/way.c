// SPDX-License-Identifier: MIT
/* way.c - which way into a target is taken. See way.h. */
#include <fcntl.h>
#include <limits.h>

#include "agent_library.h"
#include "inject/attach_socket.h"
#include "inject/lock.h"
#include "inject/threads.h"
#include "inject/way.h"
#include "log.h"

int way_kind_parse(const char *text, enum way_kind *ret)
{
	static const char *const names[] = {
		[WAY_PTRACE] = "ptrace",
		[WAY_AGENT] = "agent",
		[WAY_AUTO] = "auto",
	};

	for (size_t i = WAY_PTRACE; i < ARRAY_SIZE(names); i++) {
		if (strcmp(text, names[i]))
			continue;
		*ret = (enum way_kind)i;
		return 0;
	}
	return -EINVAL;
}

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

	if (target_lock(pid, &fd, &holder) == -EBUSY && holder > 0)
		log_err("PID %d is being traced already, by hotprobe with PID %d: wait for it or end it",
			pid, holder);
	else
		log_err("PID %d is being traced already: its agent serves another hotprobe; wait for it "
			"or end it",
			pid);
}

static int agent_refused(pid_t pid, int err)
{
	switch (err) {
	case -ENOENT:
		log_err("the hotprobe agent in PID %d cannot be found: its network namespace may be "
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
		log_err("PID %d may not open its own /proc files, as a process that has changed its user "
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
		log_debug("PID %d: no agent is found in our network namespace; if it is in another, that "
			  "cannot be seen without CAP_SYS_PTRACE",
			  pid);
	if (err) {
		log_err("no hotprobe agent is in PID %d, and %s, to be loaded, is not there: %s", pid,
			library, strerror(-err));
		return err;
	}
	err = attach_agent(pid, library, "quiet");
	if (!err)
		log_info("PID %d: loaded the agent %s, which stays in it", pid, library);
	return err;
}

static int open_agent(pid_t pid, struct way **ret)
{
	int err = way_agent_open(pid, ret);

	if (err == -ENOENT) {
		err = load_agent(pid);
		if (err)
			return err;
		err = way_agent_open(pid, ret);
	}
	return err ? agent_refused(pid, err) : 0;
}

static int open_ptrace(pid_t pid, struct way **ret)
{
	int err = way_ptrace_open(pid, ret);

	return err == -EBUSY ? agent_refused(pid, err) : err;
}

/*
 * Who has put the agent there wants it to be used. Return: 1 there is none, or it does not answer
 * (@why); 0 it is open; -EBUSY; -ESRCH (said).
 */
static int open_present(pid_t pid, struct way **ret, const char **why)
{
	int err = way_agent_open(pid, ret);

	if (!err)
		log_info("PID %d: by way of the agent that is loaded in it", pid);
	if (!err || err == -EBUSY || err == -ESRCH)
		return err ? agent_refused(pid, err) : 0;
	*why = err == -ENOENT ? "no agent is loaded in it" : "the agent in it does not answer";
	return 1;
}

static int open_default(pid_t pid, struct way **ret)
{
	const char *why;
	int err = open_present(pid, ret, &why);

	if (err <= 0)
		return err;
	log_debug("PID %d: by way of ptrace: %s", pid, why);
	return open_ptrace(pid, ret);
}

static int open_auto(pid_t pid, struct way **ret)
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

int way_open(pid_t pid, enum way_kind kind, struct way **ret)
{
	switch (kind) {
	case WAY_AGENT:
		return open_agent(pid, ret);
	case WAY_AUTO:
		return open_auto(pid, ret);
	case WAY_PTRACE:
		return open_ptrace(pid, ret);
	case WAY_DEFAULT:
		break;
	}
	return open_default(pid, ret);
}

/* --- words ------------------------------------------------------------------------------------ */

const char *way_why(const struct way *w, int err)
{
	bool agent = w && w->ops->fault_is_fatal;

	switch (err) {
	case -ESRCH:
		return "it has ended";
	case -EPERM:
		return agent ? "not permitted (a seccomp filter or SELinux is in the way, or what is "
			       "there can only be reached with CAP_SYS_PTRACE)"
			     : "not permitted (another tracer, a seccomp filter or SELinux is in the "
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

void way_close(struct way *w)
{
	if (w)
		w->ops->close(w);
}

int way_begin(struct way *w)
{
	return w->ops->begin(w);
}

int way_end(struct way *w)
{
	return w->ops->end(w);
}

uint64_t way_paused_ns(const struct way *w)
{
	return w->ops->paused_ns(w);
}

int way_scratch(struct way *w, const void *data, size_t len, uint64_t *addr_ret)
{
	return len > WAY_SCRATCH ? -EFAULT : w->ops->scratch(w, data, len, addr_ret);
}

int64_t way_syscall(struct way *w, long nr, const uint64_t args[static 6])
{
	int64_t ret;
	int err = w->ops->syscall(w, nr, args, &ret);

	return err ? err : ret;
}

int way_call(struct way *w, uint64_t addr, const uint64_t args[static 3])
{
	return w->ops->call(w, addr, args);
}

int way_maps(struct way *w, struct maps *ret)
{
	return w->ops->maps(w, ret);
}

int way_read(struct way *w, uint64_t addr, void *buf, size_t len)
{
	return w->ops->read(w, addr, buf, len);
}

int way_next_fd(struct way *w, int from, const char *link)
{
	return w->ops->next_fd(w, from, link);
}

int way_fetch_fd(struct way *w, int target_fd, const char *link, int *fd_ret)
{
	return w->ops->fetch_fd(w, target_fd, link, fd_ret);
}

int way_outside(struct way *w, uint64_t lo, uint64_t hi, way_inside_fn *fn, void *arg)
{
	return w->ops->outside(w, lo, hi, fn, arg);
}

int way_wait_errands(struct way *w)
{
	return w->ops->wait_errands(w);
}
