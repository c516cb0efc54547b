/* SPDX-License-Identifier: MIT */
/*
 * agent.h - what the parts of the agent know of each other.
 *
 * The agent lives in somebody else's production JVM. Whatever happens here must not hurt it: no
 * Java thread ever waits for I/O, nothing is enabled while nobody listens, no signal handler or
 * other state of the process is touched, and every failure of ours ends in "the JVM goes on
 * without us".
 *
 * Two threads: "hotprobe-events" (sender.c) writes the event stream, "hotprobe-ctl" (control.c)
 * answers requests. Neither is a Java thread, but for the moments between vm_attach() and
 * vm_detach().
 */
#ifndef HP_AGENT_H
#define HP_AGENT_H

#include <jvmti.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "text.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define _unused_      __attribute__((unused))

#define JDK_MIN 17
#define JDK_MAX 25

struct agent {
	JavaVM *vm;
	jvmtiEnv *ti;
	int jdk; /* feature version */
	char release[128], vm_name[128];
};

extern struct agent agent; /* written once, before any thread of ours starts */

/** say() - one line on stderr, unless the option quiet was given. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** thread_begin() - start a detached thread of ours, closed to signals. 0; -errno. */
int thread_begin(void *(*run)(void *), void *arg, const char *name);

/* --- vm.c: may the VM be called? --- */

/**
 * vm_begin() / vm_end() - around all that must not go on while the VM dies; bounded work only.
 * Return: 0; -ESRCH after the VM's death, and then no vm_end().
 */
int vm_begin(void);
void vm_end(void);

/**
 * vm_attach() / vm_detach() - vm_begin(), and make the calling thread a Java daemon thread.
 * Return: 0; -EAGAIN before the VM is initialised or if it refuses; -ESRCH after its death.
 */
int vm_attach(const char *name, JNIEnv **ret);
void vm_detach(void);

/** vm_attached() - is this a thread of ours between the two? */
bool vm_attached(void);

/** vm_phase() - ONLOAD, START, LIVE or DEAD, as vm_set_phase() had it last. */
jvmtiPhase vm_phase(void);
void vm_set_phase(jvmtiPhase phase);

/** vm_set_dead() - later calls of vm_begin() fail; wait at most @timeout_ms for those under way. */
void vm_set_dead(int timeout_ms);

/* --- callbacks.c: JVMTI events become lines --- */

/** events_prepare() - capabilities, callbacks, the events always on. 0; -EOPNOTSUPP. */
int events_prepare(void);

/** events_enable() - switch what matters to listeners only. Needs vm_attach(). */
void events_enable(JNIEnv *jni, bool on);

/** events_replay() - tell all code there is to sender_replay_line(). Needs vm_attach(). */
void events_replay(void);

/** events_hello() - the stream's first line. */
void events_hello(struct text *t);

/* --- sender.c: the event stream --- */

/** sender_start() - @queue_bytes: between producers and the sender. 0; -errno. */
int sender_start(size_t queue_bytes);

/** sender_add_file() - a file that takes every line; to be called once. 0; -errno. */
int sender_add_file(const char *path);

/** sender_line() - a whole line for every sink. Never waits; what does not fit is counted. */
void sender_line(const struct text *t);

/** sender_end() - the very last line. */
void sender_end(const struct text *t);

/** sender_replay_line() - true: the line belonged to a replay, and has been taken. */
bool sender_replay_line(const struct text *t);

/** sender_replaying() - is this the sender's own thread at a replay? */
bool sender_replaying(void);

/** sender_wake() - the VM's state has changed. */
void sender_wake(void);

/** sender_flush() - wait at most @timeout_ms until all that was queued is written. */
void sender_flush(int timeout_ms);

/* --- control.c, launch.c --- */

/** control_start() - listen for requests. 0; -EALREADY if this process has an agent; -errno. */
int control_start(void);

/** launch_connect() - tell the launcher at @name who we are. 0; -errno. */
int launch_connect(const char *name);

/** launch_hold() - wait for launch_go(), the launcher's end, or LAUNCH_HOLD_MS. */
void launch_hold(void);
void launch_go(void);

#endif
