// SPDX-License-Identifier: MIT
/* kernel_features.c - what the kernel can do, found out by trying. See kernel_features.h. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>

#include "base/fail.h"
#include "kernel/probe_bpf.h"
#include "kernel/kernel_features.h"
#include "kernel/bpf_multi.h"
#include "kernel/bpf_util.h"

#define LOCKDOWN_FILE "/sys/kernel/security/lockdown"
#define BTF_FILE      "/sys/kernel/btf/vmlinux"
#define UPROBE_PMU    "/sys/bus/event_source/devices/uprobe/type"

/* The file lists all modes and brackets the one that is on: "none [integrity] confidentiality". */
static const char *lockdown_mode(void)
{
	static const char *const modes[] = {"none", "integrity", "confidentiality"};
	_cleanup_fclose_ FILE *f = fopen(LOCKDOWN_FILE, "re");
	char line[128] = "", mark[32];

	if (!f || !fgets(line, sizeof(line), f))
		return "unknown";
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		snprintf(mark, sizeof(mark), "[%s]", modes[i]);
		if (strstr(line, mark))
			return modes[i];
	}
	return "unknown";
}

/*
 * bpf_probe_read_user(stack, 8, 0); exit: the smallest program that does what the probe does.
 * Return: 0; why it does not load.
 */
static int try_load(void)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_10},
		{.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_1, .imm = -8},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 8},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_probe_read_user},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	_cleanup_close_ int fd =
		bpf_prog_load(BPF_PROG_TYPE_KPROBE, NULL, "GPL", insns, ARRAY_SIZE(insns), NULL);

	return fd < 0 ? fd : 0;
}

static bool have_membarrier(void)
{
	long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);

	return commands > 0 && commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE;
}

int kernel_features_read(struct kernel_features *ret)
{
	bpf_messages();
	*ret = (struct kernel_features){
		.btf = access(BTF_FILE, R_OK) == 0,
		.uprobes = access(UPROBE_PMU, R_OK) == 0,
		.uprobe_multi = bpf_multi_support() != MULTI_NONE,
		.membarrier = have_membarrier(),
		.lockdown = lockdown_mode(),
		.load_err = try_load(),
	};
	ret->bpf = ret->load_err == 0;
	if (fail_is_shortage(ret->load_err))
		return ret->load_err;
	ret->ringbuf_dynptr = libbpf_probe_bpf_helper(BPF_PROG_TYPE_KPROBE,
						      BPF_FUNC_ringbuf_reserve_dynptr, NULL) == 1;
	if (ret->bpf && !ret->ringbuf_dynptr)
		ret->load_err = -EOPNOTSUPP; /* before 5.19: the probe itself would not load */
	return 0;
}
