/* SPDX-License-Identifier: MIT */
/*
 * inside.h - the agent as its peers see it: the event stream and the control socket, spoken by hand
 * so that what is wrong on purpose can be said, too.
 */
#ifndef HP_TEST_INSIDE_H
#define HP_TEST_INSIDE_H

#include <jansson.h>
#include <linux/types.h>
#include <sys/socket.h>

#include "lib/jvm.h"
#include "jvmagent/wire.h"
#include "lib/lines.h"

#define INSIDE_TIMEOUT_MS 120000

/** inside_flag() - "-agentpath:..." with @options behind it; NULL: none. Valid until the next call.
 */
const char *inside_flag(const char *options);

/** inside_start() - run prog.Inside with the agent and wait until it is ready. */
void inside_start(struct jvm *j, const struct jdk *jdk, const char *options);

/** inside_attach() - load the agent into a running JVM. Return: what the JVM says of it. */
char *inside_attach(struct jvm *j, const char *library, const char *options);

/** inside_connect() - to "@hotprobe.PID" and @suffix. Return: a socket; -errno. */
int inside_connect(struct jvm *j, int type, const char *suffix);

/** inside_read() - be a reader of the event stream. */
struct lines *inside_read(struct jvm *j);

/** inside_next() - the next line, which must be JSON; NULL at the end or after the time. */
json_t *inside_next(struct lines *l, int timeout_ms);

/**
 * inside_until() - read until a line whose event is @event and, unless NULL, whose member @key is
 * @value. @seen takes all before it, may be NULL. Fails the test if it does not come.
 */
json_t *inside_until(struct lines *l, const char *event, const char *key, const char *value,
		     json_t *seen);

/** inside_replay() - read up to the end of the replay; the line "jvm" must be the first. */
json_t *inside_replay(struct lines *l);

/** inside_method() - the first line "compiled" of this method, borrowed; NULL. */
const json_t *inside_method(const json_t *events, const char *class, const char *name);

/** inside_each_jdk() - but for copies without symbols, which make no difference to the agent. */
void inside_each_jdk(void (*test)(const struct jdk *jdk));

/** inside_second_library() - path of second_agent.so, to be freed. */
char *inside_second_library(void);

/** inside_controller() - connect to the control socket and be welcomed. */
int inside_controller(struct jvm *j);

/* One reply. */
struct inside_reply {
	struct hp_agent_msg m;
	int fd; /* -1: none came */
};

/**
 * inside_request() - one request with up to three arguments and @len bytes of @data, and its reply.
 * Return: the result; the descriptor is to be closed by the caller.
 */
int64_t inside_request(int fd, struct inside_reply *ret, int kind, const uint64_t arg[7],
		       const void *data, size_t len);

/** inside_send() - @len bytes as they are. */
void inside_send(int fd, const void *bytes, size_t len);

/** inside_receive() - a reply. Return: its length; 0 when the connection has ended. */
size_t inside_receive(int fd, struct inside_reply *ret);

#endif
