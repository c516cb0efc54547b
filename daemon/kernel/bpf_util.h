/* SPDX-License-Identifier: MIT */
/*
 * bpf_util.h - what the loaders of the BPF programs share: messages, and why one did not load.
 */
#ifndef HP_BPF_UTIL_H
#define HP_BPF_UTIL_H

#include <linux/types.h>
#include <sys/types.h>

#include "base/fail.h"

/* Where the kernel's verifier explains a refusal. */
struct load_log {
	char text[256 * 1024];
};

/** bpf_messages() - have libbpf's own messages go to log_debug(). */
void bpf_messages(void);

/**
 * bpf_load_failed() - say in @f why a program did not load; the verifier's whole log at debug
 * level.
 * @what: what the program is for. @err: -errno of the load.
 * Return: the code for the caller: -EPERM, -ENOMEM or -EOPNOTSUPP.
 */
int bpf_load_failed(const char *what, int err, const struct load_log *log, struct fail *f);

#endif
