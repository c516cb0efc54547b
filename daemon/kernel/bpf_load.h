/* SPDX-License-Identifier: MIT */
/*
 * bpf_load.h - load the BPF programs, attach them, fetch what they send. The only includer of
 * skeletons.
 */
#ifndef HP_BPF_LOAD_H
#define HP_BPF_LOAD_H

#include <linux/types.h>
#include <sys/types.h>

#include "bpf/events.h"
#include "base/util.h"

/* --- hits: bpf/probe.bpf.c ------------------------------------------------------------------- */

struct probe_bpf;

/* Called for each record, which is @size bytes long and starts with a struct hp_record. */
typedef int record_fn(void *arg, const struct hp_record *rec, size_t size);

/**
 * probe_bpf_open() - load the probe with @config and a ring buffer of @ring_bytes (rounded up to a
 * power of two of pages). Prints one error line when it fails.
 * Return: 0; -EPERM (capabilities, lockdown); -EOPNOTSUPP (kernel); -ENOMEM.
 */
int probe_bpf_open(const struct hp_config *config, size_t ring_bytes, record_fn *fn, void *arg,
		   struct probe_bpf **ret);
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

/* --- compile events: bpf/nmethod.bpf.c ------------------------------------------------------- */

/* One function of libjvm.so to hook: which argument register holds the nmethod*. */
enum nmethod_hook { HOOK_REGISTER, HOOK_UNREGISTER, HOOK_RETIRE, HOOK_RESCAN };

struct nmethod_site {
	enum nmethod_hook hook;
	uint8_t arg;	 /* 0: rdi, 1: rsi */
	uint64_t offset; /* in the file */
};

struct nmethod_bpf;

/**
 * nmethod_bpf_open() - hook @n functions of the file at @path in process @pid.
 * @hdr_len: how much of a new nmethod to copy, at most HP_NMETHOD_HDR_MAX.
 * Return: as probe_bpf_open(), or -errno of the attach.
 */
int nmethod_bpf_open(pid_t pid, const char *path, const struct nmethod_site *sites, size_t n,
		     uint32_t hdr_len, record_fn *fn, void *arg, struct nmethod_bpf **ret);
void nmethod_bpf_close(struct nmethod_bpf *b);
int nmethod_bpf_fd(const struct nmethod_bpf *b);

/**
 * nmethod_bpf_consume() - hand waiting records to the callback, a bounded number of them: what is
 * left keeps nmethod_bpf_fd() readable.
 * Return: how many; or the callback's negative return, which stops it.
 */
int nmethod_bpf_consume(struct nmethod_bpf *b);

/** nmethod_bpf_lost() - compile events that did not fit: the map must then be read anew. */
uint64_t nmethod_bpf_lost(const struct nmethod_bpf *b);

/* --- what the kernel can do ------------------------------------------------------------------ */

struct kernel_features {
	bool bpf, btf, uprobes, uprobe_multi, ringbuf_dynptr, membarrier;
	const char *lockdown; /* "none", "integrity", "confidentiality", or "unknown" */
	int load_err;	      /* 0, or why a BPF program does not load */
};

/** kernel_features_read() - find out by trying; leaves nothing behind. */
void kernel_features_read(struct kernel_features *ret);

#endif
