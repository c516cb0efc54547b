// SPDX-License-Identifier: MIT
/*
 * stub.c - the few instructions that run inside a target. See stub.h.
 *
 * stub_patch compares and swaps each word of the list, and writes what it saw next to it. The
 * membarriers make every thread of the process refetch its instructions: before, so that code
 * written for a slot that had another user is seen by whoever is led there; after, so that the
 * swapped words are. Without the first nothing is swapped. Source: membarrier(2),
 * MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE (1 << 5); system call 324 on x86-64. They are
 * called with their arguments in rdi, rsi, rdx, and use r12 to r14.
 */
#include "arch/stub.h"

_Static_assert(sizeof(struct patch_op) == 32 && offsetof(struct patch_op, expect) == 8 &&
		       offsetof(struct patch_op, desire) == 16 &&
		       offsetof(struct patch_op, seen) == 24,
	       "the assembly below knows this layout");

__asm__(".pushsection .rodata\n"
	".globl stub_patch, stub_run_slot, stub_end\n"
	".balign 16\n"
	"stub_patch:\n"
	"	movq %rdi, %r12\n"
	"	movq %rsi, %r13\n"
	"	movq %rdx, %r14\n"
	"	call 3f\n"
	"	movq %rax, (%r14)\n"
	"	testq %rax, %rax\n"
	"	jnz 2f\n"
	"1:	movq (%r12), %rdi\n"
	"	movq 8(%r12), %rax\n"
	"	movq 16(%r12), %rdx\n"
	"	lock cmpxchgq %rdx, (%rdi)\n"
	"	movq %rax, 24(%r12)\n"
	"	addq $32, %r12\n"
	"	decq %r13\n"
	"	jnz 1b\n"
	"	call 3f\n"
	"2:	ret\n"
	"3:	movl $324, %eax\n"
	"	movl $32, %edi\n"
	"	xorl %esi, %esi\n"
	"	xorl %edx, %edx\n"
	"	syscall\n"
	"	ret\n"
	".balign 16\n"
	"stub_run_slot:\n"
	"	movq %rdi, %r12\n"
	"	movq %rsi, %r13\n"
	"1:	call *%r12\n"
	"	decq %r13\n"
	"	jnz 1b\n"
	"	ret\n"
	".balign 16\n"
	"stub_end:\n"
	".popsection\n");
