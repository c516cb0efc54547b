/* SPDX-License-Identifier: MIT */
/*
 * method_code.h - what the machine code of one compiled method of a GraalVM native image
 * says: where a probe of its entry may sit, and where it returns.
 *
 * Nothing is known here of files and processes: bytes and the address they run at come in. They
 * belong to the target and are not believed: whatever they are, the answer is bounded, and what is
 * not understood ends it (@complete).
 */
#ifndef HP_METHOD_CODE_H
#define HP_METHOD_CODE_H

#include <stdbool.h>

#include "arch/insn.h"

/* Code beyond this is not looked at. The longest of 236 000 methods seen has 412 032 bytes. */
#define METHOD_CODE_MAX (16u << 20)

/* What method_code_move() may need: an instruction and a jump behind it. */
#define METHOD_CODE_ROOM 32

/*
 * An instruction that every call passes exactly once, with all arguments still where the caller put
 * them.
 */
struct entry_point {
	uint32_t off;	/* from the method's start */
	uint32_t depth; /* the stack pointer is so many bytes lower there than at the method's start
			 */
	uint8_t len;	/* of the instruction; 0: there is none */
};

struct method_code {
	/* Where a uprobe costs least; the method's start if nothing is better. */
	struct entry_point probe;
	bool emulated; /* the kernel emulates that one instead of single-stepping it */
	/*
	 * Can become a jump by one aligned 8-byte store; see method_code_move(). Never the
	 * method's first instruction.
	 */
	struct entry_point divert;
	/* Owned: offsets, ascending, of all return instructions, and of where to probe each. */
	uint32_t *returns, *exits;
	size_t nreturns;
	/* Owned: offsets, ascending, of jumps out of it: calls that end there pass no return. */
	uint32_t *tail_jumps;
	size_t ntail_jumps;
	size_t nunseen; /* of them: those that are neither an exit nor the probed instruction */
	bool complete;	/* everything was understood: there are no other returns */
};

/**
 * method_code_read() - look at all the code of one method.
 * @addr: where @code runs; only differences and its place in an aligned word matter.
 * @code: @len bytes, from the method's first to where the next one begins; padding may follow.
 * @ret: filled on success, for method_code_fini().
 *
 * Without @ret->complete the code was understood up to some place only: @ret->returns are those
 * before it, and no others may be concluded. Then, and where a loop leads back to the start, there
 * may be no @ret->probe at all. Takes about 0.3 us per instruction.
 *
 * In images of Oracle GraalVM most methods have tail jumps, all conditional: one at the
 * entry, where the stack is at its end, to code that throws; and one right before a return, to code
 * that waits for a safepoint and then returns for the method. Such a jump is the exit of its
 * return: each call that returns there passes it, with the frame gone and the result in place as at
 * the return, and the kernel emulates it. Where there is none the return is its own exit. A call
 * that passes no exit has ended by an exception, if there are no @ret->nunseen.
 *
 * Return: 0; -EPROTO the first instruction does not decode, or there is none; -ENOMEM.
 */
int method_code_read(struct insn_decoder *d, uint64_t addr, const uint8_t *code, size_t len,
		     struct method_code *ret);

/**
 * method_code_read_args() - the same where it is known how many arguments are in general registers.
 * @nargs: so many, 0 to 6, in the order of abi_gpr(ABI_NATIVE_IMAGE). What lies beyond may be
 * overwritten before the probe. CE 19 computes its stack limit in such a register.
 */
int method_code_read_args(struct insn_decoder *d, uint64_t addr, const uint8_t *code, size_t len,
			  unsigned int nargs, struct method_code *ret);
void method_code_fini(struct method_code *m);
#define _cleanup_method_code_ _cleanup_(method_code_fini)

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
 * a jump's reach, or the room is too small.
 */
size_t method_code_move(const struct method_code *m, uint64_t addr, const uint8_t *code,
			uint64_t at, uint8_t *out, size_t room);

#endif
