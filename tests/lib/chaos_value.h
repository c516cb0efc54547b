/* SPDX-License-Identifier: MIT */
/*
 * chaos_value.h - is what hotprobe printed of prog.Chaos true? Each value of a call follows from
 * its thread and its number, and the numbers of a thread are without gaps.
 */
#ifndef HP_TEST_CHAOS_VALUE_H
#define HP_TEST_CHAOS_VALUE_H

#include <jansson.h>

#include "base/util.h"

#define CHAOS_CALLERS 3 /* threads of prog.Chaos that call */

/* What one run of hotprobe has printed so far. */
struct chaos_seen {
	bool json;
	uint64_t entries, checked; /* calls printed; of those, calls whose values were checked */
	uint64_t gaps;		   /* calls that must have been in between, in so many places */
	uint64_t next[2][CHAOS_CALLERS]; /* by method and thread: the number that must come next */
	bool changed;			 /* bodies came or went meanwhile */
	bool attached, detached, restored;
	uint64_t hits, lost;
	char wrong[512]; /* the first thing that is not true; "": none */
};

/** chaos_value_line() - look at a line of `trace`, as JSON or text. */
void chaos_value_line(struct chaos_seen *s, const char *line);

/** chaos_value_end() - after the last line of a run that ended in order: was a call left out? */
void chaos_value_end(struct chaos_seen *s);

#endif
