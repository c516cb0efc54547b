/* SPDX-License-Identifier: MIT */
/*
 * code_cache.h - memory like HotSpot's code cache, with methods like compiled ones, in a victim
 * whose threads call them all the time and check what they return.
 */
#ifndef HP_TEST_CODE_CACHE_H
#define HP_TEST_CODE_CACHE_H

#include "region/patch.h"
#include "lib/victim.h"

#define CACHE_LEN     (1u << 20)
#define CACHE_METHODS 1100 /* more than a batch */
#define CACHE_CALLERS 2
#define CACHE_BANG    7 /* length of a method's first instruction, the stack bang */

extern uint8_t *cache; /* at the same address in the test and in its victims */

/** cache_map() - map and fill it, before a victim is started. */
void cache_map(void);
void cache_unmap(void);

uint64_t cache_low(void);
uint64_t cache_high(void);

/** cache_method() - address of method @i, a multiple of 16. */
uint64_t cache_method(uint32_t i);

/** cache_victim() - a victim's program: CACHE_CALLERS threads call method 0, 1, ... of @hot. */
void cache_victim(struct victim *v);

/** cache_victim_agent() - the same with a fake agent (fake_agent.h) in it. */
void cache_victim_agent(struct victim *v);

/** cache_divert() - lead method @slot through @slot of @r; fills the table. Return:
 * patch_apply()'s. */
int cache_divert(struct region *r, uint32_t slot);

/** cache_word() - the first word of method @i in the victim. */
uint64_t cache_word(struct victim *v, uint32_t i);

/** cache_op() - what diverts method @slot. */
struct patch_op cache_op(struct region *r, uint32_t slot);

#endif
