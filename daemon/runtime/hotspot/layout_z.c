// SPDX-License-Identifier: MIT
/*
 * layout_z.c - where ZGC keeps its colours and its forwarding tables.
 *
 * ZGC moves objects while the application runs, and corrects references to them later, when they
 * are loaded. The colour of a reference tells whether it has been corrected; if not, the forwarding
 * table of the page tells where the object went. A reader from outside has to do what ZGC's load
 * barrier does, up to the moving. docs/hotspot.md has the steps; here are the places.
 *
 * There were two of it: the first one (JDK 17 to 20; in 21 to 23 its names begin with X, not Z)
 * with one table, whose addresses are coloured themselves and mapped three times; and the
 * generational one (21+) with a table for each generation, and colours below the address, to be
 * shifted out.
 *
 * All of the first is exported. Of the second the generations' tables are not, but ZHeap is, with
 * its size, and it embeds both ZGeneration, which hold side by side:
 *
 *   ZGenerationId _id | ZPageAllocator *_page_allocator | ZPageTable *_page_table |
 * ZForwardingTable
 *
 * The two pointers are known, because what they point to is exported: so they are looked for.
 *
 * Sources: OpenJDK
 * share/gc/z/{vmStructs_z,zHeap,zGeneration,zForwarding,zForwardingTable,zGranuleMap,
 * zAttachedArray}.hpp of 17.0.19, 21.0.12 and 25.0.3; share/gc/x of 21.0.12.
 */
#include "runtime/hotspot/layout_code.h"
#include "runtime/hotspot/layout_z.h"

/* sizeof(ZHeap) is 16 000 in 21 and 25. */
#define ZHEAP_MAX 65536

/* ZAddressOffsetMax is at most 16 TiB on x86-64 and a granule 2 MiB: a map has 8 Mi entries at
 * most. */
#define GRANULES_MAX	  (16u << 20)
#define GRANULE_SHIFT_MAX 30

/* ZGranuleMap is {size_t _size; T* const _map}, and ZForwardingTable is one of these. */
#define GRANULE_MAP_SIZE 16

/* What is looked up, with the letter that this JDK's names begin with. */
struct z {
	struct mem *m;
	const struct vmstructs *vs;
	char letter;
	uint64_t instance; /* of ZGlobalsForVMStructs */
	uint64_t heap;	   /* the ZHeap */
};

/* "%GlobalsForVMStructs" with the letter for the %. */
static void z_name(const struct z *z, const char *pattern, char buf[static 64])
{
	snprintf(buf, 64, "%s", pattern);
	for (char *p = buf; *p; p++)
		if (*p == '%')
			*p = z->letter;
}

static int z_offset(const struct z *z, const char *type, const char *field, uint64_t *ret)
{
	char t[64], f[64];

	z_name(z, type, t);
	z_name(z, field, f);
	int err = vmstructs_offset(z->vs, t, f, ret);
	return err ? err : *ret > FIELD_OFFSET_MAX ? -ENOENT : 0;
}

static int z_sizeof(const struct z *z, const char *type, uint64_t *ret)
{
	char t[64];

	z_name(z, type, t);
	return vmstructs_sizeof(z->vs, t, ret);
}

/* The address of a global: ZGlobalsForVMStructs has pointers to all of them. */
static int z_global(const struct z *z, const char *field, uint64_t *ret)
{
	uint64_t off;
	int err = z_offset(z, "%GlobalsForVMStructs", field, &off);

	if (!err)
		err = mem_read_u64(z->m, z->instance + off, ret);
	return err ? err : *ret ? 0 : -ENOENT;
}

/* The structure that has all globals, and the heap. */
static int z_open(struct z *z)
{
	uint64_t addr, off;
	char t[64];

	z_name(z, "%GlobalsForVMStructs", t);
	int err = vmstructs_static(z->vs, t, "_instance_p", &addr);
	if (!err)
		err = mem_read_u64(z->m, addr, &z->instance);
	if (!err)
		err = vmstructs_static(z->vs, "Universe", "_collectedHeap", &addr);
	if (!err)
		err = mem_read_u64(z->m, addr, &z->heap);
	if (!err)
		err = z_offset(z, "%CollectedHeap", "_heap", &off);
	if (!err)
		z->heap += off;
	return err;
}

static int masks_read(const struct z *z, struct layout *l)
{
	bool gen = l->gc == GC_ZGEN;
	uint64_t addr;
	int err = z_global(z, gen ? "_ZPointerLoadBadMask" : "_%AddressWeakBadMask",
			   &l->z_bad_mask_addr);

	if (!err && gen)
		err = z_global(z, "_ZPointerLoadShift", &l->z_shift_addr);
	if (!err)
		err = z_global(z, gen ? "_ZPointerLoadGoodMask" : "_%AddressGoodMask",
			       &l->z.good_mask_addr);
	if (!err)
		err = z_global(z, "_%AddressOffsetMask", &addr);
	return err ? err : mem_read_u64(z->m, addr, &l->z.offset_mask);
}

/* The ZForwardingTable at @addr: the array in it. */
static int table_read(const struct z *z, struct layout *l, uint64_t addr, uint64_t *ret)
{
	int err = mem_read_u64(z->m, addr, &l->z.forwarding_len);

	if (!err)
		err = mem_read_u64(z->m, addr + 8, ret);
	if (err)
		return err;
	return *ret && l->z.forwarding_len && l->z.forwarding_len <= GRANULES_MAX ? 0 : -ENOENT;
}

static int table_first_kind(const struct z *z, struct layout *l)
{
	uint64_t table, map, array;
	int err = z_offset(z, "%Heap", "_forwarding_table", &table);

	if (!err)
		err = z_offset(z, "%ForwardingTable", "_map", &map);
	if (!err)
		err = z_offset(z, "%GranuleMapForForwarding", "_map", &array);
	if (err || array != 8)
		return err ? err : -ENOENT;
	return table_read(z, l, z->heap + table + map, &l->z.forwarding[0]);
}

/*
 * The generation whose fields stand at @at of the copied heap @raw, if the two pointers are there.
 * Return: 1 it was one; 0; -errno.
 */
static int generation_read(const struct z *z, struct layout *l, const uint8_t *raw, size_t at,
			   const uint64_t want[static 2])
{
	enum { YOUNG, OLD }; /* ZGenerationId, one byte padded to a word */

	if (memcmp(raw + at, want, 16) != 0)
		return 0;
	uint8_t id = raw[at - 8];
	if (id > OLD || l->z.forwarding[id])
		return -ENOENT;
	int err = table_read(z, l, z->heap + at + 16, &l->z.forwarding[id]);
	return err ? err : 1;
}

static int tables_generational(const struct z *z, struct layout *l)
{
	uint64_t size, allocator, pages;
	int found = 0, err = z_sizeof(z, "%Heap", &size);

	if (!err)
		err = z_offset(z, "%Heap", "_page_allocator", &allocator);
	if (!err)
		err = z_offset(z, "%Heap", "_page_table", &pages);
	if (err || size > ZHEAP_MAX)
		return err ? err : -ENOENT;
	_cleanup_free_ uint8_t *raw = malloc(size + 1);
	if (!raw)
		return -ENOMEM;
	err = mem_read(z->m, z->heap, raw, size);
	if (err)
		return err;
	const uint64_t want[2] = {z->heap + allocator, z->heap + pages};
	for (size_t at = 8; at + 16 + GRANULE_MAP_SIZE <= size && found >= 0; at += 8) {
		int one = generation_read(z, l, raw, at, want);
		found = one < 0 ? one : found + one;
	}
	return found < 0 ? found : found == 2 ? 0 : -ENOENT;
}

/* Offsets in a ZForwarding. Its entries lie behind it: ZAttachedArray::operator(). */
static int forwarding_places(const struct z *z, struct layout *l)
{
	uint64_t space, start, shift, entries, length, ref_count, size;
	int64_t granule;
	char name[64];
	int err = z_offset(z, "%Forwarding", "_virtual", &space);

	if (!err)
		err = z_offset(z, "%VirtualMemory", "_start", &start);
	if (!err)
		err = z_offset(z, "%Forwarding", "_object_alignment_shift", &shift);
	if (!err)
		err = z_offset(z, "%Forwarding", "_entries", &entries);
	if (!err)
		err = z_offset(z, "%AttachedArrayForForwarding", "_length", &length);
	if (!err)
		err = z_offset(z, "%Forwarding", "_ref_count", &ref_count);
	if (!err)
		err = z_sizeof(z, "%Forwarding", &size);
	z_name(z, "%GranuleSizeShift", name);
	if (!err)
		err = vmstructs_const(z->vs, name, &granule);
	if (err)
		return err;
	if (size > FIELD_OFFSET_MAX || granule <= 0 || granule > GRANULE_SHIFT_MAX)
		return -ENOENT;
	l->z.start_off = (uint32_t)(space + start);
	l->z.align_shift_off = (uint32_t)shift;
	l->z.length_off = (uint32_t)(entries + length);
	l->z.ref_count_off = (uint32_t)ref_count;
	l->z.entries_off = (uint32_t)(size + 7) & ~7u;
	l->z.granule_shift = (uint32_t)granule;
	return 0;
}

int layout_z_read(struct mem *m, const struct vmstructs *vs, struct layout *l)
{
	/* The X names are the first kind in a JVM that has both. */
	uint64_t both;
	bool x = l->gc == GC_Z && vmstructs_sizeof(vs, "XHeap", &both) == 0;
	struct z z = {.m = m, .vs = vs, .letter = x ? 'X' : 'Z'};

	if (l->gc != GC_Z && l->gc != GC_ZGEN)
		return 0;
	int err = z_open(&z);
	if (!err)
		err = masks_read(&z, l);
	if (!err)
		err = l->gc == GC_ZGEN ? tables_generational(&z, l) : table_first_kind(&z, l);
	if (!err)
		err = forwarding_places(&z, l);
	l->z.follow = err == 0;
	if (err)
		l->z = (struct layout_z){0};
	/* What cannot be found out only makes stale references unreadable. */
	return err == -ENOENT || err == -EFAULT ? 0 : err;
}
