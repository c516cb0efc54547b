/* SPDX-License-Identifier: MIT */
/*
 * agent_find.h - reach the control socket of hotprobe's agent in a target, wherever that is.
 *
 * A name in the abstract namespace is seen within its network namespace only, and the agent accepts
 * root and its own user as its own user namespace counts them. We change neither of ours: a child
 * that lives for a moment does, connects, and hands the socket over.
 *
 * A name proves nothing. Only a socket of the target's own is connected to (agent_listener.h); who
 * else holds a name is passed over, and said.
 */
#ifndef HP_AGENT_FIND_H
#define HP_AGENT_FIND_H

#include <sys/types.h>

#include "base/util.h"

/**
 * agent_find() - connect to the control socket that process @pid listens on.
 * @ns_pid_ret: @pid as the process itself sees it, which is part of the name.
 * Return: 0; -ENOENT it listens on none; -EPERM its network namespace is closed to us; -ETIMEDOUT
 * it takes no connections; -ESRCH; -errno.
 */
int agent_find(pid_t pid, pid_t *ns_pid_ret, int *fd_ret);

#endif
