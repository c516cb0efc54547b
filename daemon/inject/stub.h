/* SPDX-License-Identifier: MIT */
/*
 * stub.h - the few instructions that run inside a target on our behalf.
 */
#ifndef HP_STUB_H
#define HP_STUB_H

#include "util.h"

/* Position-independent; copied into the region. Both are entered by hijack_call() and return. */
extern const uint8_t stub_patch[];    /* rdi: list of struct patch_op, rsi: how many */
extern const uint8_t stub_run_slot[]; /* rdi: address to call, rsi: how often */
extern const uint8_t stub_end[];

#endif
