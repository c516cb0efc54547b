/* SPDX-License-Identifier: MIT */
/*
 * output.h - where data and messages go: to stdout or a file, and to stderr. Nothing here waits for
 * whoever reads them; see writer.h.
 *
 * How long the end may take. A signal: its moment is when output_hurry() is called. For a second
 * after it lines are still written as they come; then what waits is given up, so that the last
 * ones, which say how much that was, have a chance; before two seconds have passed all is over.
 * Without a signal, the end of something that goes on for ever is over once the reader has taken
 * nothing for a second; and a listing waits.
 */
#ifndef HP_CLI_OUTPUT_H
#define HP_CLI_OUTPUT_H

#include <poll.h>

#include "cli/options.h"

#define OUTPUT_FDS 2

struct writer;

struct output {
	struct writer *data, *messages; /* the same one where both go to the same file */
	const char *name;		/* -o FILE; NULL: stdout */
	int signal_fd;			/* not owned */
	bool follows;			/* what is asked for goes on until it is ended */
	bool trace;			/* lines that count are calls */
	bool shared;			/* the end of one request is not the end of it */
	bool had_terminal, tty;
	bool slow, mute; /* the reader is behind; nobody takes messages */
	bool last;	 /* what comes now are the last lines, and small */

	int err, full;		      /* why writing has failed; why it waits */
	uint32_t reopened;	      /* of these, known to be done */
	uint64_t unwritten;	      /* calls, or lines of a listing, and of these */
	uint64_t told;		      /* output_unwritten() has said */
	uint64_t muted;		      /* messages */
	uint64_t hurry_ns;	      /* when a signal came; 0 */
	uint64_t settle_ns, close_ns; /* when output_settled(), output_close() was first called */
	uint64_t done, done_ns;	      /* how far the writer had come, and when that changed */
};

/**
 * output_open() - once the file is open, which may take any time.
 * @signal_fd: of signals_open(); a signal that ends a command gives it up.
 * Return: 0; -EIO (said); -EINTR a signal came.
 */
int output_open(struct output *o, const struct options *opt, int signal_fd);

/**
 * output_request() - how an engine is to write for it: as @opt asks, and with colours on a terminal
 * unless NO_COLOR is set.
 */
struct output_request output_request(const struct output *o, const struct options *opt);

/** output_data() - a line of data; when there is no room, it is counted. */
void output_data(struct output *o, const char *line, size_t len);

/** output_message() - a line for a person. Behind the data that came before, on a terminal. */
void output_message(struct output *o, const char *line, size_t len);

/** output_say() - the same with "hotprobe: " before it. */
void output_say(struct output *o, const char *fmt, ...) _printf_(2, 3);

/** output_poll() - what to wait for beside other things. @ret: OUTPUT_FDS of them. */
void output_poll(const struct output *o, struct pollfd *ret);

/** output_timeout_ms() - and for how long; -1 for ever. @ending: output_settled() is asked. */
int output_timeout_ms(const struct output *o, bool ending);

/** output_work() - after each wait. Return: false when nothing can be written any more. */
bool output_work(struct output *o);

/** output_slow() - is the reader behind, so that fewer lines should come? */
bool output_slow(const struct output *o);

/**
 * output_hangup() - SIGHUP has come: reopen the file of -o, for the rotation of logs. Return: false
 * if there is none, or the terminal that we were started from is gone: then it means the end.
 */
bool output_hangup(struct output *o);

/** output_hurry() - a signal has come that ends the command. Only the first counts. */
void output_hurry(struct output *o);

/** output_hurried() - is that more than @ns ago? */
bool output_hurried(const struct output *o, uint64_t ns);

/**
 * output_settled() - at the end: is everything written? When that has taken too long, what waits is
 * given up, and it is.
 */
bool output_settled(struct output *o);

/** output_unwritten() - what was lost since this was last asked. */
uint64_t output_unwritten(struct output *o);

/**
 * output_close() - write what waits, within the deadlines; what could not be written is said, as
 * far as that can be. Return: 0; -EIO when something is missing (said) that nobody's hurry
 * explains.
 */
int output_close(struct output *o);

#endif
