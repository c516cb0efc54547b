/* SPDX-License-Identifier: MIT */
/*
 * sigframe.h - how a borrowed thread returns: a signal frame as the kernel would have built it.
 *
 * A thread that executes rt_sigreturn on it has every register again, its signal mask, its
 * floating point state, and goes on where it was. Nobody else is needed for that: it is how a
 * thread returns when its tracer has died. Pure: builds bytes, touches nothing.
 */
#ifndef HP_SIGFRAME_H
#define HP_SIGFRAME_H

#include "arch/regs.h"

/* AMX makes it 11008 bytes; what does not fit here is refused. */
#define SIGFRAME_XSTATE_MAX 16384
#define SIGFRAME_MAX	    (SIGFRAME_XSTATE_MAX + 1024)

/*
 * In place of a siginfo the frame bears a mark, so that a later instance recognises a thread that
 * is returning: this word, and behind it the frame's own address.
 */
#define SIGFRAME_COOKIE	    0x65626f7270746f68ULL
#define SIGFRAME_COOKIE_OFF 312

struct sigframe_state {
	struct regs regs;
	uint64_t sigmask;
	uint8_t xstate[SIGFRAME_XSTATE_MAX]; /* as PTRACE_GETREGSET regs_fp_note gives it */
	size_t xstate_len;
	int64_t call;	  /* system call to be made (again) first of all; -1: none */
	uint64_t call_pc; /* where its instruction is */
};

/* What has to lie in memory at @addr; its first word is a return address. */
struct sigframe {
	uint64_t addr;
	size_t len;
	uint8_t bytes[SIGFRAME_MAX];
};

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

/* Words from a signal frame's beginning up to all that sigframe_peek() looks at. */
#define SIGFRAME_PEEK_WORDS 23

/* What a thread does when it gives up a signal frame: the code at @restorer, then on at @pc. */
struct sigframe_peek {
	uint64_t restorer, pc, sp;
};

/** sigframe_peek() - take the words at some place of a stack for a signal frame. */
struct sigframe_peek sigframe_peek(const uint64_t words[static SIGFRAME_PEEK_WORDS]);

#endif
