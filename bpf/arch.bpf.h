/* SPDX-License-Identifier: (MIT OR GPL-2.0) */
/*
 * arch.bpf.h - x86-64: which register holds what at a probe. No other file here names a register.
 *
 * Compiled Java code passes its parameters by HotSpot's own convention (docs/hotspot.md, "Calling
 * convention"), a native image by that of C (docs/images.md, "Arguments"). Both use the same six
 * registers in another order, so all six are copied, in HotSpot's order, and user space reads them
 * by the convention of the target. Sources: OpenJDK cpu/x86/assembler_x86.hpp; System V ABI,
 * AMD64 supplement, 3.2.3.
 */
#ifndef HP_ARCH_BPF_H
#define HP_ARCH_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "bpf/events.h"

_Static_assert(HP_GPR_ARGS == 6, "regs_copy() and regs_argument() know six registers");

/** regs_copy() - copy all argument registers, in the order of hp_entry.gpr. */
static __always_inline void regs_copy(__u64 gpr[static HP_GPR_ARGS], const struct pt_regs *ctx)
{
	gpr[0] = ctx->si;
	gpr[1] = ctx->dx;
	gpr[2] = ctx->cx;
	gpr[3] = ctx->r8;
	gpr[4] = ctx->r9;
	gpr[5] = ctx->di;
}

/*
 * A load of its own for each register: the compiler would merge them into one load at a computed
 * offset, which the verifier refuses.
 */
#define LOAD_REGISTER(value, ctx, reg)                                                             \
	asm volatile("%0 = *(u64 *)(%1 + %2)"                                                      \
		     : "=r"(value)                                                                 \
		     : "r"(ctx), "i"(__builtin_offsetof(struct pt_regs, reg)))

/** regs_argument() - the @i-th register of regs_copy(); 0 beyond the last. */
static __always_inline __u64 regs_argument(const struct pt_regs *ctx, __u32 i)
{
	__u64 value = 0;

	switch (i) {
	case 0:
		LOAD_REGISTER(value, ctx, si);
		break;
	case 1:
		LOAD_REGISTER(value, ctx, dx);
		break;
	case 2:
		LOAD_REGISTER(value, ctx, cx);
		break;
	case 3:
		LOAD_REGISTER(value, ctx, r8);
		break;
	case 4:
		LOAD_REGISTER(value, ctx, r9);
		break;
	case 5:
		LOAD_REGISTER(value, ctx, di);
		break;
	}
	return value;
}

static __always_inline __u64 regs_stack_pointer(const struct pt_regs *ctx)
{
	return ctx->sp;
}

/** regs_thread() - HotSpot's JavaThread*, a native image's IsolateThread*. */
static __always_inline __u64 regs_thread(const struct pt_regs *ctx)
{
	return ctx->r15;
}

/** regs_heap_base() - a native image's heap base; anything under HotSpot. */
static __always_inline __u64 regs_heap_base(const struct pt_regs *ctx)
{
	return ctx->r14;
}

/** regs_c_argument() - the first or the @second parameter of a function of libjvm.so. */
static __always_inline __u64 regs_c_argument(const struct pt_regs *ctx, bool second)
{
	__u64 rdi = ctx->di, rsi = ctx->si;

	barrier_var(rdi); /* load both, then choose: as LOAD_REGISTER() */
	barrier_var(rsi);
	return second ? rsi : rdi;
}

#endif
