/* SPDX-License-Identifier: MIT */
/*
 * lock.h - one instance per target.
 */
#ifndef HP_LOCK_H
#define HP_LOCK_H

#include <sys/types.h>

#include "base/util.h"

/**
 * lock_file() - take the POSIX write lock on @fd, which must be open for writing.
 *
 * Such a lock dies with its holder, SIGKILL included, and names it to others. It is also dropped
 * when the holder closes any descriptor of the same file: open it once. Return: 0; -EBUSY, with the
 * holder's PID in @holder (0 if it is in a PID namespace that we do not see); -errno.
 */
int lock_file(int fd, pid_t *holder);

/**
 * lock_target() - take process @pid for this instance: a lock on its /proc/PID/mem, which leaves no
 * file behind. Nobody else in this program opens that file.
 * @fd_ret: close it to give the target back.
 * Return: 0; -EBUSY as lock_file(); -ESRCH; -EPERM.
 */
int lock_target(pid_t pid, int *fd_ret, pid_t *holder);

#endif
