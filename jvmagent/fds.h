/* SPDX-License-Identifier: MIT */
/* fds.h - the agent's descriptors, and what a forked child does with them. */
#ifndef HP_AGENT_FDS_H
#define HP_AGENT_FDS_H

#include <stdbool.h>

/* Descriptors of fd_own() at one time: half for sender.c, half for control.c and launch.c. */
#define FDS_MAX 32

/**
 * fd_own() - make a forked child close @fd at once: it must neither answer nor write as if it were
 * its parent.
 * @fd: negative: the call that should have made it failed, and errno says why.
 * Return: @fd; -errno; -EMFILE when the agent has too many, and @fd is closed then.
 */
int fd_own(int fd);

/** fd_close() - close a descriptor of fd_own(). Nothing happens if @fd is not one. */
void fd_close(int fd);

/** fds_prepare() - register what a forked child does. Return: 0; -errno. */
int fds_prepare(void);

/** fds_forked() - is this process such a child? */
bool fds_forked(void);

#endif
