// SPDX-License-Identifier: MIT
/*
 * method_entry.c - which instruction of a method a probe of its entry may sit on.
 *
 * Typically a method begins `sub $N,%rsp; cmp 8(%r15),%rsp; jbe slow`, and the jump is what the
 * kernel handles best. From the start up to such a place leads a run of instructions of which each
 * does no more than what is understood here:
 *
 * - it goes on to the next one: no branch, no call;
 * - it changes no register that passes an argument, nor r14 (heap base) and r15 (thread);
 * - rsp changes by a constant, and only downwards from where it was at the start;
 * - it stores only into the method's own frame, below the return address.
 *
 * No jump in the method leads into that run behind its start, nor to the start, which would be a
 * loop. Where not all of the method is understood, only its start is left, and only if it lowers
 * rsp: no loop leads there, since each round would take more of the stack.
 *
 * An instruction that loads or stores through an object may run elsewhere: nothing in an image
 * looks it up by its address. There are no null checks by SIGSEGV, which ends the process, and the
 * stack is walked by return addresses. Source: oracle/graal substratevm,
 * SubstrateSegfaultHandler.java.
 *
 * The method's first instruction is not diverted: uprobes of other tools sit there, and the kernel
 * writes back what it found in the file when it removes one.
 *
 * What the kernel emulates in its trap, instead of single-stepping a copy: Linux arch/x86/kernel/
 * uprobes.c, branch_setup_xol_ops(): jcc, jmp and call with a relative target, and nops, those of
 * more than two bytes since 6.16; push_setup_xol_ops(): push of a register. is_prefix_bad() refuses
 * the nops of 9 bytes and more, which have a cs prefix (arch/x86/include/asm/nops.h). From 6.18 on
 * a nop of five bytes becomes a call (can_optimize()).
 */
#include <string.h>

#include "arch/x86_64/method_entry.h"

/* Prologues are shorter. */
#define RUN_MAX 16

#define NOP5_LEN 5u

#define RSP 4

static bool kernel_knows_nop(const uint8_t *code, size_t len)
{
	static const uint8_t nops[][8] = {
		{0x90},
		{0x66, 0x90},
		{0x0f, 0x1f, 0x00},
		{0x0f, 0x1f, 0x40, 0x00},
		{0x0f, 0x1f, 0x44, 0x00, 0x00},
		{0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00},
		{0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00},
		{0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00},
	};

	return len && len <= sizeof(nops) / sizeof(*nops) && !memcmp(code, nops[len - 1], len);
}

static bool kernel_emulates(const uint8_t *code, size_t len)
{
	if (kernel_knows_nop(code, len) || insn_is_jcc32(code, len) || insn_is_jmp32(code, len))
		return true;
	if (len == INSN_JUMP_LEN && code[0] == 0xe8)
		return true;
	if (len == 1)
		return (code[0] & 0xf8) == 0x50;
	if (len == 2)
		return (code[0] & 0xf0) == 0x70 || code[0] == 0xeb ||
		       (code[0] == 0x41 && (code[1] & 0xf8) == 0x50);
	return false;
}

/* sub $n,%rsp; add $n,%rsp; lea n(%rsp),%rsp; push. @ret: by how much rsp is lower afterwards. */
static bool moves_stack(const cs_insn *insn, int64_t *ret)
{
	const cs_x86_op *o = insn->detail->x86.operands;
	bool of_rsp = o[0].type == X86_OP_REG && o[0].reg == X86_REG_RSP;

	switch (insn->id) {
	case X86_INS_PUSH:
		*ret = 8;
		return !insn->detail->x86.prefix[2] && o[0].type != X86_OP_MEM;
	case X86_INS_SUB:
		*ret = o[1].imm;
		return of_rsp && o[1].type == X86_OP_IMM;
	case X86_INS_ADD:
		*ret = -o[1].imm;
		return of_rsp && o[1].type == X86_OP_IMM;
	case X86_INS_LEA:
		*ret = -o[1].mem.disp;
		return of_rsp && o[1].mem.base == X86_REG_RSP &&
		       o[1].mem.index == X86_REG_INVALID && o[1].mem.segment == X86_REG_INVALID;
	default:
		return false;
	}
}

/* Does it do nothing but compute its first operand, and flags, or only flags? */
static bool computes(const cs_insn *insn, bool *only_flags)
{
	*only_flags = false;
	switch (insn->id) {
	case X86_INS_CMP:
	case X86_INS_TEST:
	case X86_INS_NOP:
		*only_flags = true;
		return true;
	case X86_INS_IMUL:
		return insn->detail->x86.op_count > 1;
	case X86_INS_MOV: /* not of segment registers, which may fault */
		return insn->detail->x86.opcode[0] != 0x8c && insn->detail->x86.opcode[0] != 0x8e;
	case X86_INS_MOVABS:
	case X86_INS_MOVZX:
	case X86_INS_MOVSX:
	case X86_INS_MOVSXD:
	case X86_INS_LEA:
	case X86_INS_ADD:
	case X86_INS_SUB:
	case X86_INS_AND:
	case X86_INS_OR:
	case X86_INS_XOR:
	case X86_INS_INC:
	case X86_INS_DEC:
	case X86_INS_NEG:
	case X86_INS_NOT:
	case X86_INS_SHL:
	case X86_INS_SHR:
	case X86_INS_SAR:
	case X86_INS_MOVD: /* from here on: to save a float */
	case X86_INS_MOVQ:
	case X86_INS_MOVSS:
	case X86_INS_MOVSD:
	case X86_INS_VMOVSS:
	case X86_INS_VMOVSD:
		return true;
	default:
		return false;
	}
}

/* Is the store to @o, with rsp @depth below where it was at the start, below the return address? */
static bool in_frame(const cs_x86_op *o, int64_t depth)
{
	return o->size && o->mem.base == X86_REG_RSP && o->mem.index == X86_REG_INVALID &&
	       o->mem.segment == X86_REG_INVALID && o->mem.disp <= depth - o->size;
}

/* May it stand before a probe of the entry? @depth: see entry_point, kept up to date. */
static bool harmless(const struct method_scan *s, const cs_insn *insn, int64_t *depth)
{
	const cs_x86 *x = &insn->detail->x86;
	int64_t lower;
	bool only_flags;
	int number;

	if (insn_odd_prefix(x))
		return false;
	if (moves_stack(insn, &lower)) {
		*depth += lower;
		return *depth >= 0 && *depth <= INT32_MAX;
	}
	if (!computes(insn, &only_flags))
		return false;
	if (only_flags)
		return true;
	if (x->operands[0].type == X86_OP_MEM)
		return in_frame(&x->operands[0], *depth);
	if (x->operands[0].type != X86_OP_REG)
		return false;
	number = insn_reg_number(x->operands[0].reg);
	return number >= 0 && number != RSP && !(s->kept_regs >> number & 1);
}

static bool relative_to_rip(const cs_x86 *x)
{
	for (uint8_t i = 0; i < x->op_count; i++)
		if (x->operands[i].type == X86_OP_MEM && x->operands[i].mem.base == X86_REG_RIP)
			return true;
	return false;
}

/* Can a jump be put over the instruction at @off in one aligned store, and it run elsewhere? */
static bool divertible(const struct method_scan *s, uint32_t off)
{
	const cs_insn *insn = s->d->insn;
	int64_t lower;
	bool only_flags;

	if (insn->size < INSN_JUMP_LEN || (s->addr + off) % 8 + INSN_JUMP_LEN > 8)
		return false;
	if (insn_is_jcc32(s->code + off, insn->size) || insn_is_jmp32(s->code + off, insn->size))
		return true;
	return !insn_odd_prefix(&insn->detail->x86) && !relative_to_rip(&insn->detail->x86) &&
	       (moves_stack(insn, &lower) || computes(insn, &only_flags));
}

static struct entry_point point_here(const struct method_scan *s, uint32_t off, int64_t depth)
{
	return (struct entry_point){off, (uint32_t)depth, (uint8_t)s->d->insn->size};
}

/* Is the instruction at @off, in the decoder, a better place for the probe than what @m has? */
static bool better_probe(const struct method_scan *s, uint32_t off, const struct method_code *m)
{
	size_t len = s->d->insn->size;

	if (!off || !kernel_emulates(s->code + off, len))
		return !off;
	if (!m->emulated)
		return true;
	return len == NOP5_LEN && kernel_knows_nop(s->code + off, len) &&
	       !(m->probe.len == NOP5_LEN && kernel_knows_nop(s->code + m->probe.off, NOP5_LEN));
}

static bool lowers_stack(const cs_insn *insn)
{
	int64_t lower;

	return !insn_odd_prefix(&insn->detail->x86) && moves_stack(insn, &lower) && lower > 0;
}

void method_entry_find(struct method_scan *s, struct method_code *ret)
{
	const cs_insn *insn = s->d->insn;
	int64_t depth = 0;
	uint32_t off = 0;

	for (int i = 0; i < RUN_MAX && off < s->lowest_target; i++) {
		if (off >= s->len || !insn_decode(s->d, s->addr + off, s->code + off, s->len - off))
			return;
		if (!ret->complete && (off || !lowers_stack(insn)))
			return;
		if (better_probe(s, off, ret)) {
			ret->probe = point_here(s, off, depth);
			ret->emulated = kernel_emulates(s->code + off, insn->size);
		}
		if (off && !ret->divert.len && divertible(s, off))
			ret->divert = point_here(s, off, depth);
		if (!harmless(s, insn, &depth))
			return;
		off += insn->size;
	}
}
