/* SPDX-License-Identifier: MIT */
/*
 * agent_listener.h - the sockets of a target's own that listen at a name of its agent.
 *
 * Anybody of the network namespace may take such a name, and fill its queue so that whoever
 * connects must wait or give up. So the kernel is asked who listens there, and whose that is,
 * before anything is connected to.
 */
#ifndef HP_AGENT_LISTENER_H
#define HP_AGENT_LISTENER_H

#include <linux/types.h>
#include <sys/types.h>
#include <sys/un.h>

#include "base/util.h"
#include "jvmagent/wire.h"

#define AGENT_LISTENER_MS 1000

struct agent_listener {
	struct sockaddr_un addr;
	socklen_t len;
	bool sure; /* is it known to be the target's? Else it is only a name */
};

struct agent_listeners {
	struct agent_listener own[HP_AGENT_NAMES_MAX];
	size_t n;
	bool taken; /* others hold a name, too: one of them is ... */
	uid_t taker;
	char taken_name[64]; /* without the "@" */
};

/**
 * agent_listener_find() - look in the network namespace of the calling thread.
 * @ns_pid: @pid as the process itself sees it; @uid: effective. Where the descriptors of @pid may
 * not be seen, sockets of that user count as its own. Where the kernel does not tell who listens,
 * each name of a fixed form is given, and none is sure.
 *
 * Takes AGENT_LISTENER_MS at most, then what was found counts.
 * Return: 0; -ENOMEM, -EMFILE, -ENFILE we are short of something.
 * Source: sock_diag(7); Linux net/unix/diag.c: unix_diag_dump(), sk_diag_dump_uid() (5.3).
 */
int agent_listener_find(pid_t pid, pid_t ns_pid, uid_t uid, struct agent_listeners *ret);

#endif
