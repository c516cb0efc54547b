/* SPDX-License-Identifier: MIT */
/*
 * rig.h - what stands in a target before its first method is touched: our claim on it, the slot
 * region, the BPF programs, and a uprobe on every slot that was seen to fire.
 */
#ifndef HP_RIG_H
#define HP_RIG_H

#include "inject/region.h"
#include "probe/bpf_load.h"
#include "target/mem.h"
#include "target/proc.h"

/* Kernels before 6.6 take uprobes one by one, and 0.1 s each to take them off again. */
#define RIG_SINGLE_MAX 256

/* A process as far as the rig needs it. All of it outlives the rig. */
struct rig_target {
	const struct proc_id *id; /* NULL: there is no one process */
	struct way *way; /* into it; NULL: nothing is done inside it, the rig is the BPF program only */
	struct mem *mem;
	uint64_t code_low, code_high; /* what is diverted lies there, within 1 GiB of each other */
	bool file_text;		      /* as in struct region */
};

struct rig_options {
	struct rig_target target;
	struct hp_config config; /* tgid and wakeup_bytes are the rig's to fill */
	size_t ring_bytes;
};

/* Figures for -v and the benchmark. */
struct rig_figures {
	uint64_t region_paused_ns; /* one thread stood while the region was mapped */
	uint64_t attach_ns;	   /* kernel: uprobes on all slots */
	enum slot_nop nop;
	bool multi; /* one uprobe_multi link */
};

struct rig {
	struct rig_target t;
	int lock_fd; /* -1 where only the agent's serving us alone keeps others out */
	struct region *region;
	struct probe_bpf *bpf;
	bool single[REGION_SLOTS]; /* without uprobe_multi: slots that have theirs */
	struct rig_figures fig;
};

/**
 * rig_open() - claim the target, remove what a killed instance left, map, load, prove, attach.
 * @fn: gets every record that the probes send.
 *
 * Prints one error line when it fails. Return: 0; -EBUSY another instance has the target; -EPERM;
 * -EOPNOTSUPP; -ESRCH; -ENOSPC; -ETIMEDOUT; -ENOMEM.
 */
int rig_open(const struct rig_options *opt, record_fn *fn, void *arg, struct rig **ret);

/**
 * rig_close() - detach the uprobes and unmap the region, if no thread is inside. Accepts NULL.
 * @keep: some method still leads into the region, so it must stay.
 * Return: 0 nothing is left in the target; -EBUSY the region stays, for the next attach; -ESRCH;
 * -EPERM; -ETIMEDOUT. @r is gone either way.
 */
int rig_close(struct rig *r, bool keep);

/** rig_slot_ready() - is there a uprobe on @slot? Attaches it where slots get theirs one by one. */
bool rig_slot_ready(struct rig *r, uint32_t slot);

/**
 * rig_clean() - remove what a killed instance left in @t.
 * @sites: how many entries were put back.
 * Return: 1 something was removed; 0 there was nothing; -EBUSY an instance is alive there, or a
 * thread is inside what it left; -ESRCH; -EPERM; ... Prints one error line when it fails.
 */
int rig_clean(const struct rig_target *t, size_t *sites);

#endif
