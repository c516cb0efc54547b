/* SPDX-License-Identifier: MIT */
/*
 * method_scan.h - what the parts of method_code.c share while they look at one method.
 */
#ifndef HP_METHOD_SCAN_H
#define HP_METHOD_SCAN_H

#include "arch/x86_64/insn_cs.h"
#include "arch/method_code.h"

/* Marks, one set of them per byte of code. */
#define MARK_INSN	 0x001u /* an instruction begins */
#define MARK_RETURN	 0x002u /* it is a ret */
#define MARK_LEAVES	 0x004u /* it is a jump out of the method */
#define MARK_AFTER_CALL	 0x008u /* the byte behind a call: its address may be taken */
#define MARK_TARGET	 0x010u /* some jump leads here */
#define MARK_GUARDED	 0x020u /* between a switch's bound and its jump: no jump may lead here */
#define MARK_REFERENCED	 0x040u /* its address is taken, relative to rip */
#define MARK_TABLE	 0x080u /* part of a switch's table */
#define MARK_TABLE_START 0x100u
#define MARK_SEEN	 0x200u /* probed, at the entry or to see a return */

/* The instructions last seen that lead to the present one without a jump, nops left out. */
#define RECENT_MAX 32

struct method_scan {
	struct insn_decoder *d;
	uint64_t addr;
	const uint8_t *code;
	uint32_t len;
	uint16_t *marks;	     /* @len of them */
	uint32_t recent[RECENT_MAX]; /* a ring of offsets */
	uint32_t nrecent;   /* put there since something did not go on to the next instruction */
	uint32_t kept_regs; /* what the probe wants to see as the caller left it: bits by number */
	uint32_t lowest_target; /* of all jumps in the method; @len: there are none */
};

/** method_scan_target() - note that a jump leads to @off, which is inside the method. */
static inline void method_scan_target(struct method_scan *s, uint32_t off)
{
	s->marks[off] |= MARK_TARGET;
	if (off < s->lowest_target)
		s->lowest_target = off;
}

#endif
