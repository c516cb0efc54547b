// SPDX-License-Identifier: MIT
/* method_code_move.c - an instruction of a method, made to do the same at another place. */
#include <string.h>

#include "arch/x86_64/insn_cs.h"
#include "arch/method_code.h"

/* A rel32 from behind itself at @from to @to, into @out. */
static bool put_rel32(uint8_t *out, uint64_t from, uint64_t to)
{
	int64_t distance = (int64_t)(to - from);
	int32_t rel = (int32_t)distance;

	if (rel != distance)
		return false;
	memcpy(out, &rel, sizeof(rel));
	return true;
}

/* Where the branch of @len bytes at @code, running at @addr, with a rel32 at its end, leads. */
static uint64_t branch_target(uint64_t addr, const uint8_t *code, size_t len)
{
	int32_t rel;

	memcpy(&rel, code + len - sizeof(rel), sizeof(rel));
	return addr + len + (uint64_t)(int64_t)rel;
}

_Static_assert(METHOD_CODE_ROOM >= INSN_LEN_MAX + INSN_JUMP_LEN, "an instruction and a jump");

size_t method_code_move(const struct method_code *m, uint64_t addr, const uint8_t *code,
			uint64_t at, uint8_t *out, size_t room)
{
	size_t len = m->divert.len;
	uint64_t from = addr + m->divert.off;

	if (len < INSN_JUMP_LEN || len > INSN_LEN_MAX || room < METHOD_CODE_ROOM)
		return 0;
	code += m->divert.off;
	memcpy(out, code, len);
	if ((insn_is_jcc32(code, len) || insn_is_jmp32(code, len)) &&
	    !put_rel32(out + len - 4, at + len, branch_target(from, code, len)))
		return 0;
	if (insn_is_jmp32(code, len))
		return len;
	out[len] = 0xe9;
	if (!put_rel32(out + len + 1, at + len + INSN_JUMP_LEN, from + len))
		return 0;
	return len + INSN_JUMP_LEN;
}
