/* SPDX-License-Identifier: MIT */
/*
 * fake_target.h - a target process that exists only in our memory: regions at chosen addresses, and
 * HotSpot's tables of structures written into them.
 *
 * Nothing is readable but what was mapped, so a read one byte too far fails as it would in a
 * process. fake_jvm.h builds a JVM on top.
 */
#ifndef HP_FAKE_TARGET_H
#define HP_FAKE_TARGET_H

#include "runtime/hotspot/vmstructs.h"

#define FAKE_REGIONS_MAX 16
#define FAKE_ROWS_MAX	 160

struct fake_region {
	uint64_t addr, len;
	uint8_t *data;
};

/* One row of a table to be written; type is also a constant's name. */
struct fake_row {
	const char *type, *field, *spelled;
	bool is_static;
	uint64_t value; /* offset, address, size or constant */
};

struct fake_rows {
	struct fake_row rows[FAKE_ROWS_MAX];
	size_t n;
	bool endless; /* write no end, and fill the rest of a page with copies */
};

struct fake_target {
	struct mem mem; /* give this to the code under test */
	struct fake_region regions[FAKE_REGIONS_MAX];
	size_t nregions;
	struct fake_region *arena; /* where fake_alloc() takes from */
	uint64_t arena_used;
	int gone_after; /* reads until the target is gone; -1: never */
	uint64_t reads; /* calls of read() so far: what would have been system calls */

	struct fake_rows fields, types, ints, longs;
	unsigned int stride_pad; /* bytes of padding before and after each member */
	const char *no_symbol;	 /* this exported variable is missing */
};

/** fake_target_init() - an empty target with an arena of @arena_len bytes at @arena_addr. */
void fake_target_init(struct fake_target *t, uint64_t arena_addr, uint64_t arena_len);
void fake_target_fini(struct fake_target *t);

/** fake_map() - make [@addr, @addr + @len) readable, zeroed. */
struct fake_region *fake_map(struct fake_target *t, uint64_t addr, uint64_t len);

/** fake_at() - our pointer to @len mapped bytes at @addr; fails the test if they are not mapped. */
uint8_t *fake_at(struct fake_target *t, uint64_t addr, uint64_t len);

/** fake_alloc() - @len zeroed bytes of the arena, aligned to 8. Return: their address. */
uint64_t fake_alloc(struct fake_target *t, uint64_t len);
uint64_t fake_str(struct fake_target *t, const char *text);

/** fake_put() - write the low @size bytes of @value at @addr. */
void fake_put(struct fake_target *t, uint64_t addr, uint64_t value, size_t size);
void fake_put64(struct fake_target *t, uint64_t addr, uint64_t value);
void fake_put32(struct fake_target *t, uint64_t addr, uint32_t value);
void fake_put16(struct fake_target *t, uint64_t addr, uint16_t value);
void fake_put8(struct fake_target *t, uint64_t addr, uint8_t value);

/** fake_field() and so on - add a row to a table. The strings are kept, not copied. */
void fake_field(struct fake_target *t, const char *type, const char *field, const char *spelled,
		uint64_t offset);
void fake_static(struct fake_target *t, const char *type, const char *field, uint64_t addr);
void fake_type(struct fake_target *t, const char *type, uint64_t size);
void fake_int(struct fake_target *t, const char *name, int32_t value);
void fake_long(struct fake_target *t, const char *name, uint64_t value);

/** fake_row_drop() - forget the row of @type::@field; @field NULL: a type or constant. */
void fake_row_drop(struct fake_target *t, const char *type, const char *field);

/**
 * fake_tables_write() - write the tables and the exported variables that lead to them. Rows added
 * later are not in them; may be called again.
 */
void fake_tables_write(struct fake_target *t);

/** fake_symbol_addr() - address of an exported variable; 0 if there is none. */
uint64_t fake_symbol_addr(struct fake_target *t, const char *name);

/** fake_symbol() - what vmstructs_read() calls; @arg is the struct fake_target. */
int fake_symbol(void *arg, const char *name, uint64_t *ret);

#endif
