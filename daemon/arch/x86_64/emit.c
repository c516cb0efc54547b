// SPDX-License-Identifier: MIT
/* emit.c - the instructions that slots are made of. See emit.h. */
#include <linux/types.h>

#include "arch/emit.h"
#include "bpf/events.h"

_Static_assert(HP_FP_FRAME == 8 * HP_FP_ARGS && HP_FP_FRAME < 128, "disp8 reaches the frame");

#define LEA_LEN	  5
#define MOVSD_LEN 6

_Static_assert(LEA_LEN + HP_FP_ARGS * MOVSD_LEN + INSN_JUMP_LEN == EMIT_PROLOGUE_MAX, "prologue");

uint8_t *emit_bytes(uint8_t *p, const void *bytes, size_t len)
{
	memcpy(p, bytes, len);
	return p + len;
}

uint8_t *emit_jump(uint8_t *p, uint64_t from, uint64_t to)
{
	int32_t rel = (int32_t)(int64_t)(to - (from + INSN_JUMP_LEN));

	*p++ = 0xe9; /* jmp rel32 */
	return emit_bytes(p, &rel, sizeof(rel));
}

uint8_t *emit_return(uint8_t *p)
{
	*p++ = 0xc3;
	return p;
}

uint8_t *emit_traps(uint8_t *p, size_t len)
{
	memset(p, 0xcc, len); /* int3 */
	return p + len;
}

uint8_t *emit_nop(uint8_t *p, bool call)
{
	static const uint8_t nop5[] = {0x0f, 0x1f, 0x44, 0x00, 0x00}, nop1[] = {0x90};

	return call ? emit_bytes(p, nop5, sizeof(nop5)) : emit_bytes(p, nop1, sizeof(nop1));
}

/* lea changes no flags. */
uint8_t *emit_add_sp(uint8_t *p, int8_t disp)
{
	const uint8_t lea[LEA_LEN] = {0x48, 0x8d, 0x64, 0x24, (uint8_t)disp};

	return emit_bytes(p, lea, sizeof(lea));
}

uint8_t *emit_frame(uint8_t *p)
{
	/* push %rbp; mov %rsp,%rbp; push %rbp */
	static const uint8_t frame[EMIT_FRAME_LEN] = {0x55, 0x48, 0x89, 0xe5, 0x55};

	return emit_bytes(p, frame, sizeof(frame));
}

uint8_t *emit_frame_end(uint8_t *p)
{
	*p++ = 0xc9; /* leave */
	return p;
}

uint8_t *emit_fp_prologue(uint8_t *p, uint64_t addr, uint64_t text)
{
	const uint8_t *start = p;

	p = emit_add_sp(p, -HP_FP_FRAME);
	for (int i = 0; i < HP_FP_ARGS; i++) {
		/* movsd %xmm<i>, <8 * i>(%rsp) */
		const uint8_t movsd[MOVSD_LEN] = {
			0xf2, 0x0f, 0x11, (uint8_t)(0x44 | i << 3), 0x24, (uint8_t)(8 * i)};

		p = emit_bytes(p, movsd, sizeof(movsd));
	}
	return emit_jump(p, addr + (uint64_t)(p - start), text);
}
