/* SPDX-License-Identifier: MIT */
/*
 * coverage_called.h - which methods have been called: what is not seen of these is old news at the
 * end of a trace, and of the others it is the answer.
 */
#ifndef HP_COVERAGE_CALLED_H
#define HP_COVERAGE_CALLED_H

#include "probe/counts.h"
#include "runtime/hotspot/coverage_why.h"

struct coverage_called {
	const struct counts *counts; /* NULL: not known */
	uint64_t *titles;	     /* of what has been called: hashes, in rising order */
	size_t n;
};

/** coverage_called_init() - @counts: must stay; NULL or out of memory: nothing has been. */
void coverage_called_init(struct coverage_called *c, const struct counts *counts);
void coverage_called_fini(struct coverage_called *c);

/** coverage_called_has() - the method that an event is about, or any that @spec means. */
bool coverage_called_has(const struct coverage_called *c, const struct spec *spec,
			 const struct coverage_event *ev);

#endif
