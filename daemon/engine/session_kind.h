/* SPDX-License-Identifier: MIT */
/*
 * session_kind.h - what differs between tracing a JVM (session_jvm.c) and tracing native images
 * (session_image.c). For them and session.c only.
 */
#ifndef HP_SESSION_KIND_H
#define HP_SESSION_KIND_H

#include "probe/probes.h"
#include "engine/session.h"
#include "output/decode.h"

enum session_state { SESSION_OPENING, SESSION_LIVE, SESSION_DETACHING };

struct session_kind {
	/*
	 * Bring probes into place: fills what the session has for that. Prints one error line when
	 * it fails; what it had filled is for free(). There are at most SPECS_MAX SPECs. Return: 0;
	 * -errno.
	 */
	int (*attach)(struct session *s, const struct trace_request *req);
	/* Its part of the "attached" event; and what else there is to say, once that is written. */
	void (*attached)(struct session *s, struct attached_event *ev);
	void (*notes)(struct session *s);
	/* Around the removal of probes; NULL: nothing to do. */
	void (*detach)(struct session *s, bool begin);
	void (*free)(struct session *s);
};

extern const struct session_kind session_jvm, session_image;

struct session {
	const struct session_kind *kind;
	void *own; /* the kind's */

	/* Filled by attach(). */
	const struct proc_id *id; /* the one process; NULL: any of an image */
	struct remote *remote;	  /* NULL: nothing is done inside it */
	struct probes *probes;

	enum session_state state;
	struct loop *loop;
	struct conn *conn;
	session_done_fn *done;
	void *done_arg;
	uint64_t start_ns;

	uint64_t count_max, events, hits, lost, lost_ns;
	uint64_t unshown, unshown_told; /* fetched, but nobody reads, or not understood */
	bool paused;			/* too much is unsent: the ring is not looked at */
	bool deaf;			/* the client does not read: count, do not write */
	bool replaced;			/* the process has executed another program meanwhile */
	struct encoder *encoder;	/* not owned */
	struct decode decode;
	struct loop_source *ring_src, *fetch_timer, *pid_src, *duration_timer;
};

/** session_record() - a record of the probes; the record_fn of both kinds, with the session as
 * @arg. */
int session_record(void *arg, const struct hp_record *rec, size_t size);

/** session_changed() - EVENT_PROBED or EVENT_UNPROBED of @p. */
void session_changed(struct session *s, enum event_kind kind, struct probe *p, const char *why);

#endif
