/* SPDX-License-Identifier: MIT */
/*
 * method_names.h - what a Method of the target says of itself: class, name, descriptor, flags.
 */
#ifndef HP_METHOD_NAMES_H
#define HP_METHOD_NAMES_H

#include "symmap/symmap.h"
#include "runtime/hotspot/layout.h"

/* What naming needs: the pool that keeps each name once, and room to work in. */
struct name_cache;

struct name_cache *name_cache_new(struct strpool *strings);
void name_cache_free(struct name_cache *c);

/**
 * nmethod_names() - fill @nm->klass, name and desc from @nm->method.
 * They are read anew each time, because metadata is freed and reused when classes are unloaded or
 * redefined; each distinct text is kept once. @m may be a paged reader (mem_open_paged()).
 * Return: 0; -EPROTO (names do not parse); -EFAULT; -ESRCH; -ENOMEM.
 */
int nmethod_names(struct mem *m, const struct layout *l, struct name_cache *c, struct nmethod *nm);

/**
 * method_flags() - access flags (JVM_ACC_STATIC, ...) of a Method.
 * Return: 0; -EFAULT; -ESRCH.
 */
int method_flags(struct mem *m, const struct layout *l, uint64_t method, uint32_t *ret);

#endif
