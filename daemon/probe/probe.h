/* SPDX-License-Identifier: MIT */
/*
 * probe.h - what a client asked for on one method: the method, what to take at a hit, and the sites
 * where that is done.
 *
 * A probe lives as long as any of its sites, which stay after removal for records that are still
 * under way.
 */
#ifndef HP_PROBE_H
#define HP_PROBE_H

#include "probe/capture.h"
#include "probe/counts.h"
#include "symmap/symmap.h"

#define PROBE_SITES_MAX 1 /* a method is probed at its entry */

/* Who says what parameters a method has. */
enum probe_types { TYPES_UNKNOWN, TYPES_OF_RUNTIME, TYPES_OF_SPEC };

struct site;

struct probe {
	struct method method; /* its texts outlive the probe */
	const char *kind;     /* of the runtime, where events say so; NULL: HotSpot */
	uint64_t key;	      /* with @gen: which code it is on; see probe_table_find() */
	uint32_t gen;
	uint32_t compile_id; /* 0 in a native image, as is the level */
	int8_t level;
	uint32_t overloads; /* native image: methods of this class and name, itself included */
	enum probe_types types;
	/*
	 * What the runtime knows the class by that declares the method; 0: not known. While the
	 * method runs its class is there, so an object whose class this is needs no looking up.
	 */
	uint64_t holder;

	struct capture_list *captures; /* owned; NULL: the parameters are not known */
	struct site *sites[PROBE_SITES_MAX];
	unsigned int nsites, nlive; /* it is live when all of its sites are */
	struct method_count *count; /* of its method; not owned */
	uint64_t registered_ns;	    /* when the code appeared; 0 if it was there before us */

	char *head; /* for an encoder: the part of every event that is always the same; owned */
	size_t head_len;

	struct probe *next; /* in its bucket of a probe_table */
};

/** probe_new() - a probe on @m, without sites yet. Return: it; NULL when out of memory. */
struct probe *probe_new(const struct method *m, uint64_t key, uint32_t gen);

/** probe_free() - with its sites, to which nothing leads any more. Accepts NULL. */
void probe_free(struct probe *p);

/** probe_add() / probe_drop() - the probe gets a site; it loses one, and is gone with its last. */
void probe_add(struct probe *p, struct site *s);
void probe_drop(struct probe *p, struct site *s);

/* Probes by the code they are on. Zero-initialised but for @buckets is empty. */
struct probe_table {
	struct probe **buckets; /* owned */
	size_t n;
};

int probe_table_init(struct probe_table *t); /* 0; -ENOMEM */
void probe_table_fini(struct probe_table *t);
#define _cleanup_probe_table_ _cleanup_(probe_table_fini)

void probe_table_add(struct probe_table *t, struct probe *p);
void probe_table_remove(struct probe_table *t, struct probe *p); /* nothing if it is not in it */

/**
 * probe_table_find() - the probe on this code, or NULL.
 * @key: address of the nmethod structure, or of a native image's method in its file. @gen: tells
 * apart what had the same address at different times.
 */
struct probe *probe_table_find(const struct probe_table *t, uint64_t key, uint32_t gen);

#endif
