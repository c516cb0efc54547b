/* SPDX-License-Identifier: (MIT OR GPL-2.0) */
/*
 * read.bpf.h - what user space tells about the target, and reading the target's memory.
 *
 * Every address came out of the target and may be anything: a read fails or gives bytes, and the
 * bytes are only ever copied, compared or bounded.
 */
#ifndef HP_READ_BPF_H
#define HP_READ_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "bpf/events.h"

const volatile struct hp_config target;

/* Set when the program is loaded as sleepable: it may then take page faults. */
const volatile bool may_sleep;

#define PAGE_SHIFT 12

/* Reads memory that is mapped in, and nothing else. The most expensive step of a hit: 80 ns. */
static __always_inline long read_now(void *dst, __u32 len, __u64 addr)
{
	return bpf_probe_read_user(dst, len, (void *)addr);
}

/*
 * Fetches, if we may, what is not mapped in right now: a page that is swapped out, a page of a file
 * that was never touched (such as an archived heap), a page that NUMA balancing looks at.
 */
static __always_inline long read_user(void *dst, __u32 len, __u64 addr)
{
	long err = read_now(dst, len, addr);

	if (err && may_sleep)
		err = bpf_copy_from_user(dst, len, (void *)addr);
	return err;
}

#endif
