/* SPDX-License-Identifier: MIT */
/*
 * family.h - the processes that come of one that we have started.
 *
 * An orphan goes to the nearest ancestor that is a subreaper: us (prctl(2),
 * PR_SET_CHILD_SUBREAPER). So whatever the command starts stays below us as long as we live, also
 * what calls itself a daemon, and whoever is not below us does not come of the command. Nor do our
 * own helpers: children that were forked and run our program still.
 */
#ifndef HP_FAMILY_H
#define HP_FAMILY_H

#include "proc/proc.h"

struct family {
	pid_t self;
	uint64_t since; /* start time of the command: who is older does not come of it */
};

/**
 * family_adopt() - become the subreaper; before the command is started.
 * Return: 0; -errno; -ESRCH /proc does not show us, and will show nobody.
 */
int family_adopt(void);

/** family_open() - @command has just been started by us. Return: 0; -ESRCH. */
int family_open(struct family *f, pid_t command);

/** family_has() - does @pid come of the command? False also for who cannot be seen. */
bool family_has(const struct family *f, pid_t pid);

/** family_below() - is @pid a descendant of @ancestor? */
bool family_below(pid_t pid, pid_t ancestor);

struct kin {
	pid_t pid;
	struct proc_stat st;
};

/**
 * family_list() - all that come of the command, in order of PID.
 * @ret: malloc'd, NULL for none. Reads each entry of /proc once. Return: 0; -ENOMEM; -errno.
 */
int family_list(const struct family *f, struct kin **ret, size_t *n_ret);

#endif
