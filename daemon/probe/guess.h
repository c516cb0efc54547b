/* SPDX-License-Identifier: MIT */
/*
 * guess.h - "did you mean" for a SPEC whose class is not there: it may be misspelt, written with
 * slashes or in the wrong case, without its package or its method, or just not be loaded yet.
 */
#ifndef HP_GUESS_H
#define HP_GUESS_H

#include "base/nearest.h"
#include "probe/spec.h"

#define GUESS_SAME_MAX 4

/* What is found among the classes that there are. */
struct guess {
	const struct spec *spec;
	bool exact; /* its class has no wildcard: otherwise there is nothing to guess */
	char klass[NEAREST_LEN_MAX + 1]; /* as written */
	const char *simple;		 /* behind the last '.' or '$' of it */
	const char *method;		 /* as written, a glob */

	bool is_class; /* the whole SPEC is a class: its method is missing */
	char slashes[NEAREST_LEN_MAX + 1], nested[NEAREST_LEN_MAX + 1]; /* it, written right */
	char same[GUESS_SAME_MAX][NEAREST_LEN_MAX + 1]; /* with this simple name, elsewhere */
	size_t nsame;
	char without[NEAREST_LEN_MAX + 1]; /* such a one that has no such method */
	struct nearest near;
};

/** guess_init() - @spec must outlive @g. */
void guess_init(struct guess *g, const struct spec *spec);

/**
 * guess_offer() - a class that there is, of another name than the SPEC's.
 * @has: has it a method that fits the glob @method? Asked of few.
 */
void guess_offer(struct guess *g, const char *klass, bool (*has)(void *arg, const char *method),
		 void *arg);

/**
 * guess_mistake() - what is wrong with the SPEC however long one waits; NULL: nothing that is
 * known.
 */
const char *guess_mistake(const struct guess *g);

/** guess_mean() - the SPECs that may be meant, with commas between them; "": none. */
void guess_mean(const struct guess *g, char *buf, size_t size);

#endif
