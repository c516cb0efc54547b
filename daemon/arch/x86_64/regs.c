// SPDX-License-Identifier: MIT
/* regs.c - the general registers of x86-64. See regs.h. */
#include <elf.h>

#include "arch/regs.h"

#define EFLAGS_PLAIN 0x202 /* interrupts on, direction up, no single step */
#define USER_CS	     0x33  /* 64-bit code; kernel arch/x86/include/asm/segment.h */

/* From the kernel's include/linux/errno.h: they never reach user space, except through ptrace. */
#define ERESTARTSYS	      512
#define ERESTARTNOINTR	      513
#define ERESTARTNOHAND	      514
#define ERESTART_RESTARTBLOCK 516

const int regs_fp_note = NT_X86_XSTATE;

uint64_t regs_pc(const struct regs *r)
{
	return r->user.rip;
}

uint64_t regs_sp(const struct regs *r)
{
	return r->user.rsp;
}

uint64_t regs_thread_pointer(const struct regs *r)
{
	return r->user.fs_base;
}

bool regs_native(const struct regs *r)
{
	return r->user.cs == USER_CS;
}

struct regs regs_call_at(const struct regs *found, uint64_t pc, uint64_t sp)
{
	struct regs r = *found;

	r.user.rip = pc;
	r.user.rsp = sp;
	r.user.rax = 0;
	r.user.orig_rax = (uint64_t)-1;
	r.user.eflags = EFLAGS_PLAIN;
	return r;
}

void regs_set_args(struct regs *r, const uint64_t args[static 3])
{
	r->user.rdi = args[0];
	r->user.rsi = args[1];
	r->user.rdx = args[2];
}

void regs_set_syscall(struct regs *r, long nr, const uint64_t args[static 6])
{
	regs_set_args(r, args);
	r->user.rax = (uint64_t)nr;
	r->user.r10 = args[3];
	r->user.r8 = args[4];
	r->user.r9 = args[5];
}

int64_t regs_result(const struct regs *r)
{
	return (int64_t)r->user.rax;
}

int64_t regs_syscall(const struct regs *r)
{
	return (int64_t)r->user.orig_rax;
}

int64_t regs_next_syscall(const struct regs *r)
{
	return (int64_t)r->user.rax;
}

bool regs_interrupted(const struct regs *r)
{
	if (regs_syscall(r) < 0)
		return false;
	switch (-regs_result(r)) {
	case ERESTARTSYS:
	case ERESTARTNOINTR:
	case ERESTARTNOHAND:
	case ERESTART_RESTARTBLOCK:
		return true;
	default:
		return false;
	}
}
