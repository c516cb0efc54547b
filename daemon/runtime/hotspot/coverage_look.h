/* SPDX-License-Identifier: MIT */
/*
 * coverage_look.h - one look at a JVM: which methods SPECs mean, how far it has come with them, and
 * where they are compiled.
 */
#ifndef HP_COVERAGE_LOOK_H
#define HP_COVERAGE_LOOK_H

#include "output/event.h"
#include "probe/spec.h"
#include "runtime/hotspot/classes.h"
#include "runtime/hotspot/inlined.h"
#include "runtime/hotspot/method_names.h"
#include "runtime/hotspot/method_state.h"
#include "runtime/hotspot/target.h"

/* A method that a SPEC means. */
struct coverage_found {
	uint32_t spec;
	uint8_t class_state;
	uint8_t levels; /* bit N: a body of level N is in use */
	bool osr;	/* a loop of it is compiled */
	struct method_state st;
	struct method m; /* texts are of the look's pool */
};

/* One look; what it was given must outlive it. */
struct coverage_look {
	struct target *t;
	struct mem *m; /* paged */
	const struct symmap *map;
	struct strpool *strings;
	struct name_cache *names;
	struct spec *const *specs;
	size_t nspecs;
	uint64_t deadline_ns;

	struct coverage_found *found; /* by SPEC */
	size_t nfound, cap;
	size_t nclasses;  /* that were looked at: for SPECs that name a class, */
	size_t nsearched; /* and for those with wildcards, which takes longer */
	bool all_classes, all_searched;
	bool all_methods;
	bool all_hints; /* there was time to guess what is meant where nothing is found */
	uint64_t exact[SPECS_MAX]; /* the class that a SPEC names in full; 0: none */
	struct inlined inlined;
};

/**
 * coverage_look() - at the @n SPECs' methods, within a budget (base/budget.h) of @budget_ns, and
 * twice as much by the clock. What there was no time for is marked so in @ret. Return: 0; -ESRCH;
 * -EPERM; -ECANCELED; -ENOMEM. coverage_look_fini() is due in any case.
 */
int coverage_look(struct target *t, const struct symmap *map, struct spec *const *specs, size_t n,
		  uint64_t budget_ns, struct coverage_look *ret);
void coverage_look_fini(struct coverage_look *k);

#endif
