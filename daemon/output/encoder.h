/* SPDX-License-Identifier: MIT */
/*
 * encoder.h - events (event.h) become bytes for a client, in the form it asked for.
 *
 * A form is one file with a struct encoder_ops, and a line in encoder.c's table. An encoder writes
 * straight into the connection's buffer; hits come up to a million a second, so it allocates
 * nothing per event.
 */
#ifndef HP_ENCODER_H
#define HP_ENCODER_H

#include "base/buf.h"
#include "output/event.h"

struct encoder;

struct encoder_ops {
	const char *name;
	size_t own_size; /* of what the form remembers between events, zeroed at first */
	/* Write one event of each kind. EVENT_ATTACHED is the first of a trace and EVENT_DETACHED
	 * the last.
	 */
	void (*add[EVENT_KINDS])(struct encoder *e, const struct event *ev);
	/* Write the part of each event of a probe that is always the same. */
	void (*head)(struct encoder *e, const struct probe *p);
	/* A thread's name, which is kept for later events; without NUL. */
	void (*thread)(struct buf *b, const struct event_text *t);
};

extern const struct encoder_ops encoder_json, encoder_text_lines;

struct encoder_options {
	bool color;   /* for a terminal that takes colours */
	bool header;  /* a person looks at it: the columns of a list of methods have names */
	bool say_pid; /* the lines of several targets go to one reader: each call says whose it is
		       */
};

/*
 * Bytes of what one event becomes, which the protocol allows for a line (docs/protocol.md). Where
 * it would take more, each text of the target's in it is cut to ENCODER_TEXT_CUT bytes: a call has
 * at most 255 types, HP_REFS_MAX classes or strings and five other texts, of which each byte may
 * take six.
 */
#define ENCODER_LINE_MAX (1u << 20)
#define ENCODER_TEXT_CUT 512

struct encoder {
	const struct encoder_ops *ops;
	struct encoder_options opt;
	struct buf *out; /* not owned */
	size_t text_max; /* ENCODER_TEXT_CUT where the line is to be shortened, else SIZE_MAX */
	uint64_t own[];	 /* @ops->own_size bytes */
};

/**
 * encoder_new() - an encoder of the form @name that writes to @out.
 * Return: it, for encoder_free(); NULL with errno EINVAL: no such form; ENOMEM.
 */
struct encoder *encoder_new(const char *name, const struct encoder_options *opt, struct buf *out);
void encoder_free(struct encoder *e); /* accepts NULL */

/** encoder_event() - write one event, in at most ENCODER_LINE_MAX bytes. */
void encoder_event(struct encoder *e, const struct event *ev);

/** encoder_thread() - a thread's name in this form, to be kept: see struct call_event. */
void encoder_thread(const struct encoder *e, struct buf *b, const struct event_text *t);

/** encoder_head() - for forms: write the probe's constant part. Out of memory it is left out. */
void encoder_head(struct encoder *e, struct probe *p);

/** encoder_cut() - for forms: how much of @t a line has room for that is to be shortened. */
uint32_t encoder_cut(const struct encoder *e, const struct event_text *t);

/**
 * encoder_method() - for forms: the same of a method, by its descriptor. Where that is not known,
 * the name alone.
 */
void encoder_method(struct buf *b, const struct method *m);

/** encoder_title() - for forms: "com.shop.Cart.add(int, java.lang.String)", unescaped. */
void encoder_title(struct buf *b, const struct probe *p);

/** encoder_coverage() - for forms: "not yet". */
const char *encoder_coverage(enum coverage_state state);

#endif
