/* SPDX-License-Identifier: MIT */
/*
 * codecache.h - keep the symbol map equal to the target's code cache while the target runs.
 *
 * Two sources: a walk over the code heaps, once, and the compile events from hooks in libjvm.so,
 * attached before the walk so that nothing falls between the two. Where libjvm.so has no symbols
 * the hooks sit on HotSpot's USDT probes and each event means "walk again"; without those too, a
 * timer does.
 */
#ifndef HP_CODECACHE_H
#define HP_CODECACHE_H

#include "base/loop.h"
#include "symmap/symmap.h"
#include "runtime/hotspot/target.h"

struct codecache;

/* How news of compiled code arrives, best first. */
enum codecache_source { CODECACHE_NONE, CODECACHE_SYMBOLS, CODECACHE_USDT, CODECACHE_TIMER };

const char *codecache_source_name(enum codecache_source s);

/*
 * Called as the map changes; @ts_ns is CLOCK_MONOTONIC at the event in the target. @nm is the
 * map's entry (for unloaded: a copy of what it was) and valid during the call only.
 */
struct codecache_ops {
	void (*compiled)(void *arg, const struct nmethod *nm, uint64_t ts_ns);
	void (*retired)(void *arg, const struct nmethod *nm, uint64_t ts_ns);
	void (*unloaded)(void *arg, const struct nmethod *nm, uint64_t ts_ns);
	void (*settled)(void *arg); /* that was all for now; may be NULL */
};

/**
 * codecache_open() - read the map; with @ops, keep following.
 * @loop, @ops: NULL for one reading only: then nothing is hooked.
 * No callback comes before this returns: what was there is in codecache_map().
 * Return: 0; -ESRCH; -EPERM; -EPROTO; -ENOMEM; ...
 */
int codecache_open(struct target *t, struct loop *loop, const struct codecache_ops *ops, void *arg,
		   struct codecache **ret, struct fail *fail);
void codecache_close(struct codecache *f);

struct symmap *codecache_map(struct codecache *f);
enum codecache_source codecache_source(const struct codecache *f);

/** codecache_walk_ns() - how long the first reading of the map took. */
uint64_t codecache_walk_ns(const struct codecache *f);

/** codecache_names() - the cache of names, for whoever else reads the target's metadata. */
struct name_cache *codecache_names(struct codecache *f);

#endif
