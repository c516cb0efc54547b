/* SPDX-License-Identifier: MIT */
/*
 * child.h - processes a test starts: a JVM, hotprobe, a tool. None outlives the test: each dies
 * with it (PR_SET_PDEATHSIG) and children_reap(), in every teardown, ends what is left, by PID.
 */
#ifndef HP_TEST_CHILD_H
#define HP_TEST_CHILD_H

#include <sys/types.h>

#include "base/util.h"

struct child;

struct child_opts {
	const char *cwd;	/* NULL: ours */
	const char *const *env; /* "NAME=value" to add, NULL-terminated; NULL: none */
	uid_t uid;		/* run as this user; 0: as we are */
};

/** child_start() - run @argv in a process group of its own. @o may be NULL. Aborts when it cannot.
 */
struct child *child_start(const char *const argv[], const struct child_opts *o);

pid_t child_pid(const struct child *c);

/** child_line() - next line of its stdout, as lines_next(). */
char *child_line(struct child *c, int timeout_ms);
char *child_error_line(struct child *c, int timeout_ms);

/** child_text() / child_errors() - its stdout / stderr so far, but for lines already taken. */
char *child_text(struct child *c);
char *child_errors(struct child *c);

/** child_send() - write a line (the newline is added) to its stdin. Return: 0; -errno. */
int child_send(struct child *c, const char *line);
void child_close_stdin(struct child *c);

bool child_running(struct child *c);

#define CHILD_TIMEOUT (-1)

/**
 * child_wait() - wait for its end and that of its output.
 * Return: exit status; 128 + the signal that killed it; CHILD_TIMEOUT.
 */
int child_wait(struct child *c, int timeout_ms);

void child_signal(struct child *c, int sig);

/** child_signal_group() - to its process group, as a terminal does at Ctrl-C. */
void child_signal_group(struct child *c, int sig);

/** child_kill_tree() - SIGKILL it and every descendant, by PID. */
void child_kill_tree(struct child *c);

/** child_descendants() - PIDs of its children and theirs. Return: how many there are. */
size_t child_descendants(pid_t pid, pid_t *ret, size_t max);

/** child_named() - the first of them whose name is @name. Return: its PID; 0. */
pid_t child_named(pid_t pid, const char *name);

/** child_free() - end it if it runs and forget it. Accepts NULL. */
void child_free(struct child *c);

/** children_reap() - child_free() for all that a test left. */
void children_reap(void);

#endif
