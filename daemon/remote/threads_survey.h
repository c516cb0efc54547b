/* SPDX-License-Identifier: MIT */
/*
 * threads_survey.h - look at every thread of a process, where it is and what lies on its stack.
 */
#ifndef HP_THREADS_SURVEY_H
#define HP_THREADS_SURVEY_H

#include <sys/types.h>

#include "base/util.h"

/* Return: 1 to go on to the next thread; 0 or -errno ends the survey with that. */
typedef int threads_survey_fn(const void *ctx, pid_t tid, uint64_t pc, uint64_t sp);

/**
 * threads_survey() - call @fn for each thread of @pid.
 *
 * A thread that sleeps in a system call is not stopped: the kernel tells where its stack and
 * program counter are; it may have gone on when @fn looks at its stack. Others are stopped while
 * @fn looks. Threads that end meanwhile are passed over; one that begins meanwhile may be. Return:
 * 1 when all were seen; else what @fn returned; -ESRCH; -EPERM; -ETIMEDOUT; -ENOMEM.
 */
int threads_survey(pid_t pid, threads_survey_fn *fn, const void *ctx);

#endif
