/* SPDX-License-Identifier: MIT */
/*
 * chaos_run.h - one hotprobe, from its start to its end: which command, under which limits, who
 * reads what it prints, and what is done to it meanwhile. Its plan is random; what it may then
 * print, and how it may end, is not.
 */
#ifndef HP_TEST_CHAOS_RUN_H
#define HP_TEST_CHAOS_RUN_H

#include "lib/chaos.h"
#include "lib/chaos_target.h"

struct chaos_run;

/* What else goes on, which decides how a run may end. */
struct chaos_scene {
	struct chaos_target *t;
	bool alone;		/* no other hotprobe comes to this target meanwhile */
	bool disturbed;		/* somebody stops, slows, traces or ends the target */
	const char *dir, *full; /* folders to write to; the second one's disk is full soon */
};

/** chaos_run_new() - plan one. Nothing is started yet. */
struct chaos_run *chaos_run_new(const struct chaos_scene *s);
void chaos_run_free(struct chaos_run *r);

/**
 * chaos_run_tick() - do what is due, without waiting.
 * Return: false when it has ended and was judged. Fails the test if something is not as it must be.
 */
bool chaos_run_tick(struct chaos_run *r);

/** chaos_run_attaches() - may it change the target? */
bool chaos_run_attaches(const struct chaos_run *r);

/** chaos_run_may_leave() - was it killed, or could it not finish: something may be left. */
bool chaos_run_may_leave(const struct chaos_run *r);

/** chaos_run_hits() - calls that it says passed @ret of the two methods' probes; 0: unknown. */
uint64_t chaos_run_hits(const struct chaos_run *r, unsigned int *ret);

#endif
