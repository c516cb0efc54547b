/* SPDX-License-Identifier: MIT */
/*
 * codeheap.h - the nmethods in a target's code heaps, and what one of them says of itself.
 */
#ifndef HP_CODEHEAP_H
#define HP_CODEHEAP_H

#include "symmap/symmap.h"
#include "runtime/hotspot/layout.h"
#include "runtime/hotspot/method_names.h"

/* Enough of the front of an nmethod for nmethod_decode(); copied whole by the compile-event probe.
 */
#define NMETHOD_HDR_MAX 512

/**
 * nmethod_decode() - understand the copied front of an nmethod.
 * @hdr: @len bytes as they stood at target address @addr.
 * @ret: all but gen, klass, name and desc is filled.
 *
 * Everything that is looked at stands there when HotSpot calls register_nmethod(), on 17 from
 * within the constructor; only the state is still "not installed", which counts as in use. One that
 * is about to be freed decodes too; its method may be 0.
 *
 * Return: 0; -ENOENT when this blob is no nmethod; -EPROTO unless begin <= entry < end and all lie
 * in the code cache.
 */
int nmethod_decode(const struct layout *l, uint64_t addr, const uint8_t *hdr, size_t len,
		   struct nmethod *ret);

/** nmethod_read() - the same, from the target. Also -EFAULT, -ESRCH. */
int nmethod_read(struct mem *m, const struct layout *l, uint64_t addr, struct nmethod *ret);

/**
 * codeheap_walk() - call @fn for every nmethod (not dead) in every code heap, by address, with
 * names.
 *
 * The JVM keeps running: an nmethod that changes under the walk is left out, and its own compile
 * event tells of it. Reads in large pieces.
 * Return: 0; -EPROTO when a heap's structure does not hold together; -EFAULT; -ESRCH; -ENOMEM;
 * or the first non-zero return of @fn.
 */
int codeheap_walk(struct mem *m, const struct layout *l, struct name_cache *c,
		  int (*fn)(const struct nmethod *nm, void *arg), void *arg);

/** nmethod_state_read() - only the state, of an nmethod known to be there. 0; -EFAULT; -ESRCH. */
int nmethod_state_read(struct mem *m, const struct layout *l, uint64_t addr, uint8_t *ret);

#endif
