/* SPDX-License-Identifier: MIT */
/*
 * watch.h - `hotprobe methods -w`: follow the symbol map of a target; nothing in it is changed.
 */
#ifndef HP_WATCH_H
#define HP_WATCH_H

#include "engine/session.h"
#include "probe/spec.h"

struct watch;

/**
 * watch_start() - send the map as items, then each change as an event, until stopped.
 * @spec: taken over; NULL: all. Same return as session_trace().
 */
enum status watch_start(struct loop *loop, struct encoder *e, pid_t pid, enum via via,
			struct spec *spec, session_done_fn *done, void *arg, struct watch **ret);
void watch_stop(struct watch *w);

#endif
