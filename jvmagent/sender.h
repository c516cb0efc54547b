/* SPDX-License-Identifier: MIT */
/* sender.h - the event stream: its thread, its listeners, its file. */
#ifndef HP_AGENT_SENDER_H
#define HP_AGENT_SENDER_H

#include <jvmti.h>
#include <stdbool.h>
#include <stddef.h>

#include "text.h"

/* Who makes the lines. Called by the sender's thread only. */
struct sender_source {
	/* Write the stream's first line. */
	void (*hello)(struct text *t);
	/* Switch the events that only listeners need. Inside vm_attach(). */
	void (*enable)(JNIEnv *jni, bool on);
	/* Give all code there is to sender_replay_line(). Inside vm_attach(). */
	void (*replay)(void);
};

/**
 * sender_start() - listen, and start the thread.
 * @queue_bytes: of the queue between producers and the sender.
 * @source: not copied.
 * Return: 0; -errno.
 */
int sender_start(size_t queue_bytes, const struct sender_source *source);

/** sender_add_file() - write every line to the file @path. Call it once. Return: 0; -errno. */
int sender_add_file(const char *path);

/** sender_line() - give a whole line to every sink. Never waits; counts what does not fit. */
void sender_line(const struct text *t);

/** sender_end() - give the very last line. */
void sender_end(const struct text *t);

/** sender_replay_line() - Return: true if the line belonged to a replay, and has been taken. */
bool sender_replay_line(const struct text *t);

/** sender_replaying() - is this the sender's own thread during a replay? */
bool sender_replaying(void);

/** sender_wake() - tell the sender that the VM's state has changed. */
void sender_wake(void);

/** sender_flush() - wait at most @timeout_ms until all that was queued is written. */
void sender_flush(int timeout_ms);

#endif
