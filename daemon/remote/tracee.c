// SPDX-License-Identifier: MIT
/* tracee.c - one thread under ptrace(2). See tracee.h. */
#include <sched.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "proc/entry.h"
#include "remote/hijack.h"
#include "remote/tracee.h"

/*
 * Waiting: a thread stops within microseconds, but there is no waitpid() with a limit, and a timer
 * signal would need a handler for the whole process. So: ask again and again, giving the
 * processor away in between, for as long as nearly every stop takes; then sleep between questions.
 */
#define WAIT_SPIN_NS	  (200 * NSEC_PER_USEC)
#define WAIT_PAUSE_MIN_NS (10 * (long)NSEC_PER_USEC)
#define WAIT_PAUSE_MAX_NS ((long)NSEC_PER_MSEC)

#define STOP_TRIES_MAX 1000 /* signals that may come in between; the deadline comes first */

#define ABANDONED_MAX 64

/* Seized, and neither let go nor seen dead. */
static pid_t abandoned[ABANDONED_MAX];
static size_t n_abandoned;

void (*hijack_step)(void);

void tracee_step(void)
{
	if (hijack_step)
		hijack_step();
}

int tracee_ptrace(pid_t tid, int request, uint64_t addr, uint64_t data)
{
	tracee_step();
	return ptrace(request, tid, addr, data) < 0 ? -errno : 0;
}

int tracee_get_regs(pid_t tid, struct regs *ret)
{
	return tracee_ptrace(tid, PTRACE_GETREGS, 0, (uint64_t)(uintptr_t)ret);
}

int tracee_set_regs(pid_t tid, const struct regs *r)
{
	return tracee_ptrace(tid, PTRACE_SETREGS, 0, (uint64_t)(uintptr_t)r);
}

int tracee_wait(pid_t tid, uint64_t deadline_ns, int *status_ret)
{
	struct timespec pause = {.tv_nsec = WAIT_PAUSE_MIN_NS};
	uint64_t spin_until = clock_ns() + WAIT_SPIN_NS;

	for (;;) {
		int status = 0;
		pid_t got = waitpid(tid, &status, __WALL | WNOHANG);
		uint64_t now = clock_ns();

		if (got < 0 && errno != EINTR)
			return -ESRCH;
		if (got == tid) {
			tracee_step();
			*status_ret = status;
			return WIFSTOPPED(status) ? 0 : -ESRCH;
		}
		if (now >= deadline_ns)
			return -ETIMEDOUT;
		if (now < spin_until) {
			sched_yield();
			continue;
		}
		nanosleep(&pause, NULL);
		pause.tv_nsec = MIN(pause.tv_nsec * 2, WAIT_PAUSE_MAX_NS);
	}
}

static int seize_and_wait(pid_t tid, unsigned int options, uint64_t deadline_ns, int *status_ret)
{
	int err = tracee_ptrace(tid, PTRACE_SEIZE, 0, options);

	if (err)
		return err == -EIO ? -EINVAL : err; /* EIO: unknown option, kernel/ptrace.c */
	err = tracee_ptrace(tid, PTRACE_INTERRUPT, 0, 0);
	if (!err)
		err = tracee_wait(tid, deadline_ns, status_ret);
	if (err)
		tracee_abandon(tid);
	return err;
}

/* The signal a stop is about, if the thread would have got it without us. */
static int own_signal(int status)
{
	return status >> 16 || WSTOPSIG(status) & 0x80 ? 0 : WSTOPSIG(status);
}

int tracee_stop(pid_t pid, pid_t tid, unsigned int options, uint64_t deadline_ns)
{
	if (tracee_settle() == ABANDONED_MAX)
		return -ETIMEDOUT;
	for (int i = 0; i < STOP_TRIES_MAX; i++) {
		int status, err = seize_and_wait(tid, options, deadline_ns, &status);

		if (err)
			return err;
		/* Its number may have been another's by then; now that it is ours it stays. */
		if (!entry_holds(pid, tid)) {
			tracee_detach(tid, own_signal(status));
			return -ESRCH;
		}
		if (status >> 16 == PTRACE_EVENT_STOP)
			return 0;
		/*
		 * Caught on its way to a signal handler. Kept back, the signal would be lost with
		 * us; delivered now, it would be handled on a stack we know nothing of.
		 */
		tracee_detach(tid, WSTOPSIG(status));
	}
	return -ETIMEDOUT;
}

int tracee_detach(pid_t tid, int sig)
{
	int err = tracee_ptrace(tid, PTRACE_DETACH, 0, (uint64_t)sig);

	if (err)
		tracee_abandon(tid);
	return err;
}

void tracee_abandon(pid_t tid)
{
	if (n_abandoned < ABANDONED_MAX)
		abandoned[n_abandoned++] = tid;
	tracee_settle();
}

size_t tracee_settle(void)
{
	for (size_t i = 0; i < n_abandoned;) {
		int status = 0;
		pid_t got = waitpid(abandoned[i], &status, __WALL | WNOHANG);

		if (got == 0) {
			i++;
			continue;
		}
		if (got > 0 && WIFSTOPPED(status))
			ptrace(PTRACE_DETACH, got, 0, own_signal(status));
		abandoned[i] = abandoned[--n_abandoned];
	}
	return n_abandoned;
}

int tracee_read(pid_t pid, uint64_t addr, void *buf, size_t len)
{
	struct iovec local = {buf, len}, remote = {(void *)addr, len};

	return process_vm_readv(pid, &local, 1, &remote, 1, 0) == (ssize_t)len ? 0 : -EFAULT;
}

int tracee_write(pid_t pid, uint64_t addr, const void *buf, size_t len)
{
	struct iovec local = {(void *)buf, len}, remote = {(void *)addr, len};

	tracee_step();
	return process_vm_writev(pid, &local, 1, &remote, 1, 0) == (ssize_t)len ? 0 : -EFAULT;
}
