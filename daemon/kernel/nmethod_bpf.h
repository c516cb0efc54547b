/* SPDX-License-Identifier: MIT */
/*
 * nmethod_bpf.h - load the program that reports compile events (bpf/nmethod.bpf.c), and hook
 * HotSpot's functions.
 */
#ifndef HP_NMETHOD_BPF_H
#define HP_NMETHOD_BPF_H

#include "base/fail.h"
#include "kernel/bpf_record.h"

/* One function of libjvm.so to hook: which argument register holds the nmethod*. */
enum nmethod_hook { HOOK_REGISTER, HOOK_UNREGISTER, HOOK_RETIRE, HOOK_RESCAN };

struct nmethod_site {
	enum nmethod_hook hook;
	uint8_t arg;	 /* 0: the first, 1: the second */
	uint64_t offset; /* in the file */
};

struct nmethod_bpf;

/**
 * nmethod_bpf_open() - hook @n functions of the file at @path in process @pid.
 * @hdr_len: how much of a new nmethod to copy, at most HP_NMETHOD_HDR_MAX.
 * Return: as probe_bpf_open(), or -errno of the attach.
 */
int nmethod_bpf_open(pid_t pid, const char *path, const struct nmethod_site *sites, size_t n,
		     uint32_t hdr_len, record_fn *fn, void *arg, struct nmethod_bpf **ret,
		     struct fail *f);
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

#endif
