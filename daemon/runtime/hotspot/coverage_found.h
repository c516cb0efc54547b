/* SPDX-License-Identifier: MIT */
/*
 * coverage_found.h - one look at a JVM: what coverage.c has found, for coverage_why.c and
 * coverage_hint.c.
 */
#ifndef HP_COVERAGE_FOUND_H
#define HP_COVERAGE_FOUND_H

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

/* One look. */
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

#endif
