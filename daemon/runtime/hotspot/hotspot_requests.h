/* SPDX-License-Identifier: MIT */
/*
 * hotspot_requests.h - short requests about a JVM: see struct runtime_ops.
 */
#ifndef HP_HOTSPOT_REQUESTS_H
#define HP_HOTSPOT_REQUESTS_H

#include "runtime/hotspot/codecache.h"
#include "runtime/runtime.h"

/* To match all methods; a hundred thousand take some 50 ms. A name and a SPEC cost as so many bytes
 * read. */
#define MATCH_BUDGET_NS (10 * NSEC_PER_SEC)
#define MATCH_BYTES	1024

void hotspot_describe(const struct jvm_info *info, struct runtime_about *ret);
int hotspot_check(const struct target_request *t, const struct runtime_out *out, struct fail *f);
int hotspot_methods(const struct target_request *req, const struct spec *spec,
		    const struct runtime_out *out, struct fail *f);
int hotspot_look(const struct target_request *req, struct spec *const *specs, size_t n,
		 const struct runtime_out *out, struct fail *f);
int hotspot_clean(const struct target_request *req, size_t *sites, struct fail *f);

/** hotspot_send_method() - @nm as an event of this kind. @ts_ns: of the wall clock; 0: none. */
void hotspot_send_method(const struct runtime_out *out, const struct nmethod *nm,
			 enum event_kind kind, uint64_t ts_ns);

/**
 * hotspot_send_map() - all nmethods that @spec means (NULL: all); if there is none, that is said.
 * @waits: later ones will be sent too. Return: how many.
 */
size_t hotspot_send_map(const struct runtime_out *out, const struct symmap *map, struct target *t,
			const struct spec *spec, bool waits);

#endif
