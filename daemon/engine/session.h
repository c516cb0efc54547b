/* SPDX-License-Identifier: MIT */
/*
 * session.h - one client's trace of one target.
 *
 * A session owns everything it brings into being (target, map, region, probes) and takes it down in
 * reverse order. It runs on the engine's loop and writes lines to the client's connection.
 */
#ifndef HP_SESSION_H
#define HP_SESSION_H

#include "engine/answer.h"

struct session;

/**
 * session_open() - attach and trace; events go to @a, until session_stop() or until the session
 * ends by itself, and then answer_done(). Return: STATUS_OK with *@ret set; otherwise what went
 * wrong, which is said.
 */
enum status session_open(struct answer *a, const struct trace_request *req, struct session **ret);

/** session_stop() - detach now; @reason as in the "detached" event. Calls answer_done(). */
void session_stop(struct session *s, const char *reason);

/**
 * session_resume() - the connection has room again: go on fetching events.
 */
void session_resume(struct session *s);

#endif
