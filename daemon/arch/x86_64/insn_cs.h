/* SPDX-License-Identifier: MIT */
/*
 * insn_cs.h - the decoder as capstone has it. For the files of this folder that look at code;
 * everybody else includes arch/insn.h, which does not need capstone's header.
 */
#ifndef HP_INSN_CS_H
#define HP_INSN_CS_H

#include <capstone/capstone.h>
#include <stdbool.h>

#include "arch/insn.h"

#define INSN_JCC_LEN 6u /* jcc rel32; INSN_JUMP_LEN: jmp rel32 */

struct insn_decoder {
	csh handle;
	cs_insn *insn; /* the one last decoded, with its detail */
};

/** insn_decode() - the first instruction of @code into @d->insn. Return: is it one, and whole? */
bool insn_decode(struct insn_decoder *d, uint64_t addr, const uint8_t *code, size_t len);

/**
 * insn_reg_number() - 0 to 15 of the general register that @reg is, or is a part of; -1 of others.
 */
int insn_reg_number(x86_reg reg);

/* lock and rep, another segment, another address size: compilers of Java begin no method with
 * those. */
static inline bool insn_odd_prefix(const cs_x86 *x)
{
	return x->prefix[0] || x->prefix[1] || x->prefix[3];
}

static inline bool insn_is_jcc32(const uint8_t *code, size_t len)
{
	return len == INSN_JCC_LEN && code[0] == 0x0f && (code[1] & 0xf0) == 0x80;
}

static inline bool insn_is_jmp32(const uint8_t *code, size_t len)
{
	return len == INSN_JUMP_LEN && code[0] == 0xe9;
}

#endif
