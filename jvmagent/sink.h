/* SPDX-License-Identifier: MIT */
/*
 * sink.h - one listener of the event stream, a reader's socket or the events file, and what it has
 * not taken yet. Whole lines or none; those that found no room are counted, and reported as
 * "dropped".
 */
#ifndef HP_AGENT_SINK_H
#define HP_AGENT_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

#define SINK_BYTES (2 * LINE_MAX_BYTES)

struct sink {
	int fd;	       /* -1: free */
	bool is_file;  /* always writable, but for a full disk */
	bool replayed; /* its replay has begun */
	bool silent;   /* the reader has closed its sending side; it may go on reading */
	char *data;    /* SINK_BYTES, of which [from, to) waits */
	size_t from, to;
	uint64_t dropped;
	uint64_t moved_ms; /* when it last took something */
};

/** sink_open() - @fd is the sink's from now on, non-blocking unless a file. 0; -ENOMEM. */
int sink_open(struct sink *s, int fd, bool is_file);
/** sink_close() - of a free or zeroed sink, too. */
void sink_close(struct sink *s);

/** sink_room() - write what can be written; is there room for @len bytes then? */
bool sink_room(struct sink *s, size_t len);

/** sink_put() - one line, after the news of those dropped before it. Never waits. */
void sink_put(struct sink *s, const char *line, size_t len);

/** sink_flush() - write what can be written. Return: 0; -errno: the reader is gone. */
int sink_flush(struct sink *s);

/** sink_is_empty() - has everything been written? Of a free one, too. */
bool sink_is_empty(const struct sink *s);

#endif
