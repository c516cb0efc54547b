/* SPDX-License-Identifier: MIT */
/*
 * sigframe.h - the way back of a hijacked thread: a signal frame as the kernel would have built it.
 *
 * A thread that executes rt_sigreturn on it has every register again, its signal mask, its
 * floating point state, and goes on where it was. Nobody else is needed for that: it is how a
 * thread returns when its tracer has died. Pure: builds bytes, touches nothing.
 */
#ifndef HP_SIGFRAME_H
#define HP_SIGFRAME_H

#include <sys/user.h>

#include "base/util.h"

/* AMX makes it 11008 bytes; what does not fit here is refused. */
#define SIGFRAME_XSTATE_MAX 16384
#define SIGFRAME_MAX	    (SIGFRAME_XSTATE_MAX + 1024)

/*
 * In place of a siginfo the frame bears a mark, so that a later instance recognises a thread that
 * is on its way back: this word, and behind it the frame's own address.
 */
#define SIGFRAME_COOKIE	    0x65626f7270746f68ULL
#define SIGFRAME_COOKIE_OFF 312

struct sigframe_state {
	struct user_regs_struct regs;
	uint64_t sigmask;
	uint8_t xstate[SIGFRAME_XSTATE_MAX]; /* as PTRACE_GETREGSET NT_X86_XSTATE gives it */
	size_t xstate_len;
	int64_t call;	   /* system call to be made (again) first of all; -1: none */
	uint64_t call_rip; /* where its instruction is */
};

/* What has to lie in memory at @addr; its first word is a return address. */
struct sigframe {
	uint64_t addr;
	size_t len;
	uint8_t bytes[SIGFRAME_MAX];
};

/**
 * sigframe_interrupted() - is the thread in a system call that was cut short, and that the kernel
 * would make again if no signal handler runs? Source: kernel arch/x86/kernel/signal.c,
 * arch_do_signal_or_restart().
 */
bool sigframe_interrupted(const struct user_regs_struct *r);

/**
 * sigframe_build() - build the frame that brings a thread back to @s.
 * @top: the frame ends at or below this address.
 * @sigreturn: address of code that calls rt_sigreturn(2); becomes the frame's return address.
 *
 * @ret->addr is 8 below a multiple of 16, as the stack pointer is at function entry.
 * Return: 0; -EOPNOTSUPP when the floating point state has an unknown form.
 * Source: kernel arch/x86/kernel/signal_64.c x64_setup_rt_frame(), arch/x86/kernel/fpu/signal.c.
 */
int sigframe_build(const struct sigframe_state *s, uint64_t top, uint64_t sigreturn,
		   struct sigframe *ret);

#endif
