/* SPDX-License-Identifier: MIT */
/*
 * threads_wait.h - wait for threads that an instance which was killed has put into a remote call.
 */
#ifndef HP_THREADS_WAIT_H
#define HP_THREADS_WAIT_H

#include <sys/types.h>

#include "base/util.h"

/**
 * threads_wait() - wait until no thread of @pid is in a remote call of a killed instance any more.
 * To be called when no other instance can be at work there.
 * Return: 0; -EAGAIN when one still is after a second; as threads_outside().
 */
int threads_wait(pid_t pid);

#endif
