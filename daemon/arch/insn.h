/* SPDX-License-Identifier: MIT */
/*
 * insn.h - single instructions: what they are, and whether they may be moved elsewhere.
 */
#ifndef HP_INSN_H
#define HP_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a jump, of which that much must be displaced, in whole instructions. */
#define INSN_JUMP_LEN 5
/* Either way, from behind it. */
#define INSN_JUMP_REACH (1ULL << 31)
#define INSN_LEN_MAX	15

/**
 * insn_jump_target() - is @code, running at @addr, the jump that emit_jump() writes?
 * @ret: where it leads.
 */
bool insn_jump_target(uint64_t addr, const uint8_t code[static INSN_JUMP_LEN], uint64_t *ret);

/** insn_is_jump() - does @code begin with any unconditional jump to a fixed place? */
bool insn_is_jump(const uint8_t *code);

/** insn_is_trap() - is @code the breakpoint that a uprobe is, or emit_traps() wrote? */
bool insn_is_trap(const uint8_t *code);

/** insn_is_call() - is it a call to a fixed place, as kernels from Linux 6.18 on make of a nop? */
bool insn_is_call(const uint8_t *code);

/**
 * insn_landing_len() - bytes of the mark for control-flow checks that @code, of INSN_LANDING_LEN
 * bytes, begins with; 0: of none.
 */
#define INSN_LANDING_LEN 4
size_t insn_landing_len(const uint8_t code[static INSN_LANDING_LEN]);

struct insn_decoder;

struct insn_decoder *insn_decoder_new(void);
void insn_decoder_free(struct insn_decoder *d);

/**
 * insn_displaceable() - length of the first instruction of @code if it can run elsewhere.
 * @code: @len bytes as they stand at target address @addr.
 * @ret: its length in bytes, INSN_JUMP_LEN to INSN_LEN_MAX.
 *
 * Only what is understood is accepted: a single instruction that a jump fits on and that HotSpot
 * begins a method with (stack bang, frame allocation, nop, ...), not relative to its own address,
 * no branch, no call, no stack pointer read that a slot would falsify.
 *
 * Return: 0; -EOPNOTSUPP if it is something else; -EPROTO if it does not decode.
 */
int insn_displaceable(struct insn_decoder *d, uint64_t addr, const uint8_t *code, size_t len,
		      size_t *ret);

/** insn_text() - "mov dword ptr [rsp - 0x14000], eax", for messages. Always terminated. */
void insn_text(struct insn_decoder *d, uint64_t addr, const uint8_t *code, size_t len, char *buf,
	       size_t size);

#endif
