/* SPDX-License-Identifier: MIT */
/*
 * threads_quiet.h - wait for threads that a killed instance sent on an errand, without the right to
 * look at them.
 */
#ifndef HP_THREADS_QUIET_H
#define HP_THREADS_QUIET_H

#include <sys/types.h>

/**
 * threads_quiet_wait() - as hijack_wait_calls(), from what /proc tells anybody.
 * Return: 0; -EAGAIN when some thread is traced, or too little was to be seen of it, for a second;
 * -ESRCH; -EPERM; -ENOMEM.
 */
int threads_quiet_wait(pid_t pid);

#endif
