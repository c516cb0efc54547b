/* SPDX-License-Identifier: MIT */
/*
 * guess.h - "did you mean" for a SPEC whose class is not there: it may be misspelt, written with
 * slashes or in the wrong case, without its package or its method, or just not be loaded yet.
 */
#ifndef HP_GUESS_H
#define HP_GUESS_H

#include "base/nearest.h"
#include "probe/spec.h"

#define GUESS_MAX 4

/* What is found among the classes that there are. All texts are cut to what a likely name has. */
struct guess {
	const struct spec *spec;
	bool exact; /* its class has no wildcard: otherwise there is nothing to guess */
	char klass[NEAREST_LEN_MAX + 1]; /* as written */
	const char *simple;		 /* behind the last '.' or '$' of it */
	const char *method;		 /* as written, a glob */
	const char *wanted; /* the same, but <init> for what is a constructor in Java */

	bool is_class; /* the whole SPEC is a class: its method is missing */
	char slashes[NEAREST_LEN_MAX + 1], nested[NEAREST_LEN_MAX + 1]; /* it, written right */

	/* Classes with such a method. The name is nearly the whole one: */
	struct nearest near;
	/* It is the same where it is written, by @kind: those of the best kind. */
	char same[GUESS_MAX][NEAREST_LEN_MAX + 1];
	size_t nsame;
	int kind;
	struct nearest near_simple; /* it is nearly the same, and no package was written */
	char of_simple[NEAREST_LEN_MAX + 1];

	/* Such a class without such a method: with one that is nearly so, or at all. */
	char similar[2 * NEAREST_LEN_MAX + 2];
	size_t similar_mistakes;
	struct nearest without;
};

/** guess_init() - @spec must outlive @g. */
void guess_init(struct guess *g, const struct spec *spec);

/**
 * guess_has - has the class that is offered a method that fits the glob @method?
 * @near: is offered the name of each method.
 */
typedef bool guess_has(void *arg, const char *method, struct nearest *near);

/** guess_offer() - a class that there is, of another name than the SPEC's. @has: asked of few. */
void guess_offer(struct guess *g, const char *klass, guess_has *has, void *arg);

/**
 * guess_mistake() - what is wrong with the SPEC however long one waits; NULL: nothing that is
 * known.
 */
const char *guess_mistake(const struct guess *g);

/** guess_mean() - the SPECs that may be meant, with commas between them; "": none. */
void guess_mean(const struct guess *g, char *buf, size_t size);

/**
 * guess_is_constructor() - does @method stand where Java writes the name of a constructor, as in
 * "com.shop.Cart.Cart" or "com.shop.Cart::new"? In compiled code that is <init>.
 */
bool guess_is_constructor(const char *klass, const char *method);

#endif
