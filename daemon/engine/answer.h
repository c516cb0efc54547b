/* SPDX-License-Identifier: MIT */
/*
 * answer.h - where the answer of a request goes, and how a failure becomes a line and a status.
 */
#ifndef HP_ANSWER_H
#define HP_ANSWER_H

#include "base/fail.h"
#include "output/encoder.h"
#include "proto/conn.h"
#include "proto/proto.h"
#include "runtime/runtime.h"

/* Not owned, and alive while the request runs. */
struct answer {
	struct conn *conn;
	struct encoder *encoder;
};

/** answer_event() - write one event. */
void answer_event(struct answer *a, const struct event *ev);

/**
 * answer_room() - where much may come: let the client read, as long as it does, until it is not far
 * behind. Return: false when it is gone.
 */
bool answer_room(struct answer *a);

/**
 * answer_failed() - say what has failed, in one line; or that the target has ended, which explains
 * any other failure. Waits up to 0.3 s for a target that may be dying.
 * @err: 0 or more if all went well. @pid: 0 if it was about no process. @f: may be NULL.
 * Return: the exit status that it comes to.
 */
enum status answer_failed(int err, pid_t pid, const struct fail *f);

/** answer_ended_soon() - is @pid gone, or about to be within 0.3 s? */
bool answer_ended_soon(pid_t pid);

#endif
