/* SPDX-License-Identifier: MIT */
/*
 * agent_load_child.h - between the two halves of agent_load.h: what the daemon prepares and what
 * its child does in the target's root.
 */
#ifndef HP_AGENT_LOAD_CHILD_H
#define HP_AGENT_LOAD_CHILD_H

#include "agent/agent_load_reply.h"
#include "base/fail.h"
#include "proc/jvm.h"

#define AGENT_LOAD_LIMIT_NS  (10 * NSEC_PER_SEC) /* for all of the child's work */
#define AGENT_LOAD_PATH_SIZE 64

struct agent_load {
	struct proc_id id;
	struct jvm_info info;
	uid_t uid; /* effective, as we see them */
	gid_t gid;
	int proc;   /* /proc/PID, which the child cannot name any more in another root: the leader's
		     * entry, whose status is good after its end too */
	int root;   /* the target's */
	int lib;    /* the library, open for reading */
	char *path; /* of the library, absolute */
	const char *options;
	uint64_t deadline_ns;
	char copy[AGENT_LOAD_PATH_SIZE]; /* child: copy of the library in the target's root, or ""
					  */
	char trigger[AGENT_LOAD_PATH_SIZE]; /* child: the .attach_pid file, if we made it, or "" */
	struct fail fail;		    /* the reason of a failure, after the PID */
};

_Static_assert(FAIL_TEXT_MAX >= AGENT_LOAD_TEXT_MAX + 256, "what the JVM says has room in it");

/** agent_load_gone() - the target has ended. Return: -ESRCH. */
int agent_load_gone(struct agent_load *a);

/** agent_load_fail() - it could not be looked at, maybe because of that. Return: @err. */
int agent_load_fail(struct agent_load *a, int err);

/** agent_load_status() - /proc/PID/status of the target. Return: 0; -ESRCH. */
int agent_load_status(struct agent_load *a, struct proc_status *ret);

/**
 * agent_load_child() - the child's work, with all that was prepared. Changes root and user for
 * good. Return: as agent_load(); @a->fail tells the reason.
 */
int agent_load_child(struct agent_load *a);

#endif
