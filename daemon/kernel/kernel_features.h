/* SPDX-License-Identifier: MIT */
/*
 * kernel_features.h - what the kernel can do.
 */
#ifndef HP_KERNEL_FEATURES_H
#define HP_KERNEL_FEATURES_H

#include "base/util.h"

struct kernel_features {
	bool bpf, btf, uprobes, uprobe_multi, ringbuf_dynptr, membarrier;
	const char *lockdown; /* "none", "integrity", "confidentiality", or "unknown" */
	int load_err;	      /* 0, or why a BPF program does not load */
};

/**
 * kernel_features_read() - find out by trying; leaves nothing behind.
 * Return: 0; -errno of a shortage (fail.h): nothing was found out.
 */
int kernel_features_read(struct kernel_features *ret);

#endif
