// SPDX-License-Identifier: MIT
/*
 * switch_table.c - the jump tables that GraalVM's compiler puts into the code of a method.
 *
 * Two forms are known, and nothing else is believed. A dense switch has 4 bytes per target, counted
 * from the table's start:
 *
 *	cmp $last,%index; ja default
 *	lea table(%rip),%base; movslq (%base,%index,4),%entry; add %entry,%base; jmp *%base
 *
 * A sparse one is hashed, and has key and target:
 *
 *	and $mask,%index; ...
 *	lea table(%rip),%base; mov (%base,%index,8),%entry; cmp %value,%entry; jne default
 *	sar $32,%entry; add %entry,%base; jmp *%base
 *
 * The compiler emits each part as one piece, so the instructions stand in this order with nothing
 *but nops between; only the hash may be computed earlier. Up to JDK 22 or so the table follows the
 * jump, later it stands at the method's end. All of the 2 470 tables in six images are of these
 *forms, but for those of up to 8 "DynamicStrides" stubs in an image, whose index no code bounds.
 * Source: oracle/graal, compiler, AMD64ControlFlow.java (RangeTableSwitchOp, HashTableSwitchOp) and
 * Hasher.java (a hash ends in an and with the number of entries, a power of two, less one).
 */
#include <string.h>

#include "arch/x86_64/switch_table.h"

#define DENSE_ENTRY  4u
#define HASHED_ENTRY 8u

/* The @back-th instruction before the present one, 1 being the one right before; NULL if unknown.
 */
static const cs_insn *recent(struct method_scan *s, uint32_t back)
{
	uint32_t off;

	if (back > s->nrecent || back > RECENT_MAX)
		return NULL;
	off = s->recent[(s->nrecent - back) % RECENT_MAX];
	if (!insn_decode(s->d, s->addr + off, s->code + off, s->len - off))
		return NULL;
	return insn_odd_prefix(&s->d->insn->detail->x86) ? NULL : s->d->insn;
}

static const cs_x86_op *operand(const cs_insn *insn, uint8_t i)
{
	return &insn->detail->x86.operands[i];
}

static bool is_reg(const cs_insn *insn, uint8_t i, int number, uint8_t size)
{
	return insn->detail->x86.op_count > i && operand(insn, i)->type == X86_OP_REG &&
	       operand(insn, i)->size == size && insn_reg_number(operand(insn, i)->reg) == number;
}

static bool is_imm(const cs_insn *insn, uint8_t i)
{
	return insn->detail->x86.op_count > i && operand(insn, i)->type == X86_OP_IMM;
}

struct table {
	uint32_t start, entry_size; /* start: from the method's start */
	uint64_t count;
	int base, entry, index; /* registers */
	uint32_t bound;		/* the instruction that bounds the index is so many back */
};

/* add %entry,%base */
static bool match_add(const cs_insn *insn, struct table *t)
{
	if (!insn || insn->id != X86_INS_ADD || !is_reg(insn, 0, t->base, 8) ||
	    insn->detail->x86.op_count != 2 || operand(insn, 1)->type != X86_OP_REG)
		return false;
	t->entry = insn_reg_number(operand(insn, 1)->reg);
	return t->entry >= 0 && t->entry != t->base;
}

/* mov or movslq (%base,%index,size),%entry */
static bool match_load(const cs_insn *insn, unsigned int id, struct table *t)
{
	const x86_op_mem *m;

	if (!insn || insn->id != id || !is_reg(insn, 0, t->entry, 8) ||
	    operand(insn, 1)->type != X86_OP_MEM || operand(insn, 1)->size != t->entry_size)
		return false;
	m = &operand(insn, 1)->mem;
	t->index = insn_reg_number(m->index);
	return insn_reg_number(m->base) == t->base && t->index >= 0 &&
	       m->segment == X86_REG_INVALID && m->scale == (int)t->entry_size && m->disp == 0;
}

/* lea table(%rip),%base; the table is in the method, behind the jump at @jump. */
static bool match_lea(const struct method_scan *s, const cs_insn *insn, uint32_t jump,
		      struct table *t)
{
	uint64_t start;

	if (!insn || insn->id != X86_INS_LEA || !is_reg(insn, 0, t->base, 8) ||
	    operand(insn, 1)->mem.base != X86_REG_RIP)
		return false;
	start = insn->address + insn->size + (uint64_t)operand(insn, 1)->mem.disp - s->addr;
	if (start <= jump || start >= s->len)
		return false;
	t->start = (uint32_t)start;
	return true;
}

static bool match_dense(struct method_scan *s, uint32_t jump, struct table *t)
{
	const cs_insn *insn;

	t->entry_size = DENSE_ENTRY;
	if (!match_load(recent(s, 2), X86_INS_MOVSXD, t) || !match_lea(s, recent(s, 3), jump, t))
		return false;
	insn = recent(s, 4);
	if (!insn || insn->id != X86_INS_JA)
		return false;
	t->bound = 5;
	insn = recent(s, t->bound);
	if (!insn || insn->id != X86_INS_CMP || !is_reg(insn, 0, t->index, 4) || !is_imm(insn, 1))
		return false;
	t->count = (uint64_t)(uint32_t)operand(insn, 1)->imm + 1;
	return true;
}

/* Does it change general register @number? Also true if that is not known. */
static bool writes(struct method_scan *s, const cs_insn *insn, int number)
{
	cs_regs read, written;
	uint8_t nread, nwritten;

	if (cs_regs_access(s->d->handle, insn, read, &nread, written, &nwritten) != CS_ERR_OK)
		return true;
	for (uint8_t i = 0; i < nwritten; i++)
		if (insn_reg_number(written[i]) == number)
			return true;
	return false;
}

/* The and that made the index, from the @back-th instruction on. */
static bool match_mask(struct method_scan *s, uint32_t back, struct table *t)
{
	const cs_insn *insn;

	for (; (insn = recent(s, back)); back++) {
		if (!writes(s, insn, t->index))
			continue;
		if (insn->id != X86_INS_AND || !is_reg(insn, 0, t->index, 4) || !is_imm(insn, 1))
			return false;
		t->bound = back;
		t->count = (uint64_t)(uint32_t)operand(insn, 1)->imm + 1;
		return !(t->count & (t->count - 1));
	}
	return false;
}

static bool match_hashed(struct method_scan *s, uint32_t jump, struct table *t)
{
	const cs_insn *insn = recent(s, 2);

	t->entry_size = HASHED_ENTRY;
	if (!insn || insn->id != X86_INS_SAR || !is_reg(insn, 0, t->entry, 8) || !is_imm(insn, 1) ||
	    operand(insn, 1)->imm != 32)
		return false;
	insn = recent(s, 3);
	if (!insn || insn->id != X86_INS_JNE)
		return false;
	insn = recent(s, 4);
	if (!insn || insn->id != X86_INS_CMP ||
	    (!is_reg(insn, 0, t->entry, 4) && !is_reg(insn, 1, t->entry, 4)))
		return false;
	return match_load(recent(s, 5), X86_INS_MOV, t) && match_lea(s, recent(s, 6), jump, t) &&
	       match_mask(s, 7, t);
}

/* Nothing may be in its place yet, and every target must be in the method. */
static bool fits(const struct method_scan *s, const struct table *t)
{
	if (t->count > (s->len - t->start) / t->entry_size)
		return false;
	for (uint64_t i = 0; i < t->count * t->entry_size; i++)
		if (s->marks[t->start + i] & MARK_TABLE)
			return false;
	return true;
}

static bool mark_targets(struct method_scan *s, const struct table *t)
{
	for (uint64_t i = 0; i < t->count; i++) {
		const uint8_t *p = s->code + t->start + (i + 1) * t->entry_size - sizeof(int32_t);
		int32_t distance;
		int64_t target;

		memcpy(&distance, p, sizeof(distance));
		target = (int64_t)t->start + distance;
		if (target < 0 || target >= s->len)
			return false;
		method_scan_target(s, (uint32_t)target);
	}
	return true;
}

/* A jump in between would come with an index that was not compared. */
static void mark_guarded(struct method_scan *s, const struct table *t, uint32_t jump)
{
	s->marks[jump] |= MARK_GUARDED;
	for (uint32_t back = 1; back < t->bound; back++)
		s->marks[s->recent[(s->nrecent - back) % RECENT_MAX]] |= MARK_GUARDED;
}

bool switch_table_read(struct method_scan *s, uint32_t off)
{
	const cs_insn *insn = s->d->insn;
	struct table t = {.base = insn_reg_number(operand(insn, 0)->reg)};

	if (t.base < 0 || !match_add(recent(s, 1), &t))
		return false;
	if (!match_dense(s, off, &t) && !match_hashed(s, off, &t))
		return false;
	if (!fits(s, &t) || !mark_targets(s, &t))
		return false;
	mark_guarded(s, &t, off);
	s->marks[t.start] |= MARK_TABLE_START;
	for (uint64_t i = 0; i < t.count * t.entry_size; i++)
		s->marks[t.start + i] |= MARK_TABLE;
	return true;
}
