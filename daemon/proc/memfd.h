/* SPDX-License-Identifier: MIT */
/*
 * memfd.h - take hold of a memfd of the target, and of nothing else.
 *
 * Which file /proc/PID/fd/N leads to is the target's choice, up to the moment we follow it. Opened
 * for writing without a look, it might be any file that the target can merely read.
 */
#ifndef HP_MEMFD_H
#define HP_MEMFD_H

#include "base/util.h"

/**
 * memfd_reopen() - open the file that @path, a link in /proc, leads to, for reading and writing.
 * @link: what a link to it must read, "/memfd:NAME (deleted)".
 * Return: 0; -ESRCH when @path does not exist (any more); -EPERM; -EPROTO unless it is a memfd of
 * that name; -errno.
 */
int memfd_reopen(const char *path, const char *link, int *fd_ret);

#endif
