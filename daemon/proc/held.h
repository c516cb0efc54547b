/* SPDX-License-Identifier: MIT */
/*
 * held.h - what keeps the threads of a process from doing what they are asked: somebody else's
 * debugger, a signal that stopped them, a frozen cgroup, a wait in the kernel. Found out after
 * something has failed, to say why; it may be over by then.
 */
#ifndef HP_HELD_H
#define HP_HELD_H

#include <sys/types.h>

#include "base/util.h"

#define HELD_TEXT_MAX 256

enum held_need {
	HELD_BORROW, /* that we can take a thread by ptrace */
	HELD_RUN,    /* that they run by themselves: the agent's */
};

/**
 * held_why() - what holds @pid, who, and what to do about it, to stand behind its PID.
 *
 * A tracer need not stop what it holds (strace): then the agent answers all the same, and for
 * HELD_RUN it is no reason.
 * Return: @buf; NULL when nothing is seen to hold it.
 */
const char *held_why(pid_t pid, enum held_need need, char buf[static HELD_TEXT_MAX]);

/**
 * held_frozen() - is the thread, which is in @state, frozen by its cgroup? It may stop for us then,
 * but does not get on.
 */
bool held_frozen(pid_t pid, pid_t tid, char state);

#endif
