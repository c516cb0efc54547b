// SPDX-License-Identifier: MIT
/* fake_z.c - ZGC's structures in a fake JVM, at offsets no real one has. */
#include "lib/fake_jvm.h"

enum {
	HEAP_IN_COLLECTED = 64,
	HEAP_SIZE = 512,
	HEAP_ALLOCATOR = 8,
	HEAP_PAGES = 40,
	HEAP_TABLE = 104, /* of the first kind */
	HEAP_OLD = 200,	  /* ZGenerationOld, and what stands in front of its pointers */
	HEAP_YOUNG = 320,
	GENERATION_POINTERS = 16,
	FORWARDING_COUNT = 132,
	FORWARDING_SIZE = 140,
};

static uint64_t z_static(struct fake_jvm *j, const char *type, const char *field, uint64_t value)
{
	uint64_t addr = fake_alloc(&j->t, 8);

	fake_put64(&j->t, addr, value);
	fake_static(&j->t, type, field, addr);
	return addr;
}

/* A global, and the field of ZGlobalsForVMStructs at @off that points to it. */
static uint64_t z_global(struct fake_jvm *j, const char *type, const char *field, uint64_t instance,
			 uint64_t off, uint64_t value)
{
	uint64_t addr = fake_alloc(&j->t, 8);

	fake_put64(&j->t, addr, value);
	fake_put64(&j->t, instance + off, addr);
	fake_field(&j->t, type, field, "uintptr_t*", off);
	return addr;
}

static void z_table(struct fake_jvm *j, struct fake_z *z, int i, uint64_t addr)
{
	z->tables[i] = addr;
	z->arrays[i] = fake_alloc(&j->t, 8);
	fake_put64(&j->t, addr, FAKE_Z_GRANULES);
	fake_put64(&j->t, addr + 8, z->arrays[i]);
}

static void z_generation(struct fake_jvm *j, struct fake_z *z, uint64_t heap, uint64_t at,
			 uint8_t id)
{
	uint64_t pointers = heap + at + GENERATION_POINTERS;

	fake_put8(&j->t, pointers - 8, id);
	fake_put64(&j->t, pointers, heap + HEAP_ALLOCATOR);
	fake_put64(&j->t, pointers + 8, heap + HEAP_PAGES);
	z_table(j, z, id, pointers + 16);
}

/* The first kind: all names begin with Z, or with X where there are both. */
static void z_first(struct fake_jvm *j, bool x, uint64_t instance, uint64_t heap,
		    struct fake_z *ret)
{
#define N(rest) (x ? "X" rest : "Z" rest)
	const char *globals = N("GlobalsForVMStructs");

	ret->bad_mask = z_global(j, globals, x ? "_XAddressWeakBadMask" : "_ZAddressWeakBadMask",
				 instance, 16, 1ULL << 42);
	ret->good_mask = z_global(j, globals, x ? "_XAddressGoodMask" : "_ZAddressGoodMask",
				  instance, 24, 1ULL << 44);
	z_global(j, globals, x ? "_XAddressOffsetMask" : "_ZAddressOffsetMask", instance, 32,
		 FAKE_Z_OFFSET_MASK);
	z_static(j, globals, "_instance_p", instance);
	fake_field(&j->t, N("CollectedHeap"), "_heap", "ZHeap", HEAP_IN_COLLECTED);
	fake_field(&j->t, N("Heap"), "_forwarding_table", "ZForwardingTable", HEAP_TABLE);
	fake_type(&j->t, N("Heap"), HEAP_SIZE);
	fake_field(&j->t, N("ForwardingTable"), "_map", "ZGranuleMapForForwarding", 0);
	fake_field(&j->t, N("GranuleMapForForwarding"), "_map", "ZForwarding** const", 8);
	fake_field(&j->t, N("Forwarding"), "_virtual", "const ZVirtualMemory", 16);
	fake_field(&j->t, N("VirtualMemory"), "_start", "const uintptr_t", 8);
	fake_field(&j->t, N("Forwarding"), "_object_alignment_shift", "const size_t", 48);
	fake_field(&j->t, N("Forwarding"), "_entries", "const ZAttachedArrayForForwarding", 56);
	fake_field(&j->t, N("AttachedArrayForForwarding"), "_length", "const size_t", 8);
	fake_field(&j->t, N("Forwarding"), "_ref_count", "int", FORWARDING_COUNT);
	fake_type(&j->t, N("Forwarding"), FORWARDING_SIZE);
	fake_long(&j->t, N("GranuleSizeShift"), 21);
#undef N
	z_table(j, ret, 0, heap + HEAP_TABLE);
}

static void z_second(struct fake_jvm *j, uint64_t instance, uint64_t heap, struct fake_z *ret)
{
	static const char globals[] = "ZGlobalsForVMStructs";

	ret->bad_mask = z_global(j, globals, "_ZPointerLoadBadMask", instance, 16, 0xe000);
	ret->good_mask = z_global(j, globals, "_ZPointerLoadGoodMask", instance, 24, 0x1000);
	ret->shift = z_global(j, globals, "_ZPointerLoadShift", instance, 40, 13);
	z_global(j, globals, "_ZAddressOffsetMask", instance, 32, FAKE_Z_OFFSET_MASK);
	z_static(j, globals, "_instance_p", instance);
	fake_field(&j->t, "ZCollectedHeap", "_heap", "ZHeap", HEAP_IN_COLLECTED);
	fake_field(&j->t, "ZHeap", "_page_allocator", "ZPageAllocator", HEAP_ALLOCATOR);
	fake_field(&j->t, "ZHeap", "_page_table", "ZPageTable", HEAP_PAGES);
	fake_type(&j->t, "ZHeap", HEAP_SIZE);
	fake_field(&j->t, "ZForwarding", "_virtual", "const ZVirtualMemory", 16);
	fake_field(&j->t, "ZVirtualMemory", "_start", "const zoffset", 8);
	fake_field(&j->t, "ZForwarding", "_object_alignment_shift", "const size_t", 48);
	fake_field(&j->t, "ZForwarding", "_entries", "const ZAttachedArrayForForwarding", 56);
	fake_field(&j->t, "ZAttachedArrayForForwarding", "_length", "const size_t", 8);
	fake_field(&j->t, "ZForwarding", "_ref_count", "int", FORWARDING_COUNT);
	fake_type(&j->t, "ZForwarding", FORWARDING_SIZE);
	fake_long(&j->t, "ZGranuleSizeShift", 21);
	z_generation(j, ret, heap, HEAP_OLD, 1);
	z_generation(j, ret, heap, HEAP_YOUNG, 0);
}

void fake_z(struct fake_jvm *j, bool generational, struct fake_z *ret)
{
	uint64_t collected = fake_alloc(&j->t, HEAP_IN_COLLECTED + HEAP_SIZE);
	uint64_t instance = fake_alloc(&j->t, 64);

	*ret = (struct fake_z){0};
	z_static(j, "Universe", "_collectedHeap", collected);
	if (generational)
		z_second(j, instance, collected + HEAP_IN_COLLECTED, ret);
	else
		z_first(j, j->jdk >= 21, instance, collected + HEAP_IN_COLLECTED, ret);
	fake_flag(j, "UseZGC", true);
	if (j->jdk >= 21 && j->jdk < 24)
		fake_flag(j, "ZGenerational", generational);
}
