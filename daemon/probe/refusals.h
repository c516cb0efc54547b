/* SPDX-License-Identifier: MIT */
/*
 * refusals.h - methods that match and are not probed, by the reason: one line for each reason, not
 * one for each method.
 *
 * What a reason says behind its first ':' is particular to the method ("first instruction cannot be
 * moved: cmp rax, [rsi]"): reasons that are the same up to there are one.
 */
#ifndef HP_REFUSALS_H
#define HP_REFUSALS_H

#include "base/util.h"

#define REFUSALS_MAX	    16 /* reasons; the last one takes all that are left */
#define REFUSALS_NAMES	    3  /* methods that a line names */
#define REFUSALS_WHY_MAX    128
#define REFUSALS_METHOD_MAX 160 /* bytes of a name: a longer one is cut, and ends in "..." */

struct refusal {
	char why[REFUSALS_WHY_MAX];    /* without what is particular */
	char detail[REFUSALS_WHY_MAX]; /* the first one's, whole */
	char names[REFUSALS_NAMES][REFUSALS_METHOD_MAX];
	size_t nnames; /* of those not told yet */
	uint64_t count, told;
};

/* Zero-initialised is empty. */
struct refusals {
	struct refusal v[REFUSALS_MAX];
	size_t n;
	uint64_t told_ns; /* when refusals_tell() said something last */
};

/** refusals_add() - a method is not probed. @name: class and method; @why: as above. */
void refusals_add(struct refusals *r, const char *name, const char *why);

/** refusals_count() - of all reasons. */
uint64_t refusals_count(const struct refusals *r);

typedef void refusals_say_fn(void *arg, const char *text);

/** refusals_tell() - say in a line for each reason what has not been told yet. */
void refusals_tell(struct refusals *r, refusals_say_fn *say, void *arg);

/** refusals_tell_soon() - the same, but at most once in five seconds: the rest is told later. */
void refusals_tell_soon(struct refusals *r, refusals_say_fn *say, void *arg);

#endif
