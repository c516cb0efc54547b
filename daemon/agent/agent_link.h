/* SPDX-License-Identifier: MIT */
/*
 * agent_link.h - talk to hotprobe's agent inside a target (jvmagent/wire.h).
 *
 * Whoever answers is hostile: it is known to be the target, and nothing more. Each reply is checked
 * before anything in it is used, and each request has a deadline. After an answer that was late or
 * wrong the link is of no more use: a later answer would be taken for that of another question.
 */
#ifndef HP_AGENT_LINK_H
#define HP_AGENT_LINK_H

#include <linux/types.h>
#include <sys/types.h>

#include "jvmagent/wire.h"
#include "base/util.h"

/* How long is waited for a reply; a safepoint may have to wait for threads. Tests wait less. */
extern uint64_t agent_limit_ns, agent_safepoint_ns;

struct agent_link {
	pid_t pid;
	int fd;
	int broken;	     /* 0, or why it is of no use any more */
	uint32_t version;    /* what the agent said in its HELLO */
	uint32_t phase, jdk; /* jvmtiPhase, JDK feature version */
};

/**
 * agent_link_open() - find the agent in @pid, also in another network namespace, and claim it: it
 * serves one at a time.
 * Return: 0; -ENOENT none is there; -EBUSY another one is connected; -ECONNREFUSED it refuses us;
 * -EPERM its network namespace is closed to us; -EPROTO; -ETIMEDOUT; -ESRCH; -ENOMEM.
 */
int agent_link_open(pid_t pid, struct agent_link **ret);
void agent_link_close(struct agent_link *l);

/* One request, and what came back. */
struct agent_ask {
	uint16_t kind;
	uint64_t arg[7];
	const void *data;
	size_t len;	   /* at most HP_AGENT_DATA_MAX */
	uint64_t limit_ns; /* 0: agent_limit_ns */

	int64_t result;
	uint64_t reply[7]; /* its arg */
	int fd; /* the descriptor that came with result 0 of HP_AGENT_FD and _OPEN, else -1 */
};

/**
 * agent_link_ask() - send a request and wait for its reply.
 * Return: 0 with @a->result set, which may be an error of the agent's; -ETIMEDOUT; -EPROTO; -ESRCH.
 */
int agent_link_ask(struct agent_link *l, struct agent_ask *a);

#endif
