/* SPDX-License-Identifier: MIT */
/*
 * slots.h - which slots of a region are taken, and when one may be used again.
 *
 * A slot that a site has left rests: a thread may still be inside it, and the slot's code must
 * not change under it. Only when every thread was seen outside may a resting slot be taken again.
 */
#ifndef HP_SLOTS_H
#define HP_SLOTS_H

#include "region/region.h"
#include "base/util.h"

#define SLOT_NONE UINT32_MAX

enum slot_state { SLOT_FREE, SLOT_LIVE, SLOT_RESTING };

struct slots {
	uint8_t state[REGION_SLOTS];
	uint32_t count; /* how many there are to take from, slot 0 included */
	uint32_t next;	/* where the search for a free one begins */
	uint32_t nlive, nresting;
};

/** slots_init() - @count: slots from 0 on that may be used; at most REGION_SLOTS. */
void slots_init(struct slots *s, uint32_t count);

/** slots_have() - is any free? */
bool slots_have(const struct slots *s);

/** slots_take() - Return: a free slot, now live; SLOT_NONE when there is none. */
uint32_t slots_take(struct slots *s);

/** slots_return() - @slot was taken but nothing was ever diverted to it: it is free at once. */
void slots_return(struct slots *s, uint32_t slot);

/** slots_rest() - nothing leads into @slot any more, but threads may be inside. */
void slots_rest(struct slots *s, uint32_t slot);

/**
 * slots_reclaim() - free the resting slots if no thread is inside any of them.
 * See remote_outside().
 * Return: how many were freed; 0 also when a thread was inside; -ESRCH; -EPERM; -ETIMEDOUT.
 */
int slots_reclaim(struct slots *s, struct region *const *regions, size_t n);

#endif
