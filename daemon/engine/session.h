/* SPDX-License-Identifier: MIT */
/*
 * session.h - one client's long request on one target: trace, or following the symbol map.
 *
 * A session owns everything it brings into being (target, map, region, probes) and takes it down in
 * reverse order. It runs on the engine's loop and writes lines to the client's connection.
 */
#ifndef HP_SESSION_H
#define HP_SESSION_H

#include "base/fail.h"
#include "base/loop.h"
#include "proto/conn.h"
#include "proto/proto.h"
#include "proto/request.h"

struct session;

/* Called once, when a session has ended by itself or by session_stop(); it is gone after. */
typedef void session_done_fn(void *arg, enum status status);

/**
 * session_trace() - attach and trace; events go by @e to @conn until the session is done.
 * Return: STATUS_OK with *@ret set; otherwise what went wrong (said by log_err() already), and
 * @done is not called.
 */
enum status session_trace(struct loop *loop, struct conn *conn, struct encoder *e,
			  const struct trace_request *req, session_done_fn *done, void *arg,
			  struct session **ret);

/** session_stop() - detach now; @reason as in the "detached" event. Calls done(). */
void session_stop(struct session *s, const char *reason);

/**
 * session_resume() - the connection has room again: go on fetching events.
 */
void session_resume(struct session *s);

#endif
