/* SPDX-License-Identifier: MIT */
/*
 * fieldinfo.h - where a class keeps its fields.
 */
#ifndef HP_FIELDINFO_H
#define HP_FIELDINFO_H

#include "runtime/hotspot/layout.h"

/**
 * fieldinfo_offset() - where instances of @klass (an InstanceKlass*) keep a field.
 * @desc: its descriptor, e.g. "[B"; declared in @klass itself or a superclass.
 * Return: 0; -ENOENT; -EPROTO; -EFAULT; -ESRCH.
 */
int fieldinfo_offset(struct mem *m, const struct layout *l, uint64_t klass, const char *name,
		     const char *desc, uint32_t *ret);

#endif
