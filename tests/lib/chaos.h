/* SPDX-License-Identifier: MIT */
/*
 * chaos.h - what the parts of test_chaos share: random numbers that can be had again, the last
 * things that were done, and the figures of the report.
 */
#ifndef HP_TEST_CHAOS_H
#define HP_TEST_CHAOS_H

#include <jansson.h>

#include "base/util.h"

/** chaos_random_seed() - the numbers that follow are the same for the same three. */
void chaos_random_seed(uint64_t seed, uint64_t worker, uint64_t cycle);

/** chaos_random_below() - 0 to @n - 1; @n is at least 1. */
int chaos_random_below(int n);

/** chaos_random_in() - one time in @n. */
bool chaos_random_in(int n);

/** chaos_say() - remember what was just done, for chaos_say_print(). */
void chaos_say(const char *fmt, ...) _printf_(1, 2);

/** chaos_say_print() - the last things that were done, with their times. */
void chaos_say_print(void);

/* A row of the report sums up everything that had one thing in common. */
struct chaos_figures {
	uint64_t runs, hits, lost, left; /* left: a thread was inside, so the region stayed */
	int off_ms, end_ms; /* from the signal to the probes' and the process's end; -1: unknown */
};

/** chaos_figures_add() - to the row @group, @name. */
void chaos_figures_add(const char *group, const char *name, const struct chaos_figures *f);

/** chaos_figures_text() - all rows as a line of JSON, for chaos_figures_merge(). To be freed. */
char *chaos_figures_text(void);

/** chaos_figures_merge() - add those that another process got. Return: 0; -EPROTO. */
int chaos_figures_merge(const char *text);

/** chaos_figures_print() - the table. */
void chaos_figures_print(void);

/**
 * chaos_figures_time() - of all: the median (@worst: the worst) of "off_ms" or "end_ms"; -1 if
 * there are none, or too few for a median.
 */
int chaos_figures_time(const char *which, bool worst);

#endif
