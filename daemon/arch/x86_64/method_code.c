// SPDX-License-Identifier: MIT
/*
 * method_code.c - returns, jumps and tables of one compiled method. See method_code.h.
 *
 * Following control flow from the start would not do: a method's exception handlers are entered by
 * the stack walker, from tables that are not code, and a ret that only a handler leads to would be
 * missed. So the method is decoded from its first byte to its last, in order, and everything in it
 * counts as reached. That is sound only as long as every byte is known to be code or a switch's
 * table, which is held against the control flow itself:
 *
 * - A table follows the jump that uses it, at once or further down, so its place is known before
 *   it is come to (switch_table.c). A `jmp *%reg` that is not understood ends the decoding: what
 *   follows may be its table.
 * - Every jump and every table entry that leads into the method leads to the beginning of an
 *   instruction, and none leads behind the comparison that bounds a table.
 * - An address relative to rip that lies in the method is that of the method, of a known table, or
 * of an instruction behind a call or behind the lea itself (kept for the stack walker while native
 *   code runs). So there are no other data.
 * - The last instruction does not run on into the next method.
 *
 * What breaks a rule, or does not decode, leaves @complete false. Padding is int3 and decodes as
 * that.
 *
 * `jmp *disp(%reg)` leads out of the method: switches always jump by register, and what the
 * compiler emits in this form are the trampolines from C and the way back to deoptimised frames. So
 * does `mov %reg,%rsp; jmp *%reg`, which unwinds to an exception handler of some caller. Source:
 * oracle/graal substratevm, JNIJavaCallTrampolineHolder.java, AMD64FarReturnOp.java.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/method_entry.h"
#include "arch/x86_64/switch_table.h"

#define INT3	  0xcc
#define JCC8_LEN  2u
#define JCC32_LEN 6u

/* rdi rsi rdx rcx r8 r9, by number, and what is kept besides: r14 (heap base) and r15 (thread). */
static const uint8_t arg_regs[] = {7, 6, 2, 1, 8, 9};
#define KEPT_REGS (1u << 14 | 1u << 15)

enum flow {
	FLOW_NEXT, /* on to the next instruction */
	FLOW_CALL, /* too, unless the callee never returns */
	FLOW_END,
	FLOW_UNKNOWN,
};

/* Two-byte operands make capstone, AMD and Intel differ on where a branch leads. */
static bool odd_branch(const cs_x86 *x)
{
	return x->op_count != 1 || x->prefix[2] || insn_odd_prefix(x);
}

static enum flow direct_jump(struct method_scan *s, uint32_t off, enum flow flow)
{
	const cs_x86 *x = &s->d->insn->detail->x86;
	uint64_t target = (uint64_t)x->operands[0].imm - s->addr;

	if (odd_branch(x))
		return FLOW_UNKNOWN;
	if (target < s->len)
		method_scan_target(s, (uint32_t)target);
	else
		s->marks[off] |= MARK_LEAVES;
	return flow;
}

/* A method may call itself; a call to somewhere within it is something else. */
static enum flow direct_call(struct method_scan *s)
{
	const cs_x86 *x = &s->d->insn->detail->x86;
	uint64_t target = (uint64_t)x->operands[0].imm - s->addr;

	if (odd_branch(x))
		return FLOW_UNKNOWN;
	if (target && target < s->len)
		method_scan_target(s, (uint32_t)target);
	return FLOW_CALL;
}

/* mov %reg,%rsp right before: the frame is left. */
static bool unwinds(struct method_scan *s, uint32_t off)
{
	const cs_x86 *x = &s->d->insn->detail->x86;
	uint32_t last;

	if (!s->nrecent)
		return false;
	last = s->recent[(s->nrecent - 1) % RECENT_MAX];
	return insn_decode(s->d, s->addr + last, s->code + last, off - last) &&
	       s->d->insn->id == X86_INS_MOV && x->operands[0].type == X86_OP_REG &&
	       x->operands[0].reg == X86_REG_RSP && x->operands[1].type == X86_OP_REG;
}

static enum flow indirect_jump(struct method_scan *s, uint32_t off)
{
	const cs_x86 *x = &s->d->insn->detail->x86;

	if (odd_branch(x))
		return FLOW_UNKNOWN;
	if (x->operands[0].type == X86_OP_REG) {
		if (switch_table_read(s, off))
			return FLOW_END;
		if (!unwinds(s, off))
			return FLOW_UNKNOWN;
	} else if (x->operands[0].mem.index != X86_REG_INVALID ||
		   insn_reg_number(x->operands[0].mem.base) < 0) {
		return FLOW_UNKNOWN;
	}
	s->marks[off] |= MARK_LEAVES;
	return FLOW_END;
}

static bool by_immediate(const cs_insn *insn)
{
	return insn->detail->x86.op_count && insn->detail->x86.operands[0].type == X86_OP_IMM;
}

/* What the instruction at @off, in the decoder, means for the way through the method. */
static enum flow follow(struct method_scan *s, uint32_t off)
{
	switch (s->d->insn->id) {
	case X86_INS_JA:
	case X86_INS_JAE:
	case X86_INS_JB:
	case X86_INS_JBE:
	case X86_INS_JE:
	case X86_INS_JG:
	case X86_INS_JGE:
	case X86_INS_JL:
	case X86_INS_JLE:
	case X86_INS_JNE:
	case X86_INS_JNO:
	case X86_INS_JNP:
	case X86_INS_JNS:
	case X86_INS_JO:
	case X86_INS_JP:
	case X86_INS_JS:
	case X86_INS_JRCXZ:
	case X86_INS_LOOP:
	case X86_INS_LOOPE:
	case X86_INS_LOOPNE:
	case X86_INS_XBEGIN:
		return direct_jump(s, off, FLOW_NEXT);
	case X86_INS_JMP:
		return by_immediate(s->d->insn) ? direct_jump(s, off, FLOW_END)
						: indirect_jump(s, off);
	case X86_INS_CALL:
		return by_immediate(s->d->insn) ? direct_call(s) : FLOW_CALL;
	case X86_INS_RET:
		s->marks[off] |= MARK_RETURN;
		return FLOW_END;
	case X86_INS_INT3:
	case X86_INS_HLT:
	case X86_INS_UD2:
		return FLOW_END;
	case X86_INS_JCXZ:
	case X86_INS_JECXZ:
	case X86_INS_LJMP:
	case X86_INS_LCALL:
	case X86_INS_RETF:
	case X86_INS_RETFQ:
	case X86_INS_IRET:
	case X86_INS_IRETD:
	case X86_INS_IRETQ:
	case X86_INS_SYSRET:
	case X86_INS_SYSEXIT:
		return FLOW_UNKNOWN;
	default:
		return FLOW_NEXT;
	}
}

/* Note the address in the method that the instruction in the decoder names relative to rip. */
static void note_reference(struct method_scan *s)
{
	const cs_insn *insn = s->d->insn;
	const cs_x86 *x = &insn->detail->x86;

	for (uint8_t i = 0; i < x->op_count; i++) {
		uint64_t off =
			insn->address + insn->size + (uint64_t)x->operands[i].mem.disp - s->addr;

		if (x->operands[i].type != X86_OP_MEM || x->operands[i].mem.base != X86_REG_RIP)
			continue;
		if (off && off < s->len && (insn->id != X86_INS_LEA || x->operands[i].mem.disp))
			s->marks[off] |= MARK_REFERENCED;
	}
}

static bool runs_into_table(const struct method_scan *s, uint32_t off, uint32_t size)
{
	for (uint32_t i = 0; i < size; i++)
		if (s->marks[off + i] & MARK_TABLE)
			return true;
	return false;
}

/*
 * The instruction at @off. @flow_ret: where it leads; nops, which fill up, leave that as it was.
 * Return: its length; 0 if it does not decode.
 */
static uint32_t scan_insn(struct method_scan *s, uint32_t off, enum flow *flow_ret)
{
	uint32_t size;

	s->marks[off] |= MARK_INSN;
	if (s->code[off] == INT3) { /* padding, mostly: need not be decoded */
		*flow_ret = FLOW_END;
		return 1;
	}
	if (!insn_decode(s->d, s->addr + off, s->code + off, s->len - off))
		return 0;
	size = s->d->insn->size;
	if (runs_into_table(s, off, size))
		return 0;
	note_reference(s);
	if (s->d->insn->id == X86_INS_NOP)
		return size;
	*flow_ret = follow(s, off);
	if (*flow_ret == FLOW_CALL && size < s->len - off)
		s->marks[off + size] |= MARK_AFTER_CALL;
	s->recent[s->nrecent++ % RECENT_MAX] = off;
	return size;
}

/* Decode it all, in order. Return: did that work, to the end? */
static bool scan(struct method_scan *s)
{
	enum flow flow = FLOW_NEXT;

	for (uint32_t off = 0, size; off < s->len; off += size) {
		if (s->marks[off] & MARK_TABLE) {
			if (flow == FLOW_NEXT)
				return false;
			size = 1;
			continue;
		}
		size = scan_insn(s, off, &flow);
		if (!size || flow == FLOW_UNKNOWN)
			return false;
		if (flow == FLOW_END)
			s->nrecent = 0;
	}
	return flow != FLOW_NEXT;
}

/* The rules in the head comment that can be held only when all is decoded. */
static bool consistent(const struct method_scan *s)
{
	for (uint32_t off = 0; off < s->len; off++) {
		uint16_t m = s->marks[off];

		if ((m & MARK_TARGET) && (!(m & MARK_INSN) || (m & MARK_GUARDED)))
			return false;
		if ((m & MARK_REFERENCED) && !(m & MARK_TABLE_START) &&
		    (m & (MARK_INSN | MARK_AFTER_CALL)) != (MARK_INSN | MARK_AFTER_CALL))
			return false;
	}
	return true;
}

/* The offsets with mark @mark, ascending. @ret: NULL if there are none. Return: 0; -ENOMEM. */
static int take_marked(const struct method_scan *s, uint16_t mark, uint32_t **ret, size_t *n_ret)
{
	size_t n = 0;

	for (uint32_t off = 0; off < s->len; off++)
		n += !!(s->marks[off] & mark);
	*ret = n ? malloc(n * sizeof(**ret)) : NULL;
	if (n && !*ret)
		return -ENOMEM;
	for (uint32_t off = 0; off < s->len; off++)
		if (s->marks[off] & mark)
			(*ret)[(*n_ret)++] = off;
	return 0;
}

/* Is there a conditional jump of @len bytes, out of the method, right before the ret at @off? */
static bool jcc_before(const struct method_scan *s, uint32_t off, uint32_t len)
{
	const uint8_t *jcc = s->code + off - len;

	if (off < len || !(s->marks[off - len] & MARK_LEAVES))
		return false;
	return len == JCC8_LEN ? (jcc[0] & 0xf0) == 0x70
			       : jcc[0] == 0x0f && (jcc[1] & 0xf0) == 0x80;
}

/* Where to probe the ret at @off: at such a jump, unless a way leads around it. */
static uint32_t exit_of(const struct method_scan *s, uint32_t off)
{
	if (s->marks[off] & MARK_TARGET)
		return off;
	if (jcc_before(s, off, JCC8_LEN))
		return off - JCC8_LEN;
	return jcc_before(s, off, JCC32_LEN) ? off - JCC32_LEN : off;
}

/* @m->exits and @m->nunseen; the rest is known. */
static int find_exits(struct method_scan *s, struct method_code *m)
{
	if (m->nreturns) {
		m->exits = malloc(m->nreturns * sizeof(*m->exits));
		if (!m->exits)
			return -ENOMEM;
	}
	for (size_t i = 0; i < m->nreturns; i++) {
		m->exits[i] = m->complete ? exit_of(s, m->returns[i]) : m->returns[i];
		s->marks[m->exits[i]] |= MARK_SEEN;
	}
	if (m->probe.len)
		s->marks[m->probe.off] |= MARK_SEEN;
	for (size_t i = 0; i < m->ntail_jumps; i++)
		m->nunseen += !(s->marks[m->tail_jumps[i]] & MARK_SEEN);
	return 0;
}

int method_code_read_args(struct insn_decoder *d, uint64_t addr, const uint8_t *code, size_t len,
			  unsigned int nargs, struct method_code *ret)
{
	struct method_scan s = {.d = d, .addr = addr, .code = code, .kept_regs = KEPT_REGS};
	struct method_code m = {.returns = NULL};
	int err;

	if (!len || !insn_decode(d, addr, code, len))
		return -EPROTO;
	for (unsigned int i = 0; i < nargs && i < sizeof(arg_regs); i++)
		s.kept_regs |= 1u << arg_regs[i];
	s.len = len < METHOD_CODE_MAX ? (uint32_t)len : METHOD_CODE_MAX;
	s.lowest_target = s.len;
	s.marks = calloc(s.len, sizeof(*s.marks));
	if (!s.marks)
		return -ENOMEM;
	m.complete = scan(&s) && consistent(&s) && s.len == len;
	method_entry_find(&s, &m);
	err = take_marked(&s, MARK_RETURN, &m.returns, &m.nreturns);
	if (!err)
		err = take_marked(&s, MARK_LEAVES, &m.tail_jumps, &m.ntail_jumps);
	if (!err)
		err = find_exits(&s, &m);
	free(s.marks);
	if (err)
		method_code_fini(&m);
	else
		*ret = m;
	return err;
}

int method_code_read(struct insn_decoder *d, uint64_t addr, const uint8_t *code, size_t len,
		     struct method_code *ret)
{
	return method_code_read_args(d, addr, code, len, sizeof(arg_regs), ret);
}

void method_code_fini(struct method_code *m)
{
	free(m->returns);
	free(m->exits);
	free(m->tail_jumps);
	m->returns = m->exits = m->tail_jumps = NULL;
	m->nreturns = m->ntail_jumps = 0;
}
