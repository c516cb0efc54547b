/* SPDX-License-Identifier: MIT */
/*
 * image_coverage.h - what of the methods that SPECs mean is seen in a native image: those that have
 * code in the file are; the rest is inlined, or not there.
 */
#ifndef HP_IMAGE_COVERAGE_H
#define HP_IMAGE_COVERAGE_H

#include "runtime/image/image_probes.h"

/**
 * image_coverage_tell() - tell @event of each SPEC, once the SPECs have been matched.
 * @counts: at the end, totals up to date: what means methods of which none was called is said
 * again. NULL: only what means none is news.
 */
void image_coverage_tell(const struct image *im, const struct counts *counts,
			 void (*event)(void *arg, const struct coverage_event *ev), void *arg);

/** image_coverage_hint() - why SPEC @i means no method: "no such class ...; did you mean ...?" */
void image_coverage_hint(const struct image *im, size_t i, char *buf, size_t size);

#endif
