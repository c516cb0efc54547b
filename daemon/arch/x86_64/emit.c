// SPDX-License-Identifier: MIT
/* emit.c - the instructions that slots are made of. See emit.h. */
#include <linux/types.h>

#include "arch/emit.h"
#include "bpf/events.h"
#include "arch/insn.h"

_Static_assert(HP_FP_FRAME == 8 * HP_FP_ARGS && HP_FP_FRAME < 128, "disp8 reaches the frame");

uint8_t *emit_bytes(uint8_t *p, const void *bytes, size_t len)
{
	memcpy(p, bytes, len);
	return p + len;
}

uint8_t *emit_jmp(uint8_t *p, uint64_t from, uint64_t to)
{
	int32_t rel = (int32_t)(int64_t)(to - (from + INSN_JMP_LEN));

	*p++ = 0xe9;
	return emit_bytes(p, &rel, sizeof(rel));
}

uint8_t *emit_lea_rsp(uint8_t *p, int8_t disp)
{
	const uint8_t lea[] = {0x48, 0x8d, 0x64, 0x24, (uint8_t)disp};

	return emit_bytes(p, lea, sizeof(lea));
}

uint8_t *emit_fp_prologue(uint8_t *p, uint64_t addr, uint64_t text)
{
	const uint8_t *start = p;

	p = emit_lea_rsp(p, -HP_FP_FRAME);
	for (int i = 0; i < HP_FP_ARGS; i++) {
		/* movsd %xmm<i>, <8 * i>(%rsp) */
		const uint8_t movsd[] = {
			0xf2, 0x0f, 0x11, (uint8_t)(0x44 | i << 3), 0x24, (uint8_t)(8 * i)};

		p = emit_bytes(p, movsd, sizeof(movsd));
	}
	return emit_jmp(p, addr + (uint64_t)(p - start), text);
}
