/* SPDX-License-Identifier: MIT */
/*
 * probe_bpf.h - load and attach the program that runs at every hit (bpf/probe.bpf.c), and fetch
 * what it sends.
 */
#ifndef HP_PROBE_BPF_H
#define HP_PROBE_BPF_H

#include "base/fail.h"
#include "kernel/bpf_record.h"

struct probe_bpf;

/**
 * probe_bpf_open() - load the probe with @config and a ring buffer of @ring_bytes (rounded up to a
 * power of two of pages).
 * Return: 0; -EPERM (capabilities, lockdown); -EOPNOTSUPP (kernel); -ENOMEM.
 */
int probe_bpf_open(const struct hp_config *config, size_t ring_bytes, record_fn *fn, void *arg,
		   struct probe_bpf **ret, struct fail *f);
void probe_bpf_close(struct probe_bpf *p);

/* Where a uprobe goes, and the slot whose spec says what happens at a hit. */
struct probe_place {
	uint64_t offset; /* in the file */
	uint32_t slot;
};

/**
 * probe_bpf_attach() - put the probe on @n places of the file at @path. One uprobe_multi link where
 * the kernel has it, else one by one; after an error none of them is there.
 * @pid: 0 for every process.
 * May be called several times; everything is detached by probe_bpf_detach() or _close().
 * Return: 0; -EINVAL no such slot; -errno of the kernel.
 */
int probe_bpf_attach(struct probe_bpf *p, pid_t pid, const char *path,
		     const struct probe_place *places, size_t n);
void probe_bpf_detach(struct probe_bpf *p); /* accepts NULL */

/** probe_bpf_multi() - did the kernel take a uprobe_multi link? */
bool probe_bpf_multi(const struct probe_bpf *p);

/** probe_bpf_slot() - the live spec of @slot: plain shared memory, a store is seen by the next hit.
 */
struct hp_slot_spec *probe_bpf_slot(struct probe_bpf *p, uint32_t slot);

/** probe_bpf_stat() - hits and losses of @slot so far, all CPUs. */
struct hp_slot_stat probe_bpf_stat(struct probe_bpf *p, uint32_t slot);

/** probe_bpf_fd() - becomes readable when wakeup_bytes wait. */
int probe_bpf_fd(const struct probe_bpf *p);

/**
 * probe_bpf_consume() - hand waiting records to the callback, at most @max.
 * Return: how many; or the callback's negative return, which stops it.
 */
int probe_bpf_consume(struct probe_bpf *p, int max);

#endif
