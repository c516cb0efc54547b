/* SPDX-License-Identifier: MIT */
/*
 * writer.h - a process that writes lines for us. Whatever it waits for - a reader that does not
 * read, a FIFO that nobody opens, a full disk, a file system that hangs - we do not wait for it.
 *
 * It is a process and not a thread, because a write() that hangs in a file system may be one that
 * even SIGKILL does not end, and a process ends only when all its threads do. It is not done
 * without: O_NONBLOCK would be set for everybody who shares the terminal, poll() says nothing of
 * files, and open() may hang as well.
 *
 *	client		   head -> | lines in shared memory | -> tail		writer
 *
 * The client puts whole lines, and the writer takes whole lines, so that what is given up at any
 * moment leaves no half of one behind.
 */
#ifndef HP_CLI_WRITER_H
#define HP_CLI_WRITER_H

#include "base/util.h"

#define WRITER_BYTES (4u << 20) /* lines that may wait */

struct writer;

/* Does this line, without its newline, count when it is lost? */
typedef bool writer_counts_fn(const char *line, size_t len);

struct writer_options {
	const char *path; /* to be created and written; NULL: @fd, which stays ours */
	int fd;
	bool waits;		  /* for room on a full disk; else that is an error as any other */
	writer_counts_fn *counts; /* NULL: every line */
};

/* What has become of it so far. */
struct writer_state {
	bool opened;	   /* it writes, or has written */
	bool tty;	   /* to a terminal */
	bool ended;	   /* the process is gone */
	int err;	   /* errno: it writes no more */
	int full;	   /* errno: the disk is full just now, and it tries again */
	uint32_t reopened; /* how many writer_reopen() are done */
	int reopen_err;	   /* errno of the last one: the former file is still written */
};

/** writer_start() - @opt->path outlives it. Return: it, for writer_end(); NULL with errno. */
struct writer *writer_start(const struct writer_options *opt);

/** writer_fd() - is readable when there is news: see writer_news() and writer_expect(). */
int writer_fd(const struct writer *w);

/** writer_news() - take the news. */
void writer_news(struct writer *w, struct writer_state *ret);

/** writer_put() - add a line; the newline is added. Return: false when there is no room. */
bool writer_put(struct writer *w, const char *line, size_t len);

/** writer_flush() - have it begin with what was put. */
void writer_flush(struct writer *w);

/** writer_pending() - bytes that are not yet written. */
size_t writer_pending(const struct writer *w);

/** writer_room() - bytes of lines that can be put now. */
size_t writer_room(const struct writer *w);

/** writer_done() - bytes that it has written or given up, since ever. */
uint64_t writer_done(const struct writer *w);

/** writer_expect() - let it be news when no more than @pending bytes wait. Once. */
void writer_expect(struct writer *w, size_t pending);

/** writer_reopen() - between two lines, close the file and open @path anew, appending. */
void writer_reopen(struct writer *w);

/**
 * writer_discard() - give up all lines but those that it is just writing.
 * Return: how many of them count.
 */
uint64_t writer_discard(struct writer *w);

/**
 * writer_finish() - let it end once it has written everything; its end is news, and only then is it
 * known that all is on its way to the disk.
 */
void writer_finish(struct writer *w);

/**
 * writer_end() - when it has ended, or will not. Of a file it finishes the lines that it is just
 * writing, unless that takes more than a second. Accepts NULL.
 * Return: how many lines that count are not written.
 */
uint64_t writer_end(struct writer *w);

#endif
