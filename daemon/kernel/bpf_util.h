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

/**
 * bpf_filter_pid() - the number by which the kernel can be told to put uprobes into process @pid
 * only: @pid; 0 when its leader has ended. It compares memory with that of the process's leader,
 * and then nothing is equal: uprobe_multi_link_filter() in kernel/trace/bpf_trace.c,
 * __uprobe_perf_filter() in kernel/trace/trace_uprobe.c (6.18).
 */
pid_t bpf_filter_pid(pid_t pid);

/**
 * bpf_tgid() - what BPF programs know process @pid by; 0 if that cannot be told, as they see PIDs
 * of the initial namespace only, and ours are the same numbers only in there.
 */
__u32 bpf_tgid(pid_t pid);

/** bpf_can_tell() - can hits in @pid be told from others? Return: 0; -EOPNOTSUPP with @f. */
int bpf_can_tell(pid_t pid, struct fail *f);

/**
 * bpf_right_missing() - which capability do we lack to load programs, and what to do?
 * CAP_SYS_ADMIN stands for both. Return: NULL when we have them.
 */
const char *bpf_right_missing(void);

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
