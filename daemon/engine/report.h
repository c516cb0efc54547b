/* SPDX-License-Identifier: MIT */
/*
 * report.h - the short requests: they look, answer with items, and are done.
 */
#ifndef HP_REPORT_H
#define HP_REPORT_H

#include "engine/session.h"
#include "probe/spec.h"
#include "runtime/hotspot/target.h"
#include "symmap/symmap.h"

/** report_list() - every JVM on this machine. */
enum status report_list(struct conn *conn);

/** report_check() - what works here, and for @pid (0: none) there. */
enum status report_check(struct conn *conn, pid_t pid);

/** report_methods() - the nmethods of @pid that @spec means (NULL: all), as they are now. */
enum status report_methods(struct conn *conn, pid_t pid, enum via via, const struct spec *spec);

/** report_clean() - remove what a killed instance left in @pid. */
enum status report_clean(struct conn *conn, pid_t pid, enum via via);

/** report_map() - one line per nmethod of @t that @spec means (NULL: all). */
void report_map(struct buf *b, const struct symmap *map, struct target *t, const struct spec *spec);

/**
 * report_nmethod() - one line: {"entry":"0x..",...}; with @event, {"event":EVENT,"ts":...,...}.
 */
void report_nmethod(struct buf *b, const struct nmethod *nm, const char *event, uint64_t ts_ns);

#endif
