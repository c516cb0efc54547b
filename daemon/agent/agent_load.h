/* SPDX-License-Identifier: MIT */
/*
 * agent_load.h - load a JVMTI agent into a running JVM, by HotSpot's own attach mechanism.
 */
#ifndef HP_AGENT_LOAD_H
#define HP_AGENT_LOAD_H

#include <sys/types.h>

#include "base/fail.h"
#include "base/util.h"

/* What version 1 of the protocol allows for one argument (JDK 17: arg_length_max). */
#define AGENT_LOAD_ARG_MAX 1024

/**
 * agent_load() - make JVM @pid load @lib_path and call its Agent_OnAttach with @options.
 * @lib_path: the library as we see it. The JVM may live in another root or be another user's: where
 *	it cannot read that very file it is given a copy, which is unlinked once it is loaded. A
 *	copy is a library of its own to the JVM, also when the same one was loaded before.
 * @options: "" for none; at most AGENT_LOAD_ARG_MAX bytes.
 *
 * Needs no ptrace: the rights of the JVM's user where we share its root, else CAP_SYS_CHROOT; to be
 * another user, CAP_SETUID and CAP_SETGID too. JDK 21+ writes a warning of three lines to the JVM's
 * stderr, unless it runs with -XX:+EnableDynamicAgentLoading. The JVM keeps its attach socket,
 * /tmp/.java_pidN, as after any attach; nothing else stays behind.
 *
 * Blocks up to 12 s. A child process does the work: we never change our root or user.
 *
 * Return: 0: the agent's Agent_OnAttach returned 0; -ESRCH no such process, or it ended meanwhile;
 * -EPERM; -EINVAL @options or the path is too long; -ENOENT @lib_path cannot be opened;
 * -EOPNOTSUPP not a HotSpot JVM of glibc, or it refuses: attaching or dynamic loading is switched
 * off, it handles no SIGQUIT (-Xrs) and listens nowhere, it cannot load the library, the agent
 * gave up, or a file in its /tmp is in the way; -ETIMEDOUT it is stopped or does not answer;
 * -EPROTO its answer makes no sense; -errno of the file system or fork(2).
 * Source: docs/hotspot.md, "Attach mechanism".
 */
int agent_load(pid_t pid, const char *lib_path, const char *options, struct fail *f);

#endif
