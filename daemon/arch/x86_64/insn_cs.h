/* SPDX-License-Identifier: MIT */
/*
 * insn_cs.h - the decoder as capstone has it. For the files of symmap/ that look at code; everybody
 * else includes insn.h, which does without capstone's header.
 */
#ifndef HP_INSN_CS_H
#define HP_INSN_CS_H

#include <capstone/capstone.h>
#include <stdbool.h>

#include "arch/insn.h"

struct insn_decoder {
	csh handle;
	cs_insn *insn; /* the one last decoded, with its detail */
};

/** insn_decode() - the first instruction of @code into @d->insn. Return: is it one, and whole? */
bool insn_decode(struct insn_decoder *d, uint64_t addr, const uint8_t *code, size_t len);

/* lock and rep, another segment, another address size: compilers of Java begin no method with
 * those. */
static inline bool insn_odd_prefix(const cs_x86 *x)
{
	return x->prefix[0] || x->prefix[1] || x->prefix[3];
}

#endif
