/* SPDX-License-Identifier: MIT */
/*
 * conn.h - JSON lines over a stream socket: what the command line and the engine say to each
 * other. Both ends use it; docs/protocol.md is its description.
 */
#ifndef HP_CONN_H
#define HP_CONN_H

#include <jansson.h>

#include "base/buf.h"
#include "base/util.h"

#define CONN_LINE_MAX (1u << 20) /* a longer line is refused, by both ends */

struct conn {
	int fd;
	bool open;	    /* the descriptor is ours to close */
	struct buf in, out; /* received and not yet taken; written and not yet sent */
	size_t in_pos, out_pos;
	bool eof; /* the other end is gone */
};

void conn_init(struct conn *c, int fd);
void conn_fini(struct conn *c); /* closes the descriptor */
#define _cleanup_conn_ _cleanup_(conn_fini)

/**
 * conn_fill() - read what has arrived.
 * Return: 1 more may come at once; 0 nothing waits; -EPROTO for a line over CONN_LINE_MAX;
 * -errno. At the end of the stream sets @c->eof and returns 0.
 */
int conn_fill(struct conn *c);

/**
 * conn_line() - take the next whole line.
 * @ret, @len: the line without its newline; valid until the next conn_fill().
 * Return: true if there was one.
 */
bool conn_line(struct conn *c, const char **ret, size_t *len);

/**
 * conn_flush() - send what is queued, as far as the socket takes it.
 * Return: 0; -errno; -ENOMEM when something queued did not fit (BUF_MAX): the stream has a hole and
 * cannot go on.
 */
int conn_flush(struct conn *c);

/** conn_pending() - bytes queued and not yet sent. */
size_t conn_pending(const struct conn *c);

/** conn_send() - queue one object as a line and drop the caller's reference. 0; -ENOMEM. */
int conn_send(struct conn *c, json_t *obj);

#endif
