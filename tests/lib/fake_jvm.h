/* SPDX-License-Identifier: MIT */
/*
 * fake_jvm.h - a HotSpot that exists only as bytes: code heaps with nmethods, classes with fields,
 * methods with names, flags. In the form of JDK 17 or of JDK 25, at offsets no real one has.
 */
#ifndef HP_FAKE_JVM_H
#define HP_FAKE_JVM_H

#include "lib/fake_target.h"
#include "runtime/hotspot/codeheap.h"
#include "runtime/hotspot/layout.h"

#define FAKE_CODE_ADDR 0x7e0000000000ULL
#define FAKE_CODE_LEN  0x100000ULL /* per heap */
#define FAKE_SEGMENT   128
#define FAKE_HEAPS_MAX 2

/* Offsets of the fields, for tests that damage one. */
enum {
	FK_BLOB_SIZE = 16,
	FK_BLOB_HEADER_SIZE = 20,
	FK_BLOB_KIND = 24,
	FK_CODE_BEGIN = 32,
	FK_CODE_END = 40,
	FK_CODE_OFFSET = 32,
	FK_DATA_OFFSET = 36,
	FK_METHOD = 48,
	FK_ENTRY_BCI = 56,
	FK_COMPILE_ID = 60,
	FK_LEVEL = 64,
	FK_STATE = 68,
	FK_ENTRY = 72,
	FK_NMETHOD_SIZE = 96,
	FK_METHOD_CONST = 8,
	FK_METHOD_FLAGS = 16,
	FK_METHOD_STATUS = 20, /* JDK 21+: before the number of the intrinsic */
	FK_METHOD_INTRINSIC = 24,
	FK_METHOD_CODE = 32,
	FK_METHOD_COUNTERS = 40,
	FK_METHOD_SIZE = 48,
	FK_CONST_POOL = 8,
	FK_CONST_NAME = 20,
	FK_CONST_DESC = 22,
	FK_CONST_CODE_SIZE = 24,
	FK_CONST_SIZE = 32,
	FK_COUNTERS_CALLS = 4,
	FK_CLD_NEXT = 8,
	FK_CLD_KLASSES = 24,
	FK_POOL_LENGTH = 16,
	FK_POOL_HOLDER = 24,
	FK_POOL_SIZE = 40,
	FK_KLASS_CHECK = 12,
	FK_KLASS_NAME = 16,
	FK_KLASS_SECONDARY = 24,
	FK_KLASS_PRIMARY = 32,
	FK_KLASS_SUPER = 96,
	FK_KLASS_POOL = 104,
	FK_KLASS_FIELDS = 112,
	FK_KLASS_FIELD_COUNT = 120,
	FK_KLASS_FLAGS = 124,  /* behind the count of fields; JDK 25: two bytes */
	FK_KLASS_BOTTOM = 128, /* of an array of objects */
	FK_KLASS_LINK = 136,
	FK_KLASS_METHODS = 144,
	FK_KLASS_STATE = 152,
	FK_KLASS_SIZE = 160,
	FK_SYMBOL_LENGTH = 4,
	FK_SYMBOL_BODY = 6,
	FK_THREAD_OBJ = 200,
	FK_THREAD_VTHREAD = 208,
	FK_THREAD_OWNER_ID = 216,
};

struct fake_heap {
	uint64_t addr; /* of the CodeHeap structure */
	uint64_t memory, map;
	uint64_t used; /* segments given out */
};

struct fake_jvm {
	struct fake_target t;
	int jdk;
	struct fake_heap heaps[FAKE_HEAPS_MAX];
	size_t nheaps;
	uint64_t heaps_array, heaps_data;  /* CodeCache::_heaps and its elements */
	uint64_t flags, nflags;		   /* array of JVMFlag */
	uint64_t flags_count;		   /* address of JVMFlag::numFlags */
	uint64_t vm_major;		   /* address of the version */
	uint64_t narrow_klass_base;	   /* address of the static */
	uint64_t string_slot, thread_slot; /* addresses of the vmClasses statics */
	uint64_t code_low, code_high;	   /* addresses of the statics */
	uint64_t shared_base, shared_top;  /* the same, of the CDS archive */
	uint64_t object_klass, string_klass, thread_klass;
	uint64_t cld_head; /* address of the static; no loader has any class */
};

/* What fake_z() has built: values to compare with, and places for tests that damage one. */
struct fake_z {
	uint64_t good_mask, bad_mask, shift; /* addresses of the globals */
	uint64_t tables[2];		     /* ZForwardingTable: young or only, old */
	uint64_t arrays[2];
};

#define FAKE_Z_GRANULES	   3200
#define FAKE_Z_OFFSET_MASK 0x3ffffffffffULL

/* What a fake nmethod is to be. */
struct fake_nm {
	uint64_t method;
	int level, state, entry_bci; /* state as HotSpot numbers it */
	uint32_t id;
	uint32_t code_len;
};

/** fake_jvm_init() - a JVM of JDK 17, 21 or 25 with one empty code heap, flags and core classes. */
void fake_jvm_init(struct fake_jvm *j, int jdk);
void fake_jvm_fini(struct fake_jvm *j);

/** fake_jvm_read() - read its tables and its layout. Return: as layout_read(); the caller frees. */
int fake_jvm_read(struct fake_jvm *j, struct vmstructs **vs, struct layout *l);

/** fake_flag() - add a flag; @value is a bool. */
void fake_flag(struct fake_jvm *j, const char *name, bool value);

/** fake_code_heap() - one more heap, behind the ones there are. */
struct fake_heap *fake_code_heap(struct fake_jvm *j);

/** fake_block() - a used block of @len bytes of blob. Return: address of the blob. */
uint64_t fake_block(struct fake_jvm *j, struct fake_heap *h, uint64_t len);

/** fake_block_free() - mark the block of the blob at @blob unused. */
void fake_block_free(struct fake_jvm *j, uint64_t blob);

/** fake_nmethod() - an nmethod in a block of its own. Return: its address. */
uint64_t fake_nmethod(struct fake_jvm *j, struct fake_heap *h, const struct fake_nm *nm);

/** fake_symbol_text() - a Symbol with the @len bytes of @text. */
uint64_t fake_symbol_text(struct fake_jvm *j, const char *text, size_t len);

/* One field of a class to be made. */
struct fake_jfield {
	const char *name, *desc;
	uint32_t access, offset;
	bool generic; /* the record has one more number */
};

/** fake_klass() - a class @name (internal form), with @n fields. */
uint64_t fake_klass(struct fake_jvm *j, const char *name, uint64_t super,
		    const struct fake_jfield *fields, size_t n);

/** fake_method() - a method of @klass. */
uint64_t fake_method(struct fake_jvm *j, uint64_t klass, const char *name, const char *desc,
		     uint32_t access);

/** fake_z() - give @j the structures of a ZGC: the generational one or the first one. */
void fake_z(struct fake_jvm *j, bool generational, struct fake_z *ret);

#endif
