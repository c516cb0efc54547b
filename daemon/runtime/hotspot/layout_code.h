/* SPDX-License-Identifier: MIT */
/*
 * layout_code.h - the part of a layout that only codeheap.c, method_names.c, klass.c and
 * fieldinfo.c use: places and widths of HotSpot's own structures. Filled by layout.c from its
 * table.
 */
#ifndef HP_LAYOUT_CODE_H
#define HP_LAYOUT_CODE_H

#include "runtime/hotspot/layout.h"

/* HotSpot's structures are small; what an offset claims beyond this is no field of one. */
#define FIELD_OFFSET_MAX 65536

#define FIELD_NONE UINT32_MAX

/* Of a HeapBlock: two words at most. */
#define BLOCK_SIZE_MAX 64

/* As much of a ConstMethod or a ConstantPool as is read at once. */
#define NAMES_SPAN_MAX 128

/* Within which a Symbol's length and the beginning of its text must lie. */
#define SYMBOL_SPAN_MAX 16

/* As much of an InstanceKlass or a Method as is read at once; they have 472 and 88 bytes. */
#define KLASS_SPAN_MAX	1024
#define METHOD_SPAN_MAX 256

/* As much of an nmethod as a compile event copies. */
#define NMETHOD_SPAN_MAX 512

/* One nonstatic field: [off, off + size) in its structure. */
struct field {
	uint32_t off; /* FIELD_NONE: this JVM does not have it */
	uint32_t size;
};

struct layout_code {
	/* code heaps */
	uint64_t heaps;			    /* address of CodeCache::_heaps */
	struct field array_len, array_data; /* of a GrowableArray */
	struct field heap_memory, heap_segmap, heap_log2_segment_size;
	struct field space_low, space_high;
	struct field block_length, block_used;
	uint64_t block_size; /* a HeapBlock; the code blob follows it */

	/* code blobs and nmethods; either the pointer or the offset of each pair exists */
	struct field blob_size, blob_header_size, blob_kind;
	int64_t kind_nmethod;
	uint64_t nmethod_size;		       /* of the structure, which is the blob's header */
	struct field code_begin, code_end;     /* pointers */
	struct field code_offset, data_offset; /* from the blob */
	struct field entry;		       /* pointer */
	struct field entry_offset;	       /* from the first byte of code */
	struct field method, entry_bci, state, compile_id, level;
	uint32_t nmethod_span; /* bytes of the front that hold all of these */
	bool jvmci;	       /* the compiler of level 4 is a JVMCI compiler, not C2 */

	/* names */
	struct field method_const, method_flags;
	struct field const_pool, const_name, const_desc;
	struct field pool_holder, pool_length;
	uint32_t const_span, pool_span; /* bytes of the front that hold these */
	uint64_t pool_size;		/* of a ConstantPool; its slots follow */
	struct field klass_name;
	struct field symbol_length, symbol_body;

	/* classes */
	struct field klass_super, klass_check_offset, klass_primary, klass_secondary;
	struct field klass_flags;	  /* AccessFlags */
	struct field klass_bottom;	  /* of an array of objects: their class */
	uint64_t shared_base, shared_top; /* addresses of the bounds of the CDS archive */
	struct field klass_pool, klass_fields, klass_field_count, klass_fieldinfo;
	struct field u1_data, u2_data; /* Array<u1>, Array<u2>; their int length is at 0 */
	int64_t ff_initialized, ff_generic, ff_contended; /* JDK 21+: bit positions */

	/* all classes, and what became of their methods (classes.c, method_state.c) */
	uint64_t cld_head; /* address of the static */
	struct field cld_next, cld_klasses;
	struct field klass_link, klass_methods, klass_state, klass_interfaces;
	struct field methods_data; /* Array<Method*>; its int length is at 0 */
	struct field method_code, method_intrinsic, method_counters, counters_calls;
	struct field const_code_size;
	int64_t acc_not_osr, acc_old; /* JDK ..20 */
	struct field method_status;   /* JDK 21+: MethodFlags */
	uint32_t klass_span, method_span;

	/* what an nmethod was made of (inlined.c) */
	uint64_t evol; /* address of the static; for a person who looks at a recording */
	struct field metadata_offset, dependencies_offset, handler_table_offset;
	struct field scopes_pcs_offset, scopes_data_begin, scopes_data_offset, nul_table_offset;
	struct field immutable, immutable_size, mutable, mutable_size, relocation_size;
	uint32_t made_of_span; /* bytes of an nmethod's front that hold these; 0: not known */
	uint8_t u5_excluded;   /* of the coding of numbers: bytes below it are in none */

	/* What follows is read once, by layout.c. Addresses of statics: */
	uint64_t code_low, code_high;
	uint64_t vm_major, vm_release, vm_info;
	uint64_t flags, flags_count;
	uint64_t narrow_oop_base, narrow_oop_shift, narrow_klass_base, narrow_klass_shift;
	uint64_t string_klass, thread_klass;
	/* and places: */
	struct field flag_name, flag_addr;
	uint64_t flag_size;
	struct field oop_mark, oop_klass, oop_narrow_klass;
	int64_t klass_mark_shift;
	struct field thread_obj, thread_vthread, thread_lock_id;
};

/* One row of layout_table.c. */
enum want_kind { WANT_FIELD, WANT_STATIC, WANT_SIZE, WANT_CONST };

#define WANT_NAMES_MAX 3

struct want {
	enum want_kind kind;
	size_t dest;	     /* in struct layout_code; a struct field, uint64_t or int64_t */
	enum capability cap; /* CAP_COUNT: none dies without it */
	uint8_t width;	     /* bytes of the field when the tables do not say; 0: a struct */
	struct {
		const char *type, *name; /* a constant or a size has only the first */
	} names[WANT_NAMES_MAX];	 /* tried in this order */
};

extern const struct want layout_wants[];
extern const size_t layout_wants_count;

/** field_get() - the unsigned value of @f in the copied structure @base. @f must exist. */
static inline uint64_t field_get(const uint8_t *base, struct field f)
{
	uint64_t v = 0;

	memcpy(&v, base + f.off, f.size); /* little-endian, as x86-64 is */
	return v;
}

/** field_get_int() - the same with its sign: an int, or an enum of one signed byte. */
static inline int64_t field_get_int(const uint8_t *base, struct field f)
{
	int shift = 64 - 8 * (int)f.size;

	return (int64_t)(field_get(base, f) << shift) >> shift;
}

static inline bool field_exists(struct field f)
{
	return f.off != FIELD_NONE;
}

/** field_end() - one past its last byte; 0 for a field that does not exist. */
static inline uint32_t field_end(struct field f)
{
	return field_exists(f) ? f.off + f.size : 0;
}

/** field_read() - the unsigned value of @f in the structure at target address @base. */
static inline int field_read(struct mem *m, uint64_t base, struct field f, uint64_t *ret)
{
	uint8_t raw[8] = {0};
	int err = mem_read(m, base + f.off, raw, f.size);

	if (!err)
		*ret = field_get(raw, (struct field){0, f.size});
	return err;
}

#endif
