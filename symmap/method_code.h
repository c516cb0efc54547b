/* SPDX-License-Identifier: MIT */
/*
 * method_code.h - what the machine code (x86-64) of one compiled method of a GraalVM native image
 * says: where a probe of its entry may sit, and where it returns.
 *
 * Nothing is known here of files and processes: bytes and the address they run at come in. They
 * belong to the target and are not believed: whatever they are, the answer is bounded, and what is
 * not understood ends it (@complete).
 */
#ifndef HP_METHOD_CODE_H
#define HP_METHOD_CODE_H

#include <stdbool.h>

#include "symmap/insn.h"

/* Code beyond this is not looked at. The longest of 236 000 methods of six images has 412 032
 * bytes. */
#define METHOD_CODE_MAX (16u << 20)

/* What method_code_move() may need: an instruction and a jump behind it. */
#define METHOD_CODE_ROOM 32

/* An instruction that every call passes exactly once, with all arguments still where the caller put
 * them. */
struct entry_point {
	uint32_t off;	/* from the method's start */
	uint32_t depth; /* rsp is so many bytes lower there than at the method's start */
	uint8_t len;	/* of the instruction; 0: there is none */
};

struct method_code {
	struct entry_point
		probe; /* where a uprobe costs least; the method's start if nothing is better */
	bool emulated; /* the kernel emulates that one instead of single-stepping it */
	/* can become a jmp rel32 by one aligned 8-byte store, and can run elsewhere:
	 * method_code_move() */
	struct entry_point divert;
	uint32_t *returns; /* owned: offsets of all ret instructions, ascending */
	size_t nreturns;
	uint32_t
		*tail_jumps; /* owned: offsets of jumps out of the method; see method_code_read() */
	size_t ntail_jumps;  /* calls that end there pass no ret */
	bool complete;	     /* everything was understood: there are no other returns */
};

/**
 * method_code_read() - look at all the code of one method.
 * @addr: where @code runs; only differences and its place in an aligned word matter.
 * @code: @len bytes, from the method's first to where the next one begins; padding may follow.
 * @ret: filled on success, for method_code_fini().
 *
 * Without @ret->complete the code was understood up to some place only: @ret->returns are those
 * before it, and no others may be concluded. Then, and where a loop leads back to the start, there
 * may be no
 * @ret->probe at all. Takes about 0.5 us per instruction.
 *
 * In images of Oracle GraalVM most tail jumps are conditional: `jbe` where a method begins and its
 * stack is at its end, and `jle` right before a ret, to code that stops at a safepoint and returns
 * for it. Such a jle is passed by every call that returns there, and at it the frame is gone as at
 * the ret.
 *
 * Return: 0; -EPROTO the first instruction does not decode, or there is none; -ENOMEM.
 */
int method_code_read(struct insn_decoder *d, uint64_t addr, const uint8_t *code, size_t len,
		     struct method_code *ret);
void method_code_fini(struct method_code *m);

/**
 * method_code_move() - code for another place that does what the instruction at @m->divert does.
 * @addr, @code: as given to method_code_read().
 * @at: the target address it will run at.
 * @out: gets it.
 * @room: bytes there are at @out, at least METHOD_CODE_ROOM.
 *
 * It goes on behind that instruction, or where a conditional jump leads that is displaced; it
 * leaves the flags as the instruction leaves them.
 *
 * Return: bytes written; 0 if it cannot be done: there is no such instruction, the method is out of
 * a rel32's reach, or the room is too small.
 */
size_t method_code_move(const struct method_code *m, uint64_t addr, const uint8_t *code,
			uint64_t at, uint8_t *out, size_t room);

#endif
