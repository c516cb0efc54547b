/* SPDX-License-Identifier: MIT */
/*
 * thread_state.h - everything a stopped thread has to be given back.
 */
#ifndef HP_THREAD_STATE_H
#define HP_THREAD_STATE_H

#include <sys/types.h>

#include "arch/sigframe.h"

/**
 * thread_state_read() - the state of thread @tid, which is stopped and ours (tracee.h).
 *
 * Return: 0; -EAGAIN when it is at a place where it cannot be borrowed, a restartable sequence;
 * -EOPNOTSUPP (32-bit code, or registers that the kernel does not show); -ESRCH.
 */
int thread_state_read(pid_t tid, struct sigframe_state *s);

#endif
