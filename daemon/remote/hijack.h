/* SPDX-License-Identifier: MIT */
/*
 * hijack.h - make one thread of the target run a few system calls or instructions for us.
 *
 * The only file that stops a thread. Whatever happens to us while a thread is in our hands,
 * SIGKILL included, it returns to where it was by itself: see hijack.c.
 */
#ifndef HP_HIJACK_H
#define HP_HIJACK_H

#include <sys/types.h>

#include "base/util.h"

struct hijack;

/**
 * hijack_open() - stop one thread of @pid, preferably the primordial one, which sleeps for the
 * whole life of a Java program, else another one that is asleep.
 *
 * Return: 0; -ESRCH; -EPERM (no CAP_SYS_PTRACE, or somebody else traces it); -ETIMEDOUT when no
 * thread could be stopped; -EOPNOTSUPP when its return cannot be prepared: 32-bit code, a shadow
 * stack, no C library, or a seccomp filter that we may not suspend; -EAGAIN when no thread is at
 * a place where it can be borrowed; -ENOMEM.
 */
int hijack_open(pid_t pid, struct hijack **ret);

/**
 * hijack_close() - put every register back and let the thread go on where it was.
 * Return: 0; -ESRCH when the target ended meanwhile; -ETIMEDOUT when the thread is stuck in the
 * kernel (it returns by itself, see hijack_settle()). Accepts NULL. @h is gone either way.
 */
int hijack_close(struct hijack *h);

/**
 * hijack_scratch() - put @len bytes (at most HIJACK_SCRATCH) where the thread's system calls can
 * read them. They stay until the next hijack_scratch() or hijack_close().
 * Return: 0; -EFAULT.
 */
#define HIJACK_SCRATCH 256
int hijack_scratch(struct hijack *h, const void *data, size_t len, uint64_t *addr_ret);

/** hijack_tid() - the thread in our hands. */
pid_t hijack_tid(const struct hijack *h);

/** hijack_paused_ns() - how long it has been stopped so far. */
uint64_t hijack_paused_ns(const struct hijack *h);

/**
 * hijack_syscall() - run one system call in the thread.
 * @ret: what the kernel returned, -errno included.
 * Return: 0 when it ran; -ESRCH; -ETIMEDOUT.
 */
int hijack_syscall(struct hijack *h, long nr, const uint64_t args[static 6], int64_t *ret);

/**
 * hijack_call() - run the code at target address @addr, as a C function with @args, until it
 * returns. It must be short, must not block, and may change all general registers but the stack
 * pointer; the floating point and vector registers are the thread's own. Its results go through
 * memory.
 *
 * Return: 0; -ESRCH; -ETIMEDOUT; -EFAULT when it touched memory it may not: it was given up there.
 */
int hijack_call(struct hijack *h, uint64_t addr, const uint64_t args[static 3]);

/**
 * hijack_settle() - let go of threads that did not stop in time (they were stuck in the kernel)
 * and have stopped since. Every other function here does it on the way; a program that calls none
 * for a while calls this from time to time while it returns more than 0.
 * Return: how many have still not stopped.
 */
size_t hijack_settle(void);

/* For tests: if set, called between any two operations that the target could notice. */
extern void (*hijack_step)(void);

#endif
