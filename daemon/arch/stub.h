/* SPDX-License-Identifier: MIT */
/*
 * stub.h - the few instructions that run inside a target on our behalf.
 *
 * Position-independent; copied into the region. Each is called like a C function and returns. They
 * change the general registers that any C function may, and three more, which stub.c names:
 * whoever calls them there saves those.
 */
#ifndef HP_STUB_H
#define HP_STUB_H

#include "base/util.h"

/* One aligned 8-byte word of code. */
struct patch_op {
	uint64_t addr;	 /* multiple of 8, inside the region's [code_low, code_high) */
	uint64_t expect; /* swapped only while the word is this */
	uint64_t desire;
	uint64_t seen; /* out: what the word was; equal to @expect exactly when swapped */
};

/*
 * Arguments: a list of struct patch_op, how many (not 0), and where the first membarrier's result
 * goes.
 */
extern const uint8_t stub_patch[];

/* Arguments: the address to call, and how often (not 0). */
extern const uint8_t stub_run_slot[];
extern const uint8_t stub_end[];

#endif
