/* SPDX-License-Identifier: MIT */
/*
 * client.h - a request to an engine of its own, and what comes back: data is copied to where it
 * belongs, nothing is understood of it.
 */
#ifndef HP_CLI_CLIENT_H
#define HP_CLI_CLIENT_H

#include "cli/output.h"

/**
 * client_run() - send the request of @opt to an engine, and copy what comes until it is done.
 *
 * Ctrl-C and SIGTERM ask the engine to stop; what it then still has to say is copied too.
 */
enum status client_run(struct options *opt);

/* For a command that has more to wait for than one engine. */
struct client;

/**
 * client_start() - start an engine and send it @req.
 * @opt, @out: outlive the client. Return: the client, for client_end(); NULL with *@status (said).
 */
struct client *client_start(const struct options *opt, const struct request *req,
			    struct output *out, enum status *status);

/** client_fd() - when it is readable, client_read() has something to do. */
int client_fd(const struct client *c);

/** client_read() - copy what has come. Return: will more come? */
bool client_read(struct client *c);

/** client_engine() - PID of its engine, which client_end() waits for. */
pid_t client_engine(const struct client *c);

/** client_attached() - is every matching method probed? */
bool client_attached(const struct client *c);

/**
 * client_work() - after each wait, behind output_work(): what the engine is to know of the output.
 * Return: false when it is given up, for it has not ended long after a signal.
 */
bool client_work(struct client *c);

/** client_ending() - has its request all but ended? Then client_work() watches a deadline. */
bool client_ending(const struct client *c);

/** client_stop() - ask the engine to end the request; what it then says still has to be read. */
void client_stop(struct client *c);

/** client_end() - the engine ends, too. Return: the request's status. @c is gone. */
enum status client_end(struct client *c);

#endif
