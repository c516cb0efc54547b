/* SPDX-License-Identifier: MIT */
/*
 * insn.h - may this instruction be moved elsewhere? (capstone)
 */
#ifndef HP_INSN_H
#define HP_INSN_H

#include <stddef.h>
#include <stdint.h>

/* A `jmp rel32` takes 5 bytes: that much must be displaced, in whole instructions. */
#define INSN_JMP_LEN 5
#define INSN_LEN_MAX 15

struct insn_decoder;

struct insn_decoder *insn_decoder_new(void);
void insn_decoder_free(struct insn_decoder *d);

/**
 * insn_displaceable() - length of the first instruction of @code if it can run elsewhere.
 * @code: @len bytes as they stand at target address @addr.
 * @ret: its length in bytes, INSN_JMP_LEN to INSN_LEN_MAX.
 *
 * Only what is understood is accepted: a single instruction of at least 5 bytes that HotSpot begins
 * a method with (stack bang, frame allocation, nop, ...), not relative to rip, no branch, no
 * call, no stack pointer read that a slot would falsify.
 *
 * Return: 0; -EOPNOTSUPP if it is something else; -EPROTO if it does not decode.
 */
int insn_displaceable(struct insn_decoder *d, uint64_t addr, const uint8_t *code, size_t len,
		      size_t *ret);

/** insn_text() - "mov dword ptr [rsp - 0x14000], eax", for messages. Always terminated. */
void insn_text(struct insn_decoder *d, uint64_t addr, const uint8_t *code, size_t len, char *buf,
	       size_t size);

#endif
