// SPDX-License-Identifier: MIT
/*
 * insn.c - may this instruction be moved elsewhere? See insn.h.
 *
 * The answer is a list of what may, because being position independent is not enough: HotSpot
 * knows some instructions by their address. An instruction with an object's address or a narrow
 * one as immediate is rewritten by the collector, the `cmp $imm32,disp(%r15)` of an nmethod entry
 * barrier is armed and disarmed by rewriting its immediate, and a load through an object may be an
 * implicit null check whose SIGSEGV is looked up by pc. None of those may be moved, hence: memory
 * only through rsp (the stack, where HotSpot goes by the faulting address) and r15 (the thread,
 * always mapped), and no immediate wider than a byte.
 * Source: OpenJDK 17 and 25, share/code/relocInfo.hpp (oop_Relocation, metadata_Relocation),
 * cpu/x86/gc/shared/barrierSetNMethod_x86.cpp, share/runtime/sharedRuntime.cpp
 * (continuation_for_implicit_exception).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/insn_cs.h"

#define JMP_REL8  0xeb
#define JMP_REL32 0xe9
#define CALL	  0xe8
#define INT3	  0xcc

bool insn_jump_target(uint64_t addr, const uint8_t code[static INSN_JUMP_LEN], uint64_t *ret)
{
	int32_t rel;

	_Static_assert(1 + sizeof(rel) == INSN_JUMP_LEN, "jmp rel32");
	memcpy(&rel, code + 1, sizeof(rel));
	*ret = addr + INSN_JUMP_LEN + (uint64_t)(int64_t)rel;
	return code[0] == JMP_REL32;
}

bool insn_is_jump(const uint8_t *code)
{
	return code[0] == JMP_REL32 || code[0] == JMP_REL8;
}

bool insn_is_trap(const uint8_t *code)
{
	return code[0] == INT3;
}

bool insn_is_call(const uint8_t *code)
{
	return code[0] == CALL;
}

size_t insn_landing_len(const uint8_t code[static INSN_LANDING_LEN])
{
	static const uint8_t endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};

	_Static_assert(sizeof(endbr64) == INSN_LANDING_LEN, "endbr64");
	return memcmp(code, endbr64, sizeof(endbr64)) ? 0 : sizeof(endbr64);
}

struct insn_decoder *insn_decoder_new(void)
{
	struct insn_decoder *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	if (cs_open(CS_ARCH_X86, CS_MODE_64, &d->handle) != CS_ERR_OK) {
		free(d);
		return NULL;
	}
	cs_option(d->handle, CS_OPT_DETAIL, CS_OPT_ON);
	d->insn = cs_malloc(d->handle);
	if (!d->insn) {
		insn_decoder_free(d);
		return NULL;
	}
	return d;
}

void insn_decoder_free(struct insn_decoder *d)
{
	if (!d)
		return;
	if (d->insn)
		cs_free(d->insn, 1);
	cs_close(&d->handle);
	free(d);
}

bool insn_decode(struct insn_decoder *d, uint64_t addr, const uint8_t *code, size_t len)
{
	return cs_disasm_iter(d->handle, &code, &len, &addr, d->insn);
}

int insn_reg_number(x86_reg reg)
{
	/* In the order of their numbers; 8, 16, 32 and 64 bits, and what else there is. */
	static const uint16_t regs[16][5] = {
		{X86_REG_AL, X86_REG_AX, X86_REG_EAX, X86_REG_RAX, X86_REG_AH},
		{X86_REG_CL, X86_REG_CX, X86_REG_ECX, X86_REG_RCX, X86_REG_CH},
		{X86_REG_DL, X86_REG_DX, X86_REG_EDX, X86_REG_RDX, X86_REG_DH},
		{X86_REG_BL, X86_REG_BX, X86_REG_EBX, X86_REG_RBX, X86_REG_BH},
		{X86_REG_SPL, X86_REG_SP, X86_REG_ESP, X86_REG_RSP},
		{X86_REG_BPL, X86_REG_BP, X86_REG_EBP, X86_REG_RBP},
		{X86_REG_SIL, X86_REG_SI, X86_REG_ESI, X86_REG_RSI},
		{X86_REG_DIL, X86_REG_DI, X86_REG_EDI, X86_REG_RDI},
		{X86_REG_R8B, X86_REG_R8W, X86_REG_R8D, X86_REG_R8},
		{X86_REG_R9B, X86_REG_R9W, X86_REG_R9D, X86_REG_R9},
		{X86_REG_R10B, X86_REG_R10W, X86_REG_R10D, X86_REG_R10},
		{X86_REG_R11B, X86_REG_R11W, X86_REG_R11D, X86_REG_R11},
		{X86_REG_R12B, X86_REG_R12W, X86_REG_R12D, X86_REG_R12},
		{X86_REG_R13B, X86_REG_R13W, X86_REG_R13D, X86_REG_R13},
		{X86_REG_R14B, X86_REG_R14W, X86_REG_R14D, X86_REG_R14},
		{X86_REG_R15B, X86_REG_R15W, X86_REG_R15D, X86_REG_R15},
	};

	if (reg == X86_REG_INVALID)
		return -1;
	for (int i = 0; i < 16; i++)
		for (int k = 0; k < 5; k++)
			if (regs[i][k] == reg)
				return i;
	return -1;
}

static bool is_frame_allocation(const cs_insn *insn)
{
	const cs_x86 *x = &insn->detail->x86;

	return insn->id == X86_INS_SUB && x->operands[0].type == X86_OP_REG &&
	       x->operands[0].reg == X86_REG_RSP && x->operands[1].type == X86_OP_IMM;
}

static bool steady_memory(const x86_op_mem *m)
{
	return (m->base == X86_REG_RSP || m->base == X86_REG_R15) && m->index == X86_REG_INVALID &&
	       m->segment == X86_REG_INVALID;
}

/* Moves no segment register and does not put anything into rsp. */
static bool plain_move(const cs_insn *insn)
{
	const cs_x86 *x = &insn->detail->x86;

	switch (insn->id) {
	case X86_INS_CMP:
	case X86_INS_TEST:
		return true;
	case X86_INS_MOV:
	case X86_INS_LEA:
	case X86_INS_MOVZX:
	case X86_INS_MOVSX:
	case X86_INS_MOVSXD:
		break;
	default:
		return false;
	}
	if (x->opcode[0] == 0x8c || x->opcode[0] == 0x8e)
		return false;
	return x->operands[0].type != X86_OP_REG ||
	       (x->operands[0].reg != X86_REG_RSP && x->operands[0].reg != X86_REG_ESP &&
		x->operands[0].reg != X86_REG_SP);
}

static bool is_steady_move(const cs_insn *insn)
{
	const cs_x86 *x = &insn->detail->x86;
	bool memory = false;

	if (!plain_move(insn) || x->encoding.imm_size > 1)
		return false;
	for (uint8_t i = 0; i < x->op_count; i++) {
		if (x->operands[i].type != X86_OP_MEM)
			continue;
		memory = true;
		if (!steady_memory(&x->operands[i].mem))
			return false;
	}
	return memory;
}

/*
 * Methods compiled while their class is being initialised begin with the class initialisation
 * barrier: `movabs $Klass,%r10; cmpb $4,disp32(%r10)`. That immediate is a Klass*, which never
 * moves, and HotSpot reads no relocation before the point where the frame is complete. Only with
 * the compare behind it is the constant known to be no object.
 * Source: OpenJDK 17 and 25, cpu/x86/x86_64.ad (MachPrologNode), c1_LIRAssembler_x86.cpp
 * (clinit_barrier), share/code/compiledMethod.cpp in 17, nmethod.cpp in 25 (oops_reloc_begin).
 */
static bool is_clinit_barrier(const uint8_t *code, size_t len)
{
	static const uint8_t mov_r10[] = {0x49, 0xba};
	static const uint8_t cmp_r10[] = {0x41, 0x80, 0xba};
	const size_t mov_len = sizeof(mov_r10) + 8;

	return len >= mov_len + sizeof(cmp_r10) && !memcmp(code, mov_r10, sizeof(mov_r10)) &&
	       !memcmp(code + mov_len, cmp_r10, sizeof(cmp_r10));
}

int insn_displaceable(struct insn_decoder *d, uint64_t addr, const uint8_t *code, size_t len,
		      size_t *ret)
{
	const cs_insn *insn = d->insn;

	if (!insn_decode(d, addr, code, len))
		return -EPROTO;
	if (insn->size < INSN_JUMP_LEN || insn_odd_prefix(&insn->detail->x86))
		return -EOPNOTSUPP;
	if (insn->id != X86_INS_NOP && !is_frame_allocation(insn) && !is_steady_move(insn) &&
	    !is_clinit_barrier(code, len))
		return -EOPNOTSUPP;
	*ret = insn->size;
	return 0;
}

/* For bytes that are no instruction: show them. */
static void bytes_text(const uint8_t *code, size_t len, char *buf, size_t size)
{
	size_t n = 0;

	if (len > INSN_LEN_MAX)
		len = INSN_LEN_MAX;
	snprintf(buf, size, "(no code)");
	for (size_t i = 0; i < len && n < size; i++)
		n += snprintf(buf + n, size - n, i ? " %02x" : "%02x", code[i]);
}

void insn_text(struct insn_decoder *d, uint64_t addr, const uint8_t *code, size_t len, char *buf,
	       size_t size)
{
	const cs_insn *insn = d->insn;

	if (!size)
		return;
	if (!insn_decode(d, addr, code, len))
		bytes_text(code, len, buf, size);
	else
		snprintf(buf, size, "%s%s%s", insn->mnemonic, *insn->op_str ? " " : "",
			 insn->op_str);
}
