/* SPDX-License-Identifier: MIT */
/*
 * reply.h - the lines that an engine sends: data, which is copied to its reader as it stands, and
 * control lines, which are for the client: docs/protocol.md. Written here and read here.
 */
#ifndef HP_REPLY_H
#define HP_REPLY_H

#include "base/buf.h"
#include "base/log.h"
#include "proto/proto.h"

/* A note as it is received; a longer one is cut. */
#define REPLY_NOTE_MAX (4 * LOG_TEXT_MAX)

enum reply_kind {
	REPLY_DATA,	/* for stdout */
	REPLY_MESSAGE,	/* text format: for stderr */
	REPLY_NOTE,	/* for a person */
	REPLY_ATTACHED, /* every matching method is probed */
	REPLY_ENDING,	/* the probes are gone: say what was not written, for the last events */
	REPLY_DONE,	/* the request has ended */
};

struct reply {
	enum reply_kind kind;
	const char *text; /* DATA, MESSAGE: in the line that was given, without a newline */
	size_t len;
	enum log_level level; /* NOTE */
	char note[REPLY_NOTE_MAX];
	enum status status; /* DONE */
};

void reply_note(struct buf *b, enum log_level level, const char *text);
void reply_attached(struct buf *b);
void reply_ending(struct buf *b);
void reply_done(struct buf *b, enum status status);

/**
 * reply_decode() - what one line is. What is no control line is data.
 * Return: 0; -EPROTO a control line that cannot be read; -ENOMEM.
 */
int reply_decode(const char *line, size_t len, struct reply *ret);

#endif
