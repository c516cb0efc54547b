/* SPDX-License-Identifier: MIT */
/*
 * emit.h - the instructions that slots are made of. Each writes at @p and returns what is behind.
 * None of them changes a flag.
 */
#ifndef HP_EMIT_H
#define HP_EMIT_H

#include "arch/insn.h"
#include "base/util.h"

/* Within the slot's code: continuation first, because the text's jump leads there. */
#define EMIT_PROLOGUE_OFF 64

/* Bytes of the longest nop, of the prologue, and of what begins a frame. */
#define EMIT_NOP_MAX	  5
#define EMIT_PROLOGUE_MAX 58
#define EMIT_FRAME_LEN	  5

/* How much lower the stack pointer is within a frame. A multiple of 16. */
#define EMIT_FRAME_DEPTH 16

uint8_t *emit_bytes(uint8_t *p, const void *bytes, size_t len);

/** emit_jump() - a jump at target address @from; @to lies within INSN_JUMP_REACH. */
uint8_t *emit_jump(uint8_t *p, uint64_t from, uint64_t to);

/** emit_return() - to the caller. */
uint8_t *emit_return(uint8_t *p);

/** emit_traps() - @len bytes of which none may be executed. */
uint8_t *emit_traps(uint8_t *p, size_t len);

/**
 * emit_nop() - what a uprobe is put on.
 * @call: one that kernels from Linux 6.18 on turn into a call; else one that older kernels step
 * over for less.
 */
uint8_t *emit_nop(uint8_t *p, bool call);

/** emit_add_sp() - add @disp to the stack pointer. */
uint8_t *emit_add_sp(uint8_t *p, int8_t disp);

/**
 * emit_frame() - begin a frame as a function does that keeps frame pointers, with a word below it:
 * who follows such frames finds the return address that was at the stack pointer.
 */
uint8_t *emit_frame(uint8_t *p);

/** emit_frame_end() - undo that, whatever else was put onto the stack since. */
uint8_t *emit_frame_end(uint8_t *p);

/**
 * emit_fp_prologue() - at @addr: make room, save the floating-point registers that pass arguments
 * there, and go to the slot's @text.
 */
uint8_t *emit_fp_prologue(uint8_t *p, uint64_t addr, uint64_t text);

#endif
