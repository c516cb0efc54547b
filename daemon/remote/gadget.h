/* SPDX-License-Identifier: MIT */
/*
 * gadget.h - instructions of the target's own that we borrow: nothing has to be mapped before
 * its threads can run a system call for us.
 */
#ifndef HP_GADGET_H
#define HP_GADGET_H

#include "proc/maps.h"

struct gadgets {
	uint64_t syscall_ret;	/* makes a system call and returns */
	uint64_t sigreturn;	/* calls rt_sigreturn(2) */
	uint64_t sigreturn_end; /* behind the instruction that does */
};

/**
 * gadget_find() - search the executable file mappings of @pid, the C library's first.
 *
 * Reads at most GADGET_SCAN_MAX bytes. What was found for the last few processes is remembered,
 * and checked against the memory before it is given out again.
 * Return: 0; -EOPNOTSUPP when there are none that can be read; -ENOMEM.
 */
int gadget_find(pid_t pid, const struct maps *maps, struct gadgets *ret);

#endif
