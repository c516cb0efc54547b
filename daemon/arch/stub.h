/* SPDX-License-Identifier: MIT */
/*
 * stub.h - the few instructions that run inside a target on our behalf.
 */
#ifndef HP_STUB_H
#define HP_STUB_H

#include "base/util.h"

/*
 * Position-independent; copied into the region. Both are entered by hijack_call() and return.
 * rdi: list of struct patch_op, rsi: how many (not 0), rdx: where the first membarrier's result
 * goes.
 */
extern const uint8_t stub_patch[];
/* rdi: address to call, rsi: how often (not 0). */
extern const uint8_t stub_run_slot[];
extern const uint8_t stub_end[];

#endif
