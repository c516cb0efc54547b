/* SPDX-License-Identifier: MIT */
/*
 * report.h - the short requests: they look, answer with items, and are done.
 */
#ifndef HP_REPORT_H
#define HP_REPORT_H

#include "engine/session.h"
#include "probe/spec.h"
#include "runtime/hotspot/target.h"
#include "output/encoder.h"
#include "symmap/symmap.h"

/** report_list() - every JVM on this machine. */
enum status report_list(struct encoder *e);

/** report_check() - what works here, and for @pid (0: none) there. */
enum status report_check(struct encoder *e, pid_t pid);

/** report_methods() - the nmethods of @pid that @spec means (NULL: all), as they are now. */
enum status report_methods(struct encoder *e, pid_t pid, enum via via, const struct spec *spec);

/** report_clean() - remove what a killed instance left in @pid. */
enum status report_clean(struct encoder *e, pid_t pid, enum via via);

/** report_cleaned() - the answer of `clean`. */
void report_cleaned(struct encoder *e, pid_t pid, bool removed, size_t sites);

/** report_map() - one line per nmethod of @t that @spec means (NULL: all). */
void report_map(struct encoder *e, const struct symmap *map, struct target *t,
		const struct spec *spec);

/** report_nmethod() - one method; @kind is EVENT_METHOD, or what happened to it at @ts_ns. */
void report_nmethod(struct encoder *e, const struct nmethod *nm, enum event_kind kind,
		    uint64_t ts_ns);

#endif
