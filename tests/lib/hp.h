/* SPDX-License-Identifier: MIT */
/*
 * hp.h - run hotprobe as a user does, with a limit on everything it may take, and read its JSON.
 */
#ifndef HP_TEST_HP_H
#define HP_TEST_HP_H

#include <jansson.h>

#include "lib/child.h"
#include "lib/env.h"

#define HP_TIMEOUT_MS 180000

/* One run to its end. */
struct hp_result {
	int status; /* exit status, 128 + signal */
	char *out, *err;
};

/** hp_run() - run `hotprobe @argv...`, NULL-terminated; fails the test when it takes too long. */
void hp_run(struct hp_result *ret, const char *const argv[]);
void hp_run_as(struct hp_result *ret, uid_t uid, const char *const argv[]);
void hp_result_free(struct hp_result *r);

/** hp_result_check() - the status must be @status and, unless 0, stderr one clear line. */
void hp_result_check(const struct hp_result *r, int status);

/** hp_json() - run it; the exit status must be @status. Return: its lines, parsed, as an array. */
json_t *hp_json(const char *const argv[], int status);

/** hp_start() - begin `hotprobe @argv...` and let it run. */
struct child *hp_start(const char *const argv[]);

/** hp_trace() - begin `hotprobe trace -p @pid --json @args...`. */
struct child *hp_trace(pid_t pid, const char *const args[]);

/** hp_next() - the next JSON line as an object; NULL at the end or after @timeout_ms. */
json_t *hp_next(struct child *hp, int timeout_ms);

/**
 * hp_until() - read objects until one is @event; it is returned.
 * @seen: JSON array that takes those before it; NULL drops them.
 * Fails the test when it does not come.
 */
json_t *hp_until(struct child *hp, const char *event, json_t *seen);

/** hp_attached() - the first object, which must be "attached". */
json_t *hp_attached(struct child *hp);

/* An exit status: 0, or 1 because a thread seems to be in the region still. */
#define HP_MAY_STAY (-1)

/**
 * hp_finish() - end it with @sig (0: it ends by itself) and read the rest.
 * @events: JSON array that takes every object but the last.
 * The last one must be "detached": it is returned. The exit status must be @status.
 */
json_t *hp_finish(struct child *hp, int sig, int status, json_t *events);

/** hp_fail() - fail the test with a message and what hotprobe said on stderr. */
void hp_fail(struct child *hp, const char *fmt, ...) _printf_(2, 3);

/**
 * json_line() - parse one line, of a Java program too: halves of surrogate pairs, which hotprobe
 * never writes, become U+FFFD as they do there. Return: NULL if it is no JSON.
 */
json_t *json_line(const char *line);

/** json_text() - a string member; "" when it is absent or no string. */
const char *json_text(const json_t *o, const char *key);

/** json_addr() - an address member ("0x..."); 0 when it is absent or malformed. */
uint64_t json_addr(const json_t *o, const char *key);

/** json_file() - every line of a file, parsed, as an array; empty when there is no such file. */
json_t *json_file(const char *path);

#endif
