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
#include "proto/request.h"
#include "runtime/runtime.h"

struct answer;

/* A kind of request. Those that are over when run() returns have no stop() and resume(). */
struct request_ops {
	/*
	 * Answer it; what fails is said. With @a->job set it goes on until answer_done().
	 * Return: what it has come to, without a job.
	 */
	enum status (*run)(struct answer *a, const struct request *req);
	void (*stop)(void *job);   /* end now, and call answer_done() */
	void (*resume)(void *job); /* the client has read: go on */
};

#define REQUEST_DECLARE(NAME, name) extern const struct request_ops request_##name;
REQUESTS(REQUEST_DECLARE)
#undef REQUEST_DECLARE

/* The request that runs. What it points to is the engine's. */
struct answer {
	struct loop *loop;
	struct conn *conn;
	struct encoder *encoder;
	const struct request_ops *ops;
	void *job;    /* of a request that goes on */
	pid_t pid;    /* of the process it is about; 0: none */
	bool existed; /* that process was there when the request began */
	void (*done)(struct answer *a, enum status status);
};

/** answer_about() - remember which process the request is about, and whether it is there. */
void answer_about(struct answer *a, pid_t pid);

/** answer_done() - the job has ended and is gone. */
void answer_done(struct answer *a, enum status status);

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
 * @err: 0 or more if all went well. @f: may be NULL.
 * Return: the exit status that it comes to.
 */
enum status answer_failed(const struct answer *a, int err, const struct fail *f);

/** answer_ended_soon() - is @pid gone, or about to be within 0.3 s? */
bool answer_ended_soon(pid_t pid);

#endif
