/* SPDX-License-Identifier: MIT */
/*
 * attachment.h - what stands in a target before its first method is touched: our claim on it, the
 * slot region, the BPF programs, and a uprobe on every slot that was seen to fire.
 */
#ifndef HP_ATTACHMENT_H
#define HP_ATTACHMENT_H

#include "region/region.h"
#include "kernel/probe_bpf.h"
#include "proc/mem.h"
#include "proc/proc.h"

/* Two reach all of 2 GiB, of which HotSpot's code cache has no more; one is for bad luck. */
#define ATTACHMENT_REGIONS_MAX 3

/* Kernels before 6.6 take uprobes one by one, and 0.1 s each to take them off again. */
#define ATTACHMENT_SINGLE_MAX 256

/* A process, as far as an attachment needs it. All of it outlives the attachment. */
struct attachment_target {
	const struct proc_id *id; /* NULL: there is no one process */
	struct remote *remote;	  /* into it; NULL: nothing is done inside it, there is only the
				   * BPF program */
	struct mem *mem;
	uint64_t code_low, code_high; /* what is diverted lies there */
	bool file_text;		      /* as in struct region */
	bool trial; /* only to see whether it can be done: what is left of others stays */
};

/* Figures for -v and the benchmark. */
struct attachment_figures {
	uint64_t region_paused_ns; /* one thread was stopped while the region was mapped */
	uint64_t attach_ns;	   /* kernel: uprobes on all slots */
	enum slot_nop nop;
	bool multi; /* one uprobe_multi link */
};

struct attachment {
	struct attachment_target t;
	int lock_fd; /* -1 where only the agent, which serves one controller, keeps others out */
	/*
	 * The first has slot 0 and changes code; others are for code out of its reach. Slots have
	 * the same numbers in all of them, and each is used in one at a time.
	 */
	struct region *regions[ATTACHMENT_REGIONS_MAX];
	size_t nregions;
	uint64_t retry_ns; /* no further one could be had: not again before then */
	struct probe_bpf *bpf;
	/* Without uprobe_multi: slots that have theirs, in each region. */
	bool single[ATTACHMENT_REGIONS_MAX][REGION_SLOTS];
	struct attachment_figures fig;
};

/**
 * attachment_open() - claim the target, remove what a killed instance left, map, load, prove,
 * attach.
 * @fn: gets every record that the probes send.
 *
 * Return: 0; -EBUSY another instance has the target; -EEXIST a trial, and something is left of an
 * earlier one; -EPERM;
 * -EOPNOTSUPP; -ESRCH; -ENOSPC; -ETIMEDOUT; -ENOMEM.
 */
int attachment_open(const struct attachment_target *target, const struct hp_config *config,
		    size_t ring_bytes, record_fn *fn, void *arg, struct attachment **ret,
		    struct fail *f);

/**
 * attachment_detach() - detach the uprobes, unmap the region if no thread is inside, and give the
 * target back to other instances. The records that wait are still there.
 * @keep: some method still leads into the region, so it must stay.
 * Return: 0 nothing is left in the target; -EBUSY the region stays, for the next attach; -ESRCH;
 * -EPERM; -ETIMEDOUT.
 */
int attachment_detach(struct attachment *r, bool keep);

/** attachment_close() - after attachment_detach(). Accepts NULL. */
void attachment_close(struct attachment *r);

/**
 * attachment_region() - the region that reaches the word at @addr; one more is mapped if none does.
 * Return: NULL when there is no place for it, or there are too many.
 */
struct region *attachment_region(struct attachment *r, uint64_t addr);

/** attachment_slot_ready() - is there a uprobe on @slot of @region? Attaches it where slots get
 * theirs one by one. */
bool attachment_slot_ready(struct attachment *r, const struct region *region, uint32_t slot);

/**
 * attachment_clean() - remove what a killed instance left in @t.
 * @sites: how many entries were put back.
 * Return: 1 something was removed; 0 there was nothing; -EBUSY an instance is alive there, or a
 * thread is inside what it left; -ESRCH; -EPERM; ...
 */
int attachment_clean(const struct attachment_target *t, size_t *sites, struct fail *f);

#endif
