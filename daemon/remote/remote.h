/* SPDX-License-Identifier: MIT */
/*
 * remote.h - how we get something done inside a target, and how we see into it.
 *
 *   ptrace  one thread of the target is stopped and makes remote calls for us (hijack.h)
 *   agent   hotprobe's JVMTI agent in the target does what it is asked to (jvmagent/wire.h); no
 *           ptrace(2), no process_vm_readv(2), and no right to either is needed
 *
 * What is done in a target (region.c, patch.c and all that stands on them) is the same by both, and
 * does not know which one it uses. Either removes what an instance left that used the other.
 */
#ifndef HP_REMOTE_H
#define HP_REMOTE_H

#include "proc/maps.h"
#include "proc/view.h"
#include "proto/via.h"
#include "base/fail.h"
#include "base/util.h"

struct remote;

/* Is @addr, in the range that is asked about, really part of what is? */
typedef bool remote_inside_fn(void *arg, uint64_t addr);

/*
 * The part of one kind, in the order of its use. Between begin() and end() is one remote call;
 * scratch(), syscall() and call() are for then. Return values as in hijack.h, and -EPROTO for an
 * agent that does not keep to wire.h.
 */
struct remote_ops {
	const char *name; /* as in the "attached" event */

	/*
	 * What a called function does wrong ends the target, instead of being -EFAULT: the caller
	 * has to look first.
	 */
	bool fault_is_fatal;

	int (*begin)(struct remote *w);
	int (*scratch)(struct remote *w, const void *data, size_t len, uint64_t *addr_ret);
	int (*syscall)(struct remote *w, long nr, const uint64_t args[static 6], int64_t *ret);
	int (*call)(struct remote *w, uint64_t addr, const uint64_t args[static 3]);
	uint64_t (*paused_ns)(
		const struct remote *w); /* how long a thread has stood for this call */
	int (*end)(struct remote *w);

	int (*maps)(struct remote *w, struct maps *ret);
	int (*read)(struct remote *w, uint64_t addr, void *buf, size_t len);
	int (*next_fd)(struct remote *w, int from, const char *link);
	int (*fetch_fd)(struct remote *w, int target_fd, const char *link, int *fd_ret);
	int (*outside)(struct remote *w, uint64_t lo, uint64_t hi, remote_inside_fn *fn, void *arg);
	int (*wait_calls)(struct remote *w);
	void (*close)(struct remote *w);
};

struct remote {
	const struct remote_ops *ops;
	pid_t pid;
	struct view *view; /* how to look into it; NULL: as anybody with the right to */

	/*
	 * Descriptors of what is mapped stay open in the target: where /proc/PID is closed to us,
	 * the next instance reaches them only so.
	 */
	bool keeps_fd;
};

/* What is going to be done there; to look takes no system call that a seccomp filter may forbid. */
enum remote_use { REMOTE_LOOK, REMOTE_CHANGE };

/**
 * remote_open() - reach into @pid.
 *
 * An agent that a seccomp filter would not let work, or would have the process killed for it, is
 * not used: it is told which, and VIA_DEFAULT and VIA_AUTO go by ptrace, which suspends the filter.
 *
 * VIA_AGENT loads the agent if it is not there yet (agent_load(), blocks up to 12 s); it
 * stays. VIA_DEFAULT takes the agent if one is there and answers; else ptrace. VIA_AUTO does
 * too, but where ptrace is not allowed it loads the agent.
 * Return: 0; -EBUSY another hotprobe is at work there; -ESRCH; -EPERM; -EPROTO; -ETIMEDOUT the
 * agent is silent; -ENOMEM; as agent_load().
 */
int remote_open(pid_t pid, enum via via, enum remote_use use, struct remote **ret, struct fail *f);

/** remote_close() - let go of it. No remote call is being made. Accepts NULL. */
void remote_close(struct remote *w);

/** remote_ptrace_open() - Return: 0; -EBUSY; -ESRCH; -EPERM; -ENOMEM; -errno. */
int remote_ptrace_open(pid_t pid, struct remote **ret);

/** remote_agent_open() - Return: as remote_open(); -ENOENT no agent is there. Loads
 * nothing. */
int remote_agent_open(pid_t pid, struct remote **ret);

/**
 * remote_agent_try() - does a seccomp filter there allow what we would have the agent do?
 * Return: 0; -EPERM with @f, a reason to stand behind the PID; -ESRCH; -ETIMEDOUT; -EPROTO.
 */
int remote_agent_try(struct remote *w, struct fail *f);

/**
 * remote_strerror() - what an error of these functions, or of region/, means. Where somebody else
 * holds the target it says who (proc/held.h). Good until the next call.
 */
const char *remote_strerror(const struct remote *w, int err);

/** remote_error() - the code for @err: -EPERM where somebody else holds the target, whatever
 * failed. */
int remote_error(const struct remote *w, int err);

/** remote_begin() - as hijack_open(): a thread is in our hands, or the agent's is ready. */
int remote_begin(struct remote *w);

/** remote_end() - as hijack_close(). Return: 0; -ESRCH; -ETIMEDOUT. */
int remote_end(struct remote *w);

/** remote_paused_ns() - how long a thread of the target has stood for this call; 0 if none does.
 */
uint64_t remote_paused_ns(const struct remote *w);

/**
 * remote_scratch() - put @len bytes (at most REMOTE_SCRATCH) where the target can read them, until
 * the next remote_scratch() or remote_end(). Return: 0; -EFAULT; ...
 */
#define REMOTE_SCRATCH 256
int remote_scratch(struct remote *w, const void *data, size_t len, uint64_t *addr_ret);

/** remote_syscall() - run one system call there. Return: its result, or the error of running it. */
int64_t remote_syscall(struct remote *w, long nr, const uint64_t args[static 6]);

/**
 * remote_call() - as hijack_call(), but the code may change no general registers but those that any
 * function may, and those that the stubs do (arch/stub.h).
 * Return: 0; -EFAULT unless @ops->fault_is_fatal; -ESRCH; -ETIMEDOUT.
 */
int remote_call(struct remote *w, uint64_t addr, const uint64_t args[static 3]);

/** remote_maps() - as maps_read(), also when the primordial thread has ended. */
int remote_maps(struct remote *w, struct maps *ret);

/** remote_read() - Return: 0; -EFAULT unless all @len bytes could be read. */
int remote_read(struct remote *w, uint64_t addr, void *buf, size_t len);

/**
 * remote_next_fd() - the lowest of the target's descriptors, from @from on, whose link reads @link.
 * Return: its number; -ENOENT when there is none; -ESRCH; -EPERM; ...
 */
int remote_next_fd(struct remote *w, int from, const char *link);

/**
 * remote_fetch_fd() - take hold of the memfd that is the target's descriptor @target_fd.
 * @link: as memfd_reopen(). Return: as that; -EBADF when the target has no such descriptor.
 */
int remote_fetch_fd(struct remote *w, int target_fd, const char *link, int *fd_ret);

/**
 * remote_outside() - is every thread outside of those addresses in [@lo, @hi) that @fn picks (NULL:
 * all)? The caller has made sure that nothing leads there any more.
 * Return: 1 all outside; 0 some thread may be inside; as threads_outside().
 */
int remote_outside(struct remote *w, uint64_t lo, uint64_t hi, remote_inside_fn *fn, void *arg);

/**
 * remote_wait_calls() - wait until nothing is still done there that an instance asked for which was
 * killed meanwhile, of either kind. To be called when no other instance can be at work there.
 * Return: 0; -EAGAIN when it still may be after a second; as threads_wait().
 */
int remote_wait_calls(struct remote *w);

#endif
