/* SPDX-License-Identifier: MIT */
/*
 * bpf_multi.h - one link for many uprobes.
 */
#ifndef HP_BPF_MULTI_H
#define HP_BPF_MULTI_H

#include <linux/types.h>
#include <sys/types.h>

#include "base/util.h"

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
 * @pid: only hits of this process; 0: of any. Where its leader has ended the uprobes are in every
 * process: the program checks by itself (bpf_tgid()).
 * @offsets, @cookies: of each place, in the file.
 * Return: a file descriptor that holds the uprobes until it is closed; -errno.
 */
int bpf_multi_link(int prog_fd, const char *path, pid_t pid, const unsigned long *offsets,
		   const __u64 *cookies, size_t n);

#endif
