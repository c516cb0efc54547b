// SPDX-License-Identifier: MIT
/* bpf_multi.c - one link for many uprobes. See bpf_multi.h. */
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <sys/syscall.h>

#include "kernel/bpf_multi.h"
#include "kernel/bpf_util.h"

/* The part of union bpf_attr that BPF_LINK_CREATE reads for it; include/uapi/linux/bpf.h, 6.6. */
struct multi_attr {
	__u32 prog_fd, target_fd, attach_type, flags;
	__u64 path, offsets, ref_ctr_offsets, cookies;
	__u32 cnt, multi_flags, pid, pad;
};

static int create_link(int prog_fd, const char *path, pid_t pid, const unsigned long *offsets,
		       const __u64 *cookies, size_t n)
{
	struct multi_attr attr = {
		.prog_fd = (__u32)prog_fd,
		.attach_type = BPF_ATTACH_UPROBE_MULTI,
		.path = (uintptr_t)path,
		.offsets = (uintptr_t)offsets,
		.cookies = (uintptr_t)cookies,
		.cnt = (__u32)n,
		.pid = (__u32)pid,
	};
	int fd = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));

	return fd < 0 ? -errno : fd;
}

int bpf_multi_link(int prog_fd, const char *path, pid_t pid, const unsigned long *offsets,
		   const __u64 *cookies, size_t n)
{
	pid_t filter = bpf_filter_pid(pid);
	int fd = create_link(prog_fd, path, filter, offsets, cookies, n);

	/* Its leader has ended meanwhile: then no uprobe may be there. */
	if (fd >= 0 && filter != bpf_filter_pid(pid)) {
		close(fd);
		fd = create_link(prog_fd, path, 0, offsets, cookies, n);
	}
	return fd;
}
