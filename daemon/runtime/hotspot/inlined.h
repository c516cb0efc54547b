/* SPDX-License-Identifier: MIT */
/*
 * inlined.h - which compiled bodies hold an inlined copy of a method, as far as the JVM has written
 * that down.
 *
 * Two places tell. The dependencies of a body name every method that was parsed for it, if the JVM
 * was told to be ready for redefinitions when it compiled that body: always in JDK 25, in older
 * ones since an agent was loaded. Else its debug information names the methods that were inlined
 * where it has a safepoint or a call: not the leaves, getters and loops that have none.
 */
#ifndef HP_INLINED_H
#define HP_INLINED_H

#include "symmap/symmap.h"
#include "runtime/hotspot/layout.h"

struct inlined_copy {
	uint64_t method;	      /* Method* that was inlined */
	const struct nmethod *holder; /* the map's */
};

/* Zero-initialised: nothing is known. For inlined_fini(). */
struct inlined {
	struct inlined_copy *copies; /* by method, the highest level first */
	size_t n, cap;
	size_t bodies; /* that were looked at: in use, of Java code */
	size_t silent; /* of these, such as do not name all that they hold */
	bool all;      /* every body was looked at, in time */
};

/**
 * inlined_find() - look for copies of the @n methods in every body of @map that is in use.
 * @methods: Method*s in rising order. @deadline_ns: CLOCK_MONOTONIC; a budget that is used up ends
 * it as well.
 * Return: 0; -EOPNOTSUPP this JVM does not say where; -ECANCELED; -ESRCH; -ENOMEM.
 */
int inlined_find(struct mem *m, const struct layout *l, const struct symmap *map,
		 const uint64_t *methods, size_t n, uint64_t deadline_ns, struct inlined *ret);
void inlined_fini(struct inlined *in);

/** inlined_of() - the copies of one method. Return: the first of *@n. */
const struct inlined_copy *inlined_of(const struct inlined *in, uint64_t method, size_t *n);

#endif
