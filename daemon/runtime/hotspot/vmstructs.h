/* SPDX-License-Identifier: MIT */
/*
 * vmstructs.h - HotSpot's own description of its structures, as the target exports it.
 *
 * libjvm.so exports (in .dynsym, of stripped builds too) tables that name every field, static,
 * type and constant a debugger may want: gHotSpotVMStructs, gHotSpotVMTypes,
 * gHotSpotVMIntConstants, gHotSpotVMLongConstants, and the strides to walk them by.
 * Source: OpenJDK src/hotspot/share/runtime/vmStructs.{hpp,cpp}.
 */
#ifndef HP_VMSTRUCTS_H
#define HP_VMSTRUCTS_H

#include "proc/mem.h"

struct vmstructs;

/* How to find an exported symbol's address in the target: 0, or -ENOENT. */
typedef int vmstructs_symbol_fn(void *arg, const char *name, uint64_t *addr_ret);

/**
 * vmstructs_read() - copy the tables out of the target.
 * Return: 0; -ENOENT when a table's symbol is missing (not HotSpot); -EPROTO when a table does not
 * parse or does not end within its bound; -EFAULT; -ESRCH; -ENOMEM.
 */
int vmstructs_read(struct mem *m, vmstructs_symbol_fn *symbol, void *arg, struct vmstructs **ret);
void vmstructs_free(struct vmstructs *vs);

/* What the tables say of one field. */
struct vmfield {
	bool is_static;
	uint64_t where; /* offset in its type; static: target address */
	uint64_t size;	/* of the field's type in bytes; 0 when the tables do not say */
};

/** vmstructs_field() - all of it, for fields whose width changed over the years. 0; -ENOENT. */
int vmstructs_field(const struct vmstructs *vs, const char *type, const char *field,
		    struct vmfield *ret);

/** vmstructs_offset() - offset of a nonstatic field in its type. Return: 0; -ENOENT. */
int vmstructs_offset(const struct vmstructs *vs, const char *type, const char *field,
		     uint64_t *ret);

/** vmstructs_static() - target address of a static field. Return: 0; -ENOENT. */
int vmstructs_static(const struct vmstructs *vs, const char *type, const char *field,
		     uint64_t *ret);

/** vmstructs_sizeof() - size of a type in bytes. Return: 0; -ENOENT. */
int vmstructs_sizeof(const struct vmstructs *vs, const char *type, uint64_t *ret);

/** vmstructs_const() - an int or long constant. Return: 0; -ENOENT. */
int vmstructs_const(const struct vmstructs *vs, const char *name, int64_t *ret);

#endif
