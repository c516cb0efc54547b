/* SPDX-License-Identifier: MIT */
/*
 * image_run.h - native images to test with: run as their users run them, and traced meanwhile.
 */
#ifndef HP_TEST_IMAGE_RUN_H
#define HP_TEST_IMAGE_RUN_H

#include "lib/hp.h"

/** image_or_skip() - its path, valid until the next call. Skips the test if it was not fetched. */
const char *image_or_skip(const char *name);

/** image_copy() - a copy of it, in a folder of this test: nobody else runs it. Malloc'd. */
char *image_copy(const char *name);

/** image_new_cache() - an empty cache, for this test. */
void image_new_cache(void);

/** image_start() - run the image at @path with @args, which do not name it; in UTF-8. */
struct child *image_start(const char *path, const char *const args[]);

/** image_await_input() - until one of its threads waits for input. */
void image_await_input(struct child *c);

/**
 * image_end() - give it @input (NULL: none), and wait for its end. It must exit with 0 and have
 * said nothing on stderr. Return: what it wrote, malloc'd; @c is gone.
 */
char *image_end(struct child *c, const char *input);

/**
 * image_trace() - begin `trace -x @path @args...`, with -p @pid unless that is 0, and wait until it
 * is attached. @attached: gets that event; NULL: not wanted.
 */
struct child *image_trace(const char *path, pid_t pid, const char *const args[], json_t **attached);

/**
 * image_trace_end() - stop it, or wait for its end if it is for one process.
 * @events: array that gets its "entry" and "stat" events of @pid, 0: of all; NULL: not wanted.
 * Nothing may be lost, and all must be restored. Return: "hits" of the last event.
 */
uint64_t image_trace_end(struct child *hp, bool one_process, pid_t pid, json_t *events);

#endif
