/* SPDX-License-Identifier: MIT */
/*
 * tracee.h - one thread under ptrace(2): stop it, wait with a limit, let it go.
 *
 * Every ptrace operation of hotprobe passes through here. The kernel binds a tracee to the
 * *thread* that seized it, so one thread of ours does all of it.
 */
#ifndef HP_TRACEE_H
#define HP_TRACEE_H

#include <sys/ptrace.h>
#include <sys/types.h>

#include "arch/regs.h"
#include "base/util.h"

/* From <linux/ptrace.h>, which cannot be included beside <sys/ptrace.h>. */
#define TRACEE_GETSIGMASK	      0x420a
#define TRACEE_SETSIGMASK	      0x420b
#define TRACEE_GET_RSEQ_CONFIGURATION 0x420f

/* A thread that does not stop within this is left alone (hijack_settle()). */
#define TRACEE_LIMIT_NS (2 * NSEC_PER_SEC)

/** tracee_ptrace() - ptrace(2) that returns -errno. */
int tracee_ptrace(pid_t tid, int request, uint64_t addr, uint64_t data);

/** tracee_get_regs() / tracee_set_regs() - of a stopped thread. Return: 0; -ESRCH. */
int tracee_get_regs(pid_t tid, struct regs *ret);
int tracee_set_regs(pid_t tid, const struct regs *r);

/**
 * tracee_stop() - seize thread @tid of @pid and stop it, with all its registers to be seen.
 * @options: PTRACE_O_*, never PTRACE_O_EXITKILL: the target outlives us.
 *
 * A signal that was on its way is delivered first, by letting the thread go with it.
 * Return: 0; -ESRCH, also when the number is another process's by now; -EPERM (not allowed, traced
 * by another, or a zombie); -EINVAL (@options unknown to the kernel); -ETIMEDOUT.
 */
int tracee_stop(pid_t pid, pid_t tid, unsigned int options, uint64_t deadline_ns);

/**
 * tracee_wait() - wait for the next stop.
 * @status_ret: as from waitpid(2), always a stop.
 * Return: 0; -ESRCH when the thread ended; -ETIMEDOUT.
 */
int tracee_wait(pid_t tid, uint64_t deadline_ns, int *status_ret);

/** tracee_detach() - let a stopped thread go, with signal @sig (0: none). Return: 0; -ESRCH. */
int tracee_detach(pid_t tid, int sig);

/**
 * tracee_abandon() - let a thread go that is not stopped, as soon as it stops; or, if it is dying,
 * take note of its death, without which its process would stay a zombie.
 */
void tracee_abandon(pid_t tid);

/** tracee_settle() - see hijack_settle(). */
size_t tracee_settle(void);

/** tracee_read() - Return: 0; -EFAULT unless all @len bytes could be read. */
int tracee_read(pid_t pid, uint64_t addr, void *buf, size_t len);

/** tracee_write() - Return: 0; -EFAULT unless all @len bytes could be written. */
int tracee_write(pid_t pid, uint64_t addr, const void *buf, size_t len);

/* See hijack_step in hijack.h. */
void tracee_step(void);

#endif
