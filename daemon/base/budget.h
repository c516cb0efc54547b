/* SPDX-License-Identifier: MIT */
/*
 * budget.h - how much work one target may make us do.
 *
 * Every length and every count that a target decides has a bound; their product has not, and a
 * target that wants to keeps us busy for minutes. So a walk over its structures begins a budget,
 * and each step of it spends: a read of its memory does by itself (proc/mem.h), loops over what was
 * read before do it by hand. When the budget is used up, or the user wants no more (stop.h), the
 * step fails, and the walk ends with that error.
 *
 * Counted is our own time on the processor, so that a busy machine does not make honest targets
 * look bad.
 */
#ifndef HP_BUDGET_H
#define HP_BUDGET_H

#include "base/util.h"

struct budget {
	uint64_t limit_ns; /* our thread's CPU time at which it is used up */
	uint64_t until_ns; /* waiting, which takes no CPU time, ends at this time of clock_ns() */
	struct budget *outer;
};

/**
 * budget_begin() - from here to budget_end() work takes at most @ns, nor more than is left of the
 * budget that we are in already. Waiting takes as long at most.
 */
void budget_begin(struct budget *b, uint64_t ns);

/** budget_end() - the last that was begun. */
void budget_end(struct budget *b);
#define _cleanup_budget_ _cleanup_(budget_end)

/**
 * budget_spend() - a step of the walk, which takes some microseconds; most calls cost next to
 * nothing. Outside of any budget there is no limit, and no stop.
 * Return: 0; -E2BIG it is used up; -ECANCELED the work is to be given up.
 */
int budget_spend(void);

/** budget_spend_bytes() - the same for work like copying @n bytes. */
int budget_spend_bytes(size_t n);

/**
 * budget_over() - has a step failed already? For work whose parts could not say why they failed.
 * Return: as budget_spend().
 */
int budget_over(void);

/** budget_until_ns() - when waiting has to end, by clock_ns(); UINT64_MAX without a budget. */
uint64_t budget_until_ns(void);

#endif
