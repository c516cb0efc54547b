// SPDX-License-Identifier: MIT
/*
 * hijack.c - borrow one thread of the target. See hijack.h.
 *
 * We may be killed at any instant, with SIGKILL, and the kernel then lets the thread run on from
 * wherever it is. So there is no moment at which that would do harm:
 *
 * 1. While its registers are untouched the thread simply goes on. Below its stack pointer, and
 *    below what the ABI lets a function use there, we write a signal frame that holds
 *    its complete state (sigframe.c), with the address of the C library's signal return
 *    trampoline as the frame's return address:
 *
 *        sp as found -->  | the thread's own stack    |
 *                         | red zone                  |
 *                         | scratch for system calls  |
 *                         | extended state            |
 *                         | ucontext                  |
 *        chain -------->  | address of the trampoline |
 *
 * 2. One PTRACE_SETREGS moves the thread to its landing, pc = trampoline and sp = chain + 8:
 *    released there it executes rt_sigreturn on our frame, and is back. Only then its signals
 *    are blocked (the frame has the old mask), so that they wait in the kernel's queues, untouched.
 *
 * 3. Each remote call is one PTRACE_SETREGS with sp = chain: a system call of the C library that
 *    returns, or the function to be called. When it returns it lands in the trampoline. With us
 * alive it does not get far: we see the rt_sigreturn system call at its entry, and turn it, again
 * with one PTRACE_SETREGS, into no system call at all, with the thread back on the landing.
 *
 * 4. At the end we put the signal mask and then the registers back and let go. A system call that
 *    was interrupted is restarted by the kernel, from the very registers that it left.
 *
 * The frame is thus only ever used without us. tests/live/test_hijack_crash.c kills the tracer
 * between any two operations, and at random times.
 *
 * Signals that report an error of the code itself stay unblocked: the kernel would not wait, but
 * reset the target's handler and kill it (force_sig_info_to_task() in kernel/signal.c). HotSpot's
 * handler for SIGSEGV does its null checks, and losing it would be fatal later.
 */
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "remote/gadget.h"
#include "remote/hijack.h"
#include "proc/caps.h"
#include "remote/thread_state.h"
#include "proc/held.h"
#include "proc/threads.h"
#include "remote/tracee.h"

#define CANDIDATES_MAX 32   /* threads that are tried */
#define EVENTS_MAX     1000 /* stops of other kinds that may come between two system calls */
#define CALL_STOPS_MAX 256  /* system calls that a called function may make, twice */
#define SYSCALL_STOP   (SIGTRAP | 0x80) /* PTRACE_O_TRACESYSGOOD */
#define ERESTART_MIN   512		/* -ERESTARTSYS etc.; kernel include/linux/errno.h */

struct hijack {
	pid_t pid, tid;
	struct gadgets gadgets;
	struct sigframe_state state; /* the thread as it was */
	struct sigframe frame;
	uint64_t scratch;
	uint64_t stopped_ns;
	siginfo_t kept; /* a signal that came in between and goes back to it; si_signo 0: none */
	int lost;	/* 0, or why the thread is out of our hands: -ESRCH, -ETIMEDOUT */
};

static uint64_t mask_of(int sig)
{
	return 1ULL << (sig - 1);
}

static int set_mask(struct hijack *h, uint64_t mask)
{
	return tracee_ptrace(h->tid, TRACEE_SETSIGMASK, sizeof(mask), (uint64_t)(uintptr_t)&mask);
}

static int go_to_landing(struct hijack *h)
{
	struct regs r = regs_call_at(&h->state.regs, h->gadgets.sigreturn, h->frame.addr + 8);

	return tracee_set_regs(h->tid, &r);
}

/* --- take a thread ---------------------------------------------------------------------------- */

/*
 * Below its own stack pointer a thread's memory is free. A handler's alternate stack or a coroutine
 * may end there, so only the two ordinary kinds of stack are used: the one the process
 * began with, and one made by pthread_create(), which has the thread's control block on top.
 */
static const struct map_entry *own_stack(const struct maps *maps, const struct regs *r)
{
	const uint64_t sp = regs_sp(r), control = regs_thread_pointer(r);
	const struct map_entry *e = maps_find(maps, sp);

	if (!e || !e->read || !e->write || e->shared)
		return NULL;
	return !strcmp(e->path, "[stack]") || (control > sp && control < e->end) ? e : NULL;
}

/* Near the end of its stack a thread has no room; below may be the top of another one's. */
static int write_return(struct hijack *h, const struct maps *maps)
{
	const struct map_entry *stack = own_stack(maps, &h->state.regs);
	int err;

	if (!stack)
		return -EAGAIN;
	h->scratch = regs_sp(&h->state.regs) - REGS_RED_ZONE - HIJACK_SCRATCH;
	err = sigframe_build(&h->state, h->scratch, h->gadgets.sigreturn, &h->frame);
	if (err)
		return err;
	if (!range_inside(h->frame.addr, h->frame.len, stack->start, h->scratch))
		return -EAGAIN;
	return tracee_write(h->tid, h->frame.addr, h->frame.bytes, h->frame.len) ? -EAGAIN : 0;
}

/* PTRACE_O_*: a filter may answer one of our system calls by killing the process. */
static int seize_options(pid_t pid, pid_t tid, unsigned int *ret)
{
	struct thread_status st;
	int err = thread_read_status(pid, tid, &st);

	if (err)
		return err;
	if (st.tracer)
		return -EPERM;
	if (held_frozen(pid, tid, st.state))
		return -EAGAIN; /* it would stop for us, and then not make our system calls */
	if (st.shadow_stack)
		return -EOPNOTSUPP; /* it would refuse our return address */
	*ret = PTRACE_O_TRACESYSGOOD | (st.seccomp ? PTRACE_O_SUSPEND_SECCOMP : 0);
	return 0;
}

static int prepare(struct hijack *h, const struct maps *maps)
{
	uint64_t sync = mask_of(SIGSEGV) | mask_of(SIGBUS) | mask_of(SIGILL) | mask_of(SIGFPE) |
			mask_of(SIGTRAP);
	int err = thread_state_read(h->tid, &h->state);

	if (!err)
		err = write_return(h, maps);
	if (!err)
		err = go_to_landing(h);
	return err ? err : set_mask(h, ~sync);
}

static int take(struct hijack *h, pid_t tid, const struct maps *maps, uint64_t deadline_ns)
{
	unsigned int options;
	uint64_t caps;
	int err = seize_options(h->pid, tid, &options);

	if (err)
		return err;
	h->tid = tid;
	h->stopped_ns = clock_ns();
	caps = caps_raise(options & PTRACE_O_SUSPEND_SECCOMP ? CAPS(CAP_SYS_ADMIN) : 0);
	err = tracee_stop(h->pid, tid, options, deadline_ns);
	caps_lower(caps);
	if (options & PTRACE_O_SUSPEND_SECCOMP && (err == -EINVAL || err == -EPERM))
		return -EOPNOTSUPP;
	if (err)
		return err;
	err = prepare(h, maps);
	if (err)
		tracee_detach(tid, 0);
	return err;
}

struct candidate {
	pid_t tid;
	int rank;
};

static int by_rank(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	return x->rank != y->rank ? x->rank - y->rank : (x->tid > y->tid) - (x->tid < y->tid);
}

/* Return: 0 and at least one; -ESRCH when all are dead; -EAGAIN when none may be tried. */
static int rank_all(pid_t pid, struct candidate **ret, size_t *n_ret)
{
	_cleanup_free_ struct candidate *c = NULL;
	_cleanup_free_ pid_t *tids = NULL;
	size_t n, kept = 0;
	int err = threads_list(pid, &tids, &n), none = -ESRCH;

	if (err)
		return err;
	c = calloc(n, sizeof(*c));
	if (!c)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct thread_info t;

		err = thread_read(pid, tids[i], &t);
		if (err && err != -ESRCH)
			none = err; /* closed to us, and not ended */
		if (err || thread_dead(&t))
			continue;
		none = -EAGAIN;
		c[kept].tid = t.tid;
		c[kept].rank = thread_rank(pid, &t);
		kept += c[kept].rank >= 0;
	}
	if (!kept)
		return none;
	qsort(c, kept, sizeof(*c), by_rank);
	*ret = take_ptr(c);
	*n_ret = kept;
	return 0;
}

/* Of several refusals the one that says most. */
static int worse(int err, int than)
{
	static const int order[] = {-EPERM, -EOPNOTSUPP, -ETIMEDOUT, -EAGAIN, -ENOMEM};

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if (err == order[i] || than == order[i])
			return order[i];
	return err;
}

/* A thread that is about to end has no memory any more. */
static int read_maps(pid_t tid, struct maps *ret)
{
	int err = maps_read(tid, ret);

	if (err || ret->n)
		return err;
	maps_fini(ret);
	return -ESRCH;
}

/*
 * Everything in /proc/PID is asked of the thread itself: when the primordial thread has ended,
 * /proc/PID/maps is empty though the process goes on.
 */
static int take_one(struct hijack *h, pid_t tid, uint64_t deadline_ns)
{
	_cleanup_maps_ struct maps maps = {0};
	int err = read_maps(tid, &maps);

	if (err)
		return err;
	err = h->gadgets.sigreturn ? 0 : gadget_find(tid, &maps, &h->gadgets);
	if (!err)
		err = take(h, tid, &maps, deadline_ns);
	return err;
}

static int take_best(struct hijack *h, const struct candidate *c, size_t n)
{
	uint64_t deadline_ns = clock_ns() + TRACEE_LIMIT_NS;
	int err = take_one(h, c[0].tid, deadline_ns);

	for (size_t i = 1; err && i < MIN(n, CANDIDATES_MAX) && clock_ns() < deadline_ns; i++) {
		int one = take_one(h, c[i].tid, deadline_ns);

		err = one ? worse(one, err) : 0;
		if (one == -EOPNOTSUPP && !h->gadgets.sigreturn)
			break; /* nor would the others find any */
	}
	return err;
}

/* A process that dies refuses us with many errors. */
static bool has_ended(pid_t pid)
{
	_cleanup_free_ pid_t *tids = NULL;
	size_t n;
	int err = threads_list(pid, &tids, &n);

	for (size_t i = 0; !err && i < n; i++) {
		_cleanup_maps_ struct maps maps = {0};

		err = read_maps(tids[i], &maps);
		if (err != -ESRCH)
			return false;
		err = 0;
	}
	return !err || err == -ESRCH;
}

static int take_any(struct hijack *h)
{
	const struct candidate primordial = {h->pid, 0};
	_cleanup_free_ struct candidate *c = NULL;
	struct thread_info t;
	size_t n = 0;
	int err;

	/* The usual case, without looking at the others. */
	if (!thread_read(h->pid, h->pid, &t) && thread_rank(h->pid, &t) == 0 &&
	    !take_best(h, &primordial, 1))
		return 0;
	err = rank_all(h->pid, &c, &n);
	return err ? err : take_best(h, c, n);
}

int hijack_open(pid_t pid, struct hijack **ret)
{
	_cleanup_free_ struct hijack *h = calloc(1, sizeof(*h));
	char held[HELD_TEXT_MAX];
	int err;

	if (!h)
		return -ENOMEM;
	h->pid = pid;
	err = take_any(h);
	if (err)
		return has_ended(pid) ? -ESRCH : held_why(pid, HELD_BORROW, held) ? -EPERM : err;
	*ret = take_ptr(h);
	return 0;
}

/* --- remote calls ----------------------------------------------------------------------------- */

/* Out of our hands: dead, or it returns by itself as soon as it gets on. */
static int lose(struct hijack *h, int err)
{
	h->lost = err;
	tracee_abandon(h->tid);
	return err;
}

/*
 * A signal in spite of the mask. SIGSTOP takes its course: the thread still runs for us, and stops
 * when we let go. What somebody sent waits for hijack_close(). What is left is a fault of our own
 * call, of which the target shall never hear.
 */
static int other_signal(struct hijack *h, int sig, int *deliver)
{
	siginfo_t info;
	int err;

	*deliver = 0;
	if (sig == SIGSTOP) {
		*deliver = sig;
		return 0;
	}
	err = tracee_ptrace(h->tid, PTRACE_GETSIGINFO, 0, (uint64_t)(uintptr_t)&info);
	if (err)
		return err;
	if (info.si_code > 0)
		return -EFAULT;
	h->kept = info;
	return 0;
}

/* Let the thread run to its next system call, or out of it. */
static int run(struct hijack *h)
{
	int deliver = 0;

	for (int i = 0; i < EVENTS_MAX; i++) {
		int status, err = tracee_ptrace(h->tid, PTRACE_SYSCALL, 0, (uint64_t)deliver);

		if (!err)
			err = tracee_wait(h->tid, clock_ns() + TRACEE_LIMIT_NS, &status);
		if (err)
			return lose(h, err);
		deliver = 0;
		if (WSTOPSIG(status) == SYSCALL_STOP)
			return 0;
		if (status >> 16 == 0) /* else a change of job control, which waits */
			err = other_signal(h, WSTOPSIG(status), &deliver);
		if (err)
			return err;
	}
	tracee_detach(h->tid, 0);
	return lose(h, -ETIMEDOUT);
}

/* After a call that failed, too, the thread is on its landing, unless it is lost. */
static int finish(struct hijack *h, int err)
{
	int landed = h->lost ? 0 : go_to_landing(h);

	if (landed)
		lose(h, landed);
	return err ? err : landed;
}

int hijack_syscall(struct hijack *h, long nr, const uint64_t args[static 6], int64_t *ret)
{
	struct regs r = regs_call_at(&h->state.regs, h->gadgets.syscall_ret, h->frame.addr);
	int err = h->lost;

	regs_set_syscall(&r, nr, args);
	if (!err)
		err = tracee_set_regs(h->tid, &r);
	for (int stops = 0; stops < 2 && !err; stops++) /* into it, out of it */
		err = run(h);
	if (!err)
		err = tracee_get_regs(h->tid, &r);
	if (!err) /* interrupted, to be made again: not by us */
		*ret = regs_result(&r) <= -ERESTART_MIN ? -EINTR : regs_result(&r);
	return finish(h, err);
}

/* The called function has returned when the trampoline behind it enters rt_sigreturn. */
static int run_to_sigreturn(struct hijack *h)
{
	struct regs r;

	for (int i = 0; i < CALL_STOPS_MAX; i++) {
		int err = run(h);

		if (!err)
			err = tracee_get_regs(h->tid, &r);
		if (err)
			return err;
		if (regs_syscall(&r) == SYS_rt_sigreturn && regs_pc(&r) == h->gadgets.sigreturn_end)
			return 0;
	}
	tracee_detach(h->tid, 0);
	return lose(h, -ETIMEDOUT);
}

int hijack_call(struct hijack *h, uint64_t addr, const uint64_t args[static 3])
{
	struct regs r = regs_call_at(&h->state.regs, addr, h->frame.addr);
	int err = h->lost;

	regs_set_args(&r, args);
	if (!err)
		err = tracee_set_regs(h->tid, &r);
	if (!err)
		err = run_to_sigreturn(h);
	err = finish(h, err);
	/* It stands at the entry of a system call that was called off; out of it. */
	return err ? err : run(h);
}

int hijack_scratch(struct hijack *h, const void *data, size_t len, uint64_t *addr_ret)
{
	if (len > HIJACK_SCRATCH || tracee_write(h->tid, h->scratch, data, len))
		return -EFAULT;
	*addr_ret = h->scratch;
	return 0;
}

/* --- give it back ----------------------------------------------------------------------------- */

/* Send a kept signal again, and put its siginfo back when it arrives. */
static int redeliver(struct hijack *h)
{
	int sig = h->kept.si_signo, status, err;

	if (syscall(SYS_tgkill, h->pid, h->tid, sig))
		return 0;
	err = tracee_ptrace(h->tid, PTRACE_CONT, 0, 0);
	if (!err)
		err = tracee_wait(h->tid, clock_ns() + TRACEE_LIMIT_NS, &status);
	if (err)
		lose(h, err);
	if (err || status >> 16 || WSTOPSIG(status) != sig)
		return 0;
	tracee_ptrace(h->tid, PTRACE_SETSIGINFO, 0, (uint64_t)(uintptr_t)&h->kept);
	return sig;
}

int hijack_close(struct hijack *h)
{
	int err, sig = 0;

	if (!h)
		return 0;
	err = h->lost;
	if (!err)
		err = set_mask(h, h->state.sigmask);
	if (!err)
		err = tracee_set_regs(h->tid, &h->state.regs);
	if (!err && h->kept.si_signo)
		sig = redeliver(h);
	if (!err && !h->lost)
		err = tracee_detach(h->tid, sig);
	else if (err && !h->lost)
		tracee_abandon(h->tid);
	free(h);
	return err;
}

pid_t hijack_tid(const struct hijack *h)
{
	return h->tid;
}

uint64_t hijack_paused_ns(const struct hijack *h)
{
	return clock_ns() - h->stopped_ns;
}

size_t hijack_settle(void)
{
	return tracee_settle();
}
