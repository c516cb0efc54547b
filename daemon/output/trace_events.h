/* SPDX-License-Identifier: MIT */
/*
 * trace_events.h - the JSON lines of `trace`: docs/protocol.md, "Events of trace".
 *
 * Data comes as records and sites, goes to the connection's buffer. What a thread is called is
 * remembered here for a moment; what a class is called, whoever knows the target is asked.
 */
#ifndef HP_TRACE_EVENTS_H
#define HP_TRACE_EVENTS_H

#include "output/json_arg.h"
#include "base/names.h"
#include "probe/probe.h"

/* Zero-initialised but for the first three. */
struct trace_events {
	struct buf *out;
	klass_name_fn *klass; /* what a class word stands for */
	void *klass_arg;
	pid_t pid; /* 0: of each record */

	uint64_t wall_offset_ns; /* CLOCK_REALTIME minus CLOCK_MONOTONIC */
	struct names threads;	 /* java_tid, or the kernel's tid -> JSON text of the name */
};

void trace_events_fini(struct trace_events *e);

/** trace_event_begin() - {"event":NAME,"ts":...,"pid":... (0: null); the caller goes on and ends
 * it. */
struct buf *trace_event_begin(struct trace_events *e, const char *name, uint64_t mono_ns,
			      pid_t pid);
void trace_event_end(struct buf *b);

/** trace_event_entry() - one call. */
void trace_event_entry(struct trace_events *e, struct probe *p, const struct entry_view *v);

/** trace_event_probe() - @event "probed" or "unprobed". */
void trace_event_probe(struct trace_events *e, const char *event, struct probe *p, const char *why);

/** trace_event_lost() - nothing if @count is 0. */
void trace_event_lost(struct trace_events *e, uint64_t mono_ns, uint64_t count, const char *where);

/** trace_events_thread() - remember a thread's name; @rec is checked against @size. */
void trace_events_thread(struct trace_events *e, const struct hp_record *rec, size_t size);

#endif
