/* SPDX-License-Identifier: MIT */
/*
 * fds.h - descriptors of our own: inherited ones, and enough of them.
 */
#ifndef HP_FDS_H
#define HP_FDS_H

#include "base/util.h"

/**
 * fds_complete() - open those of 0, 1 and 2 that are closed, so that nothing else of ours gets
 * their numbers. Reading from them gives nothing, and writing fails: EBADF, as it would have.
 */
void fds_complete(void);

/**
 * fds_keep() - close every descriptor but 0, 1, 2 and those of @keep, and point 0 and 1 to
 * /dev/null.
 *
 * A process that is forked and executes nothing keeps everything its parent had: the ends of other
 * processes' sockets, which then never see the end of their stream, and links of the kernel that
 * then stay. 2 remains for what libraries and sanitizers have to say.
 * @keep: is sorted; entries below 0 are nothing. @n: its length.
 */
void fds_keep(int *keep, size_t n);

/** fds_raise_limit() - as many as we may have. */
void fds_raise_limit(void);

/**
 * fds_reserve() - hold some free, before anything is begun that takes descriptors to be undone.
 * fds_release() - to undo it now. Nothing if none are held.
 * Return: 0; -EMFILE; -ENFILE; -ENOMEM.
 */
int fds_reserve(void);
void fds_release(void);

#endif
