/* SPDX-License-Identifier: MIT */
/*
 * agent.h - what all parts of the agent may use.
 *
 * The agent lives in somebody else's production JVM. Whatever happens here must not hurt it: no
 * Java thread ever waits for I/O, no event is enabled while nobody listens, no signal handler or
 * other state of the process is touched, and after every failure of ours the JVM goes on without
 * us.
 *
 * Two threads: "hotprobe-events" (sender.c) writes the event stream, "hotprobe-ctl" (control.c)
 * answers requests. Neither is a Java thread, except between vm_attach() and vm_detach().
 *
 * load.c is on top: it starts the others. callbacks.c makes lines and gives them to sender.c, which
 * knows it only as a struct sender_source.
 */
#ifndef HP_AGENT_H
#define HP_AGENT_H

#include <jvmti.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define _unused_      __attribute__((unused))

struct agent {
	JavaVM *vm;
	jvmtiEnv *ti;
	int jdk; /* feature version */
	bool quiet;
	char release[128], vm_name[128];
};

extern struct agent agent; /* written under load.c's lock, before any thread of ours starts */

/** agent_say() - write one line to stderr, unless the option quiet was given. */
void agent_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** agent_thread() - start a detached thread of ours, with signals blocked. Return: 0; -errno. */
int agent_thread(void *(*run)(void *), void *arg, const char *name);

#endif
