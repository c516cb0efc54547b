/* SPDX-License-Identifier: MIT */
/*
 * nearest.h - "did you mean": which of many names is most like the one that somebody typed.
 */
#ifndef HP_NEAREST_H
#define HP_NEAREST_H

#include "base/util.h"

#define NEAREST_LEN_MAX 256 /* bytes of a name; a longer one is like no other */

/**
 * nearest_distance() - how many letters have to be put in, left out, replaced, or swapped with
 * their neighbour to make @b of @a (optimal string alignment, in bytes). Upper and lower case are
 * the same here, and one mistake in all.
 * @max: not of interest beyond this. Return: the distance, or more than @max.
 */
size_t nearest_distance(const char *a, const char *b, size_t max);

/* The best of those offered. */
struct nearest {
	const char *want;
	size_t max;  /* mistakes */
	size_t best; /* mistakes in it; @max + 1: there is none */
	char name[NEAREST_LEN_MAX + 1];
};

/** nearest_init() - @want must outlive @n. A mistake for every four letters is believed, up to 3.
 */
void nearest_init(struct nearest *n, const char *want);

/** nearest_better() - would nearest_offer() take it? */
bool nearest_better(const struct nearest *n, const char *name);

/** nearest_offer() - the first one of several that are as near stays. */
void nearest_offer(struct nearest *n, const char *name);

/** nearest_found() - the nearest, or NULL. Never @want itself. */
const char *nearest_found(const struct nearest *n);

#endif
