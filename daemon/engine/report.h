/* SPDX-License-Identifier: MIT */
/*
 * report.h - the short requests: they look, answer with items, and are done.
 */
#ifndef HP_REPORT_H
#define HP_REPORT_H

#include "engine/session.h"
#include "symmap/symmap.h"

/** report_list() - every JVM on this machine. */
enum status report_list(struct conn *conn);

/** report_check() - what works here, and for @pid (0: none) there. */
enum status report_check(struct conn *conn, pid_t pid);

/** report_methods() - the symbol map of @pid as it is now. */
enum status report_methods(struct conn *conn, pid_t pid, enum via via, const char *pattern);

/** report_clean() - remove what a killed instance left in @pid. */
enum status report_clean(struct conn *conn, pid_t pid, enum via via);

/** report_map() - one line per nmethod that report_wanted(). */
void report_map(struct buf *b, const struct symmap *map, const char *pattern);

/**
 * report_nmethod() - one line: {"entry":"0x..",...}; with @event, {"event":EVENT,"ts":...,...}.
 */
void report_nmethod(struct buf *b, const struct nmethod *nm, const char *event, uint64_t ts_ns);

/** report_wanted() - does @pattern (NULL: any) match "class.name"? */
bool report_wanted(const char *pattern, const struct nmethod *nm);

#endif
