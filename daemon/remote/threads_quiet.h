/* SPDX-License-Identifier: MIT */
/*
 * threads_quiet.h - wait for a killed instance's remote calls, without the right to look at the
 * threads that make them.
 */
#ifndef HP_THREADS_QUIET_H
#define HP_THREADS_QUIET_H

#include <sys/types.h>

/**
 * threads_quiet_wait() - as threads_wait(), from what /proc tells anybody.
 * Return: 0; -EAGAIN when some thread is traced, or too little was to be seen of it, for a second;
 * -ESRCH; -EPERM; -ENOMEM.
 */
int threads_quiet_wait(pid_t pid);

#endif
