/* SPDX-License-Identifier: MIT */
/*
 * client.h - a request to an engine of its own, and what comes back: for a command that has more to
 * wait for than one engine. The others call run_request().
 */
#ifndef HP_CLI_CLIENT_H
#define HP_CLI_CLIENT_H

#include "cli/cli.h"

struct client;

/**
 * client_start() - start an engine and send it @req, whose reference is taken.
 * @text: prints one object to @out for a person; unused with --json. @opt, @out: outlive the
 * client. Return: the client, for client_end(); NULL (said).
 */
struct client *client_start(const struct common *opt, json_t *req, text_fn *text, FILE *out);

/** client_fd() - when it is readable, client_read() has something to do. */
int client_fd(const struct client *c);

/** client_read() - print what has come. Return: will more come? */
bool client_read(struct client *c);

/** client_attached() - has an "attached" event come? */
bool client_attached(const struct client *c);

/** client_stop() - ask the engine to end the request; what it then says still has to be read. */
void client_stop(struct client *c);

/** client_end() - wait for the engine's end. Return: the request's status. @c is gone. */
enum status client_end(struct client *c);

/* Where data goes: stdout or a file. */
struct output {
	FILE *file;
	const char *name; /* NULL: stdout */
	int err;	  /* 0, or why something could not be written */
};

/** output_open() - Return: 0; -EIO (said). */
int output_open(struct output *o, const struct common *opt);

/** output_flush() - Return: false when writing has failed. */
bool output_flush(struct output *o);

/** output_close() - Return: 0; -EIO when something is missing (said). */
int output_close(struct output *o);

/**
 * signals_open() - a descriptor for what signals_hold() holds.
 * @also: one more signal, to be held from now on; 0: none. Return: it; -1.
 */
int signals_open(int also);

#endif
