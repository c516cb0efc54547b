/* SPDX-License-Identifier: MIT */
/*
 * coverage.h - what of the methods that SPECs mean is seen by probes on compiled code, and what not
 * and why: from the classes, their methods' state, the symbol map, and what is inlined where.
 *
 * Looks only. All of it belongs to one moment: the JVM goes on.
 */
#ifndef HP_COVERAGE_H
#define HP_COVERAGE_H

#include "output/event.h"
#include "probe/counts.h"
#include "probe/spec.h"
#include "runtime/hotspot/codecache.h"

struct coverage;

/** coverage_new() - of @n SPECs; what is passed outlives it. Return: it; NULL out of memory. */
struct coverage *coverage_new(struct target *t, struct codecache *codecache,
			      struct spec *const *specs, size_t n);
void coverage_free(struct coverage *cv); /* accepts NULL */

enum coverage_tell {
	COVERAGE_TELL_ALL,
	COVERAGE_TELL_CHANGES, /* against what was said last */
	COVERAGE_TELL_AGAIN,   /* all; what need not be said again is marked so */
};

/**
 * coverage_say() - look, and tell: a line for each method where a SPEC means few, else one for the
 * SPEC. At most 64 events a SPEC, and then some 64 more.
 * @counts: how often each method was called, totals up to date; NULL: not known. What has not
 * changed need not be said again if it was called, and is not known to be inlined anywhere.
 * @budget_ns: of our CPU time for all of it, and twice as much by the clock; what was not looked at
 * by then is said to be unknown.
 * @event: called for each; what it points to is valid during the call.
 * Return: 0; -ESRCH; -EPERM; -ECANCELED; -ENOMEM: then nothing was told.
 */
int coverage_say(struct coverage *cv, enum coverage_tell tell, const struct counts *counts,
		 uint64_t budget_ns, void (*event)(void *arg, const struct coverage_event *ev),
		 void *arg);

/**
 * coverage_recall() - what was said last, once more, without a look: the JVM has ended.
 * @counts: as for coverage_say().
 */
void coverage_recall(struct coverage *cv, const struct counts *counts,
		     void (*event)(void *arg, const struct coverage_event *ev), void *arg);

#endif
