/* SPDX-License-Identifier: MIT */
/*
 * trial.h - what a seccomp filter does at the system calls that we make in somebody's JVM.
 *
 * A filter may answer a call that it does not know by ending the process. So a child makes each of
 * them first, with arguments with which it can only fail: it has the same filter (seccomp(2)), and
 * only the child ends. The child shares our memory and descriptors, as a thread does, so it costs
 * no copy of either, and nothing that it does stays.
 */
#ifndef HP_AGENT_TRIAL_H
#define HP_AGENT_TRIAL_H

#include <stdbool.h>

/* What is tried: the agent's own calls, which it makes without being asked; or also hotprobe's. */
enum trial_what { TRIAL_AGENT, TRIAL_ALL };

struct trial {
	long nr;   /* the first call that is not allowed */
	int error; /* the filter's answer to it; 0: it ends the process, or does not answer */
};

/**
 * trial_run() - try the calling thread's calls, if it has a filter. One thread at a time. Takes up
 * to TRIAL_LIMIT_MS, twice when the child cannot be ended.
 * Return: 0 they are allowed; -EPERM and @ret; -errno when there can be no child.
 */
int trial_run(enum trial_what what, struct trial *ret);
#define TRIAL_LIMIT_MS 1000

/**
 * trial_deadly() - would one of all calls end the process? Tried anew only when a filter has come.
 * For one thread of the agent, always the same.
 */
bool trial_deadly(void);

#endif
