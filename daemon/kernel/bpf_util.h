/* SPDX-License-Identifier: MIT */
/*
 * bpf_util.h - what the loaders of the BPF programs share: messages, one link for many uprobes.
 */
#ifndef HP_BPF_UTIL_H
#define HP_BPF_UTIL_H

#include <linux/types.h>
#include <sys/types.h>

#include "base/fail.h"

/* As newer <linux/bpf.h> have it; bookworm's does not. */
#define BPF_ATTACH_UPROBE_MULTI 48

/* How the kernel attaches many uprobes at once. */
enum multi_support {
	MULTI_NONE,   /* not at all (before 6.6) */
	MULTI_NO_PID, /* its PID filter lets only one thread pass (6.6 to 6.9, unless repaired) */
	MULTI_COMPLETE,
};

/** bpf_multi_support() - find out by trying; leaves nothing behind. */
enum multi_support bpf_multi_support(void);

/**
 * bpf_multi_link() - put a program on @n places of one file.
 * @pid: only hits of this process; 0: of any.
 * @offsets, @cookies: of each place, in the file.
 * Return: a file descriptor that holds the uprobes until it is closed; -errno.
 */
int bpf_multi_link(int prog_fd, const char *path, pid_t pid, const unsigned long *offsets,
		   const __u64 *cookies, size_t n);

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
