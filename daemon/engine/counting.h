/* SPDX-License-Identifier: MIT */
/*
 * counting.h - a trace that only counts: how often each method was called, in intervals and at the
 * end.
 */
#ifndef HP_COUNTING_H
#define HP_COUNTING_H

#include "engine/answer.h"

struct counting {
	uint64_t begun_ns, told_ns; /* monotonic */
};

/** counting_begin() - every method is probed. */
void counting_begin(struct counting *c);

/**
 * counting_tell() - an event for each method, most calls first.
 * @ev: what all of them have: time and process. @final: of the whole time, not only since the last.
 * Return: 0; -ENOMEM, then nothing was told.
 */
int counting_tell(struct counting *c, struct probes *probes, struct answer *a,
		  const struct event *ev, bool final);

#endif
