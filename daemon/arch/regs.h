/* SPDX-License-Identifier: MIT */
/*
 * regs.h - the general registers of a stopped thread, by what they are for.
 *
 * A thread is borrowed by giving it other registers, and is given back by giving it its own. Pure:
 * reads and changes the copy, touches no thread.
 */
#ifndef HP_REGS_H
#define HP_REGS_H

#include <sys/user.h>

#include "base/util.h"

/* Bytes below the stack pointer that a function may use without saying so. */
#define REGS_RED_ZONE 128

/* As PTRACE_GETREGS gives them. */
struct regs {
	struct user_regs_struct user;
};

/* NT_*, for PTRACE_GETREGSET: the floating-point and vector registers in one piece. */
extern const int regs_fp_note;

uint64_t regs_pc(const struct regs *r);
uint64_t regs_sp(const struct regs *r);

/** regs_thread_pointer() - the thread's control block, which lies on top of its stack. */
uint64_t regs_thread_pointer(const struct regs *r);

/** regs_native() - does it run code of our own width? No 32-bit code. */
bool regs_native(const struct regs *r);

/** regs_call_at() - @found, but to go on at @pc with @sp: nothing of a system call is left to be
 * restarted, and the flags are as a function expects them. */
struct regs regs_call_at(const struct regs *found, uint64_t pc, uint64_t sp);

/** regs_set_args() - the first three arguments of a C function. */
void regs_set_args(struct regs *r, const uint64_t args[static 3]);

/** regs_set_syscall() - what a system call instruction would be told. */
void regs_set_syscall(struct regs *r, long nr, const uint64_t args[static 6]);

/** regs_result() - of a system call, behind it. */
int64_t regs_result(const struct regs *r);

/** regs_syscall() - number of the system call that the thread is in; negative: in none. */
int64_t regs_syscall(const struct regs *r);

/** regs_next_syscall() - number of the one that its next instruction would make, if it makes one.
 */
int64_t regs_next_syscall(const struct regs *r);

/**
 * regs_interrupted() - is the thread in a system call that was cut short, and that the kernel
 * would make again if no signal handler runs? Source: kernel arch/x86/kernel/signal.c,
 * arch_do_signal_or_restart().
 */
bool regs_interrupted(const struct regs *r);

#endif
