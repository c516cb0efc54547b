/* SPDX-License-Identifier: MIT */
/* filter.h - seccomp filters that forbid one system call. */
#ifndef HP_TEST_FILTER_H
#define HP_TEST_FILTER_H

#include "base/util.h"

/**
 * filter_install() - for this thread and what it starts; never to be taken back.
 * @nr: the system call, @arg and @bits: only if its argument @arg has all of these; 0: always.
 * @action: SECCOMP_RET_*. @flags: SECCOMP_FILTER_FLAG_*. Return: what seccomp(2) does; -errno.
 */
int filter_install(long nr, unsigned int arg, uint32_t bits, uint32_t action, unsigned int flags);

#endif
