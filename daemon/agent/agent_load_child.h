/* SPDX-License-Identifier: MIT */
/*
 * agent_load_child.h - between the two halves of agent_load.h: what the daemon prepares and what
 * its child does in the target's root.
 */
#ifndef HP_AGENT_LOAD_CHILD_H
#define HP_AGENT_LOAD_CHILD_H

#include "agent/agent_load_reply.h"
#include "proc/proc.h"

#define ATTACH_LIMIT_NS	 (10 * NSEC_PER_SEC) /* for all of the child's work */
#define ATTACH_PATH_SIZE 64
#define ATTACH_WHY_SIZE	 (ATTACH_TEXT_MAX + 256)

struct attach {
	struct proc_id id;
	struct jvm_info info;
	uid_t uid; /* effective, as we see them */
	gid_t gid;
	int proc;   /* /proc/PID, which the child cannot name any more in another root */
	int root;   /* the target's */
	int lib;    /* the library, open for reading */
	char *path; /* of the library, absolute */
	const char *options;
	uint64_t deadline_ns;
	char copy[ATTACH_PATH_SIZE];	/* child: copy of the library in the target's root, or "" */
	char trigger[ATTACH_PATH_SIZE]; /* child: the .attach_pid file, if we made it, or "" */
	char why[ATTACH_WHY_SIZE];	/* the reason of a failure */
};

/** agent_load_fail() - keep the reason of a failure. Return: @err. */
int agent_load_fail(struct attach *a, int err, const char *fmt, ...) _printf_(3, 4);
int agent_load_fail_gone(struct attach *a);

struct attach_status {
	char state;
	uid_t uid; /* effective */
	gid_t gid;
	uint64_t caught; /* signals that have a handler, bit SIG - 1 */
};

/** agent_load_status() - /proc/PID/status of the target. Return: 0; -ESRCH. */
int agent_load_status(struct attach *a, struct attach_status *ret);

/**
 * agent_load_child() - the child's work, with all that was prepared. Changes root and user for
 * good. Return: as agent_load(); a->why tells the reason.
 */
int agent_load_child(struct attach *a);

#endif
