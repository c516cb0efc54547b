/* SPDX-License-Identifier: MIT */
/*
 * counts.h - how often each method was called, whatever it was compiled to meanwhile: a method is
 * class, name and descriptor.
 */
#ifndef HP_COUNTS_H
#define HP_COUNTS_H

#include "base/util.h"
#include "symmap/symmap.h"

#define COUNTS_MAX 65536 /* methods; those beyond are counted together, as the last one */

struct method_count {
	struct method method; /* its texts are owned */
	const char *kind;     /* of the runtime, as in struct probe */
	uint64_t gone;	      /* calls counted by sites that are no more */
	uint64_t total;	      /* with those that are: see probes_count() */
	uint64_t told;	      /* of these; whoever tells uses it */
};

/* Zero-initialised is empty. */
struct counts {
	struct method_count **v; /* owned; each stays where it is */
	size_t n, cap;
	uint32_t *buckets; /* index in @v + 1; 0: free */
	size_t nbuckets;   /* a power of two, more than @n */
};

/** counts_of() - the count of the method that @m is. NULL: out of memory. */
struct method_count *counts_of(struct counts *c, const struct method *m);

void counts_fini(struct counts *c);
#define _cleanup_counts_ _cleanup_(counts_fini)

#endif
