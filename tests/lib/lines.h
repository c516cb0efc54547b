/* SPDX-License-Identifier: MIT */
/*
 * lines.h - what a child process writes, drained by a thread of ours so that it never blocks,
 * and handed out line by line.
 */
#ifndef HP_TEST_LINES_H
#define HP_TEST_LINES_H

#include "base/util.h"

struct lines;

/** lines_open() - start to drain @fd, which is taken over and closed at its end. */
struct lines *lines_open(int fd);

/** lines_close() - @l's writer must be dead, so that its end of file comes. Accepts NULL. */
void lines_close(struct lines *l);

/**
 * lines_next() - the next line without its newline; the caller frees it.
 * @timeout_ms: how long to wait for one; 0 takes only what is there.
 * Return: NULL when none came in time or none will come.
 */
char *lines_next(struct lines *l, int timeout_ms);

/** lines_wait_eof() - wait until the writer closed its end. Return: true when it did in time. */
bool lines_wait_eof(struct lines *l, int timeout_ms);

/** lines_text() - everything written and not handed out yet; the caller frees it. */
char *lines_text(struct lines *l);

#endif
