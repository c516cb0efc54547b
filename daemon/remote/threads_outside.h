/* SPDX-License-Identifier: MIT */
/*
 * threads_outside.h - is any thread of a process still inside a range of code?
 */
#ifndef HP_THREADS_OUTSIDE_H
#define HP_THREADS_OUTSIDE_H

#include <sys/types.h>

#include "base/util.h"

/**
 * threads_outside() - is every thread of @pid outside [@lo, @hi)?
 *
 * Stops one thread after the other, each for some microseconds, and looks at its program counter
 * and at the signal frames on its stack. The caller has made sure that nothing leads into
 * the range any more, so a thread seen outside stays outside.
 * Return: 1 all outside; 0 some thread is inside; -ESRCH; -EPERM; -ETIMEDOUT; -EAGAIN when it
 * cannot be told, as after the end of the primordial thread; -ENOMEM.
 */
int threads_outside(pid_t pid, uint64_t lo, uint64_t hi);

/* Is @addr, in the range that is asked about, really part of what is? */
typedef bool threads_inside_fn(void *arg, uint64_t addr);

/**
 * threads_outside_check() - the same for those addresses in [@lo, @hi) that @fn picks.
 */
int threads_outside_check(pid_t pid, uint64_t lo, uint64_t hi, threads_inside_fn *fn, void *arg);

#endif
