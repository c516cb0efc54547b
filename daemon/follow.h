/* SPDX-License-Identifier: MIT */
/*
 * follow.h - keep the symbol map equal to the target's code cache while the target runs.
 *
 * Two sources: a walk over the code heaps, once, and the compile events from hooks in libjvm.so,
 * attached before the walk so that nothing falls between the two. Where libjvm.so has no symbols
 * the hooks sit on HotSpot's USDT probes and each event means "walk again"; without those too, a
 * timer does.
 */
#ifndef HP_FOLLOW_H
#define HP_FOLLOW_H

#include "loop.h"
#include "symmap/symmap.h"
#include "target/target.h"

struct follow;

/* How news of compiled code arrives, best first. */
enum follow_source { FOLLOW_NONE, FOLLOW_SYMBOLS, FOLLOW_USDT, FOLLOW_TIMER };

const char *follow_source_name(enum follow_source s);

/*
 * Called as the map changes; @ts_ns is CLOCK_MONOTONIC at the event in the target. @nm is the
 * map's entry (for unloaded: a copy of what it was) and valid during the call only.
 */
struct follow_ops {
	void (*compiled)(void *arg, const struct nmethod *nm, uint64_t ts_ns);
	void (*retired)(void *arg, const struct nmethod *nm, uint64_t ts_ns);
	void (*unloaded)(void *arg, const struct nmethod *nm, uint64_t ts_ns);
	void (*settled)(void *arg); /* that was all for now; may be NULL */
};

/**
 * follow_open() - read the map; with @ops, keep following.
 * @loop, @ops: NULL for one reading only: then nothing is hooked.
 * No callback comes before this returns: what was there is in follow_map().
 * Prints one error line when it fails. Return: 0; -ESRCH; -EPERM; -EPROTO; -ENOMEM; ...
 */
int follow_open(struct target *t, struct loop *loop, const struct follow_ops *ops, void *arg,
		struct follow **ret);
void follow_close(struct follow *f);

struct symmap *follow_map(struct follow *f);
enum follow_source follow_source(const struct follow *f);

/** follow_walk_ns() - how long the first reading of the map took. */
uint64_t follow_walk_ns(const struct follow *f);

/** follow_names() - the cache of names, for whoever else reads the target's metadata. */
struct name_cache *follow_names(struct follow *f);

#endif
