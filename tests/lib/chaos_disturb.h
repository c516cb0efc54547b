/* SPDX-License-Identifier: MIT */
/*
 * chaos_disturb.h - what else happens to a target while hotprobe is with it: it is stopped, frozen,
 * slowed down, traced by somebody else, or it ends.
 */
#ifndef HP_TEST_CHAOS_DISTURB_H
#define HP_TEST_CHAOS_DISTURB_H

#include "lib/chaos_target.h"

struct chaos_disturb;

/** chaos_disturb_init() / chaos_disturb_fini() - cgroups of this process's own, if they can be. */
void chaos_disturb_init(void);
void chaos_disturb_fini(void);

/** chaos_disturb_new() - plan one, at a random moment. NULL: none this time. */
struct chaos_disturb *chaos_disturb_new(struct chaos_target *t);

/** chaos_disturb_tick() - do what is due, without waiting. Return: false when it is over. */
bool chaos_disturb_tick(struct chaos_disturb *d);

/** chaos_disturb_ends() - does the target end by it? */
bool chaos_disturb_ends(const struct chaos_disturb *d);
const char *chaos_disturb_name(const struct chaos_disturb *d);

/** chaos_disturb_free() - undo it. Accepts NULL. */
void chaos_disturb_free(struct chaos_disturb *d);

#endif
