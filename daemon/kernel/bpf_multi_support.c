// SPDX-License-Identifier: MIT
/*
 * bpf_multi_support.c - can the kernel put many uprobes behind one link? See bpf_multi.h.
 *
 * A file of its own, so that a test can answer in its place.
 */
#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "kernel/bpf_multi.h"

/* r0 = 0; exit */
static int load_empty(void)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = (enum bpf_attach_type)BPF_ATTACH_UPROBE_MULTI);

	return bpf_prog_load(BPF_PROG_TYPE_KPROBE, NULL, "GPL", insns, ARRAY_SIZE(insns), &opts);
}

enum multi_support bpf_multi_support(void)
{
	_cleanup_close_ int prog_fd = load_empty();
	unsigned long offset = 0;

	if (prog_fd < 0)
		return MULTI_NONE;
	/*
	 * A directory is no executable: -EBADF from a kernel that knows this kind of link, -EINVAL
	 * from one that does not. And a PID no process can have is refused as such (-EINVAL)
	 * since the kernel filters by process; before, it was looked up as a thread (-ESRCH).
	 * bpf_uprobe_multi_link_attach(), kernel/trace/bpf_trace.c, 6.6 and 6.10.
	 */
	if (bpf_multi_link(prog_fd, "/", 0, &offset, NULL, 1) != -EBADF)
		return MULTI_NONE;
	return bpf_multi_link(prog_fd, "/", -1, &offset, NULL, 1) == -EINVAL ? MULTI_COMPLETE
									     : MULTI_NO_PID;
}
