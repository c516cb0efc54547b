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

	/* What the client has said meanwhile. */
	bool stopped;	     /* it wants no more, or is gone */
	bool held;	     /* its reader is slow */
	bool settled;	     /* it has said what was not written: so much */
	uint64_t unwritten;  /* calls, or lines of other requests */
	uint64_t stopped_ns; /* when */
	/* Send, and take what comes, for up to @timeout_ms. Return: false when the client is gone.
	 */
	bool (*listen)(struct answer *a, int timeout_ms);

	uint64_t dropped, dropped_told; /* events: it did not read */
};

/** answer_about() - remember which process the request is about, and whether it is there. */
void answer_about(struct answer *a, pid_t pid);

/** answer_done() - the job has ended and is gone. */
void answer_done(struct answer *a, enum status status);

/**
 * answer_event() - write one event. While the client reads nothing and much waits for it, events
 * are dropped, and a warning says so later.
 */
void answer_event(struct answer *a, const struct event *ev);

/** answer_full() - shall fewer events come, because the client or its reader is behind? */
bool answer_full(const struct answer *a);

/**
 * answer_room() - where much may come: let the client read, until it is not far behind.
 * Return: false when it is gone or wants no more.
 */
bool answer_room(struct answer *a);

/**
 * answer_drain() - the same where the request ends anyway: as long as the client goes on reading,
 * but not for long after it has said "stop". Return: false when that is over.
 */
bool answer_drain(struct answer *a);

/**
 * answer_settle() - let the client say, within a deadline, how much of what it was sent it could
 * not write. Return: that; 0 when it says nothing.
 */
uint64_t answer_settle(struct answer *a);

/**
 * answer_failed() - say what has failed, in one line; or that the target has ended, which explains
 * any other failure. Waits up to 0.3 s for a target that may be dying. What was given up because
 * the client said so (-ECANCELED) is no failure.
 * @err: 0 or more if all went well. @f: may be NULL.
 * Return: the exit status that it comes to.
 */
enum status answer_failed(const struct answer *a, int err, const struct fail *f);

#endif
