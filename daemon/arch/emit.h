/* SPDX-License-Identifier: MIT */
/*
 * emit.h - the instructions that slots are made of. Each writes at @p and returns what is behind.
 * None of them changes a flag.
 */
#ifndef HP_EMIT_H
#define HP_EMIT_H

#include "base/util.h"

/* Within the slot's code: continuation first, because the text's jump leads there. */
#define EMIT_PROLOGUE_OFF 64

uint8_t *emit_bytes(uint8_t *p, const void *bytes, size_t len);

/** emit_jmp() - jmp rel32 at target address @from; @to lies within reach. */
uint8_t *emit_jmp(uint8_t *p, uint64_t from, uint64_t to);

/** emit_lea_rsp() - lea disp8(%rsp),%rsp */
uint8_t *emit_lea_rsp(uint8_t *p, int8_t disp);

/** emit_fp_prologue() - at @addr: make room, save xmm0-7 there, and go to the slot's @text. */
uint8_t *emit_fp_prologue(uint8_t *p, uint64_t addr, uint64_t text);

#endif
