// SPDX-License-Identifier: MIT
/*
 * codeheap.c - find every nmethod of a running JVM.
 *
 * The code cache is one, two or three code heaps (-XX:[+-]SegmentedCodeCache). A heap is a stretch
 * of memory in segments of 64 or 128 bytes, and beside it a segment map with one byte for each:
 *
 *   map    0  1  2  0  1  0  1  2  3  ...  254 1  2   255 255 255
 *          ^ block  ^     ^ block                     never used yet
 *
 * Zero marks the first segment of a block; the others tell how far back to look for it. So the
 * map, a few hundred kilobytes, gives the address of every block without touching the heap, and
 * then the fronts of all blocks are read in batches: 10 000 nmethods in about 10 ms. Following the
 * blocks by their lengths instead would be one dependent read after the other.
 *
 * Block: {length in segments, used?}, then the CodeBlob. One whose header is as long as an nmethod
 * (JDK 23+: whose kind says so) is an nmethod; adapters and stubs are the others.
 *
 * The JVM goes on compiling and freeing while we read. What we see of a block in motion is
 * contradictory, sooner or later: then the block is left out, as the compile event will tell of it.
 *
 * Source: OpenJDK share/memory/heap.{hpp,cpp}, share/code/{codeCache,codeBlob,nmethod}.hpp.
 */
#include "runtime/hotspot/codeheap.h"
#include "runtime/hotspot/layout_code.h"

/* CodeBlobType: two kinds of heaps for nmethods and one for the rest, or one for all. */
#define HEAPS_MAX 8

/* CodeCacheSegmentSize, at least CodeEntryAlignment: 16 to 1024. share/runtime/globals.hpp */
#define SEGMENT_LOG2_MIN 4
#define SEGMENT_LOG2_MAX 10

/* Values of the segment map: share/memory/heap.hpp. */
#define SEGMENT_START  0
#define SEGMENT_UNUSED 0xff

/* The default code cache of 240 MiB holds half a million nmethods at the very most. */
#define BLOCKS_MAX (2u << 20)

/* Blocks that are read together: as many as one system call takes. */
#define BATCH_MAX 1024

/* HeapBlock and the front of the blob are read in one piece. */
_Static_assert(NMETHOD_SPAN_MAX <= NMETHOD_HDR_MAX, "what decoding looks at is there");

#define FRONT_MAX (BLOCK_SIZE_MAX + NMETHOD_HDR_MAX)

#define LEVEL_MAX 4 /* CompLevel_full_optimization */

/* InvocationEntryBci: share/utilities/globalDefinitions.hpp. Anything else is a loop's position. */
#define ENTRY_BCI_INVOCATION (-1)

struct heap {
	uint64_t low, high; /* committed memory */
	uint64_t map;	    /* address of the segment map */
	uint64_t nsegments;
	uint32_t log2;
};

/* What a walk carries along. */
struct walk {
	struct mem *m, *paged; /* the target, and the same for names */
	const struct layout *l;
	struct name_cache *names;
	int (*fn)(const struct nmethod *nm, void *arg);
	void *arg;
	size_t n;		    /* blocks waiting in the batch */
	uint32_t nblocks;	    /* so far */
	uint64_t limits[BATCH_MAX]; /* largest length each can have, in bytes */
	struct mem_vec vec[BATCH_MAX];
	uint8_t fronts[BATCH_MAX][FRONT_MAX];
};

/* --- one nmethod ----------------------------------------------------------------------------- */

/*
 * not_installed -1, in_use 0, then not_used 1 and not_entrant 2 (JDK ..22), or not_entrant 1 (JDK
 * 23+); unloaded 3 and zombie 4 (JDK ..19). An nmethod being installed is as good as in use: it is
 * what a compile event is about. Source: share/code/compiledMethod.hpp (17, 21), nmethod.hpp (25).
 */
static uint8_t state_of(int64_t state)
{
	return state <= 0 ? NMETHOD_IN_USE : state <= 2 ? NMETHOD_NOT_ENTRANT : NMETHOD_DEAD;
}

/* Only wrappers of native methods have level 0; no table exports the compiler's type. */
static uint8_t kind_of(const struct layout_code *c, int8_t level)
{
	if (level == 0)
		return NMETHOD_NATIVE;
	return level < LEVEL_MAX ? NMETHOD_C1 : c->jvmci ? NMETHOD_JVMCI : NMETHOD_C2;
}

/* Is the blob an nmethod? Of all blobs only an nmethod's header is as long as the structure. */
static bool blob_is_nmethod(const struct layout_code *c, const uint8_t *hdr)
{
	if (field_exists(c->blob_kind) && c->kind_nmethod >= 0 &&
	    field_get(hdr, c->blob_kind) != (uint64_t)c->kind_nmethod)
		return false;
	return field_get(hdr, c->blob_header_size) == c->nmethod_size;
}

/* A pointer, or an offset from @base where this JVM keeps that. */
static uint64_t place(const uint8_t *hdr, struct field pointer, struct field offset, uint64_t base)
{
	if (field_exists(pointer))
		return field_get(hdr, pointer);
	return base + field_get(hdr, offset);
}

/* begin <= entry < end, and all of it behind the header and inside the blob. */
static bool code_sane(const struct layout *l, uint64_t addr, uint64_t size,
		      const struct nmethod *nm)
{
	uint64_t header = l->code->nmethod_size;

	if (!range_inside(addr, size, l->code_low, l->code_high))
		return false;
	return addr + header <= nm->m.begin && nm->m.begin <= nm->m.entry &&
	       nm->m.entry < nm->m.end && nm->m.end <= addr + size;
}

int nmethod_decode(const struct layout *l, uint64_t addr, const uint8_t *hdr, size_t len,
		   struct nmethod *ret)
{
	const struct layout_code *c = l->code;
	struct nmethod nm = {.addr = addr, .m.symbol = ""};

	if (len < c->nmethod_span)
		return -EPROTO;
	if (!blob_is_nmethod(c, hdr))
		return -ENOENT;
	nm.m.begin = place(hdr, c->code_begin, c->code_offset, addr);
	nm.m.end = place(hdr, c->code_end, c->data_offset, addr);
	nm.m.entry = place(hdr, c->entry, c->entry_offset, nm.m.begin);
	nm.method_addr = field_get(hdr, c->method);
	nm.compile_id = (uint32_t)field_get(hdr, c->compile_id);
	nm.state = state_of(field_get_int(hdr, c->state));
	nm.osr = field_get_int(hdr, c->entry_bci) != ENTRY_BCI_INVOCATION;
	int64_t level = field_get_int(hdr, c->level);
	if (level < 0 || level > LEVEL_MAX ||
	    !code_sane(l, addr, field_get(hdr, c->blob_size), &nm))
		return -EPROTO;
	/* JDK ..19 forgets the Method* while it unloads: 0 is right there, and has no name. */
	if (nm.method_addr % 8)
		return -EPROTO;
	nm.level = (int8_t)level;
	nm.kind = kind_of(c, nm.level);
	*ret = nm;
	return 0;
}

int nmethod_read(struct mem *m, const struct layout *l, uint64_t addr, struct nmethod *ret)
{
	uint8_t hdr[NMETHOD_HDR_MAX];
	int err = mem_read(m, addr, hdr, l->code->nmethod_span);

	return err ? err : nmethod_decode(l, addr, hdr, l->code->nmethod_span, ret);
}

int nmethod_state_read(struct mem *m, const struct layout *l, uint64_t addr, uint8_t *ret)
{
	struct field f = l->code->state;
	uint64_t raw;
	int err = field_read(m, addr, f, &raw);

	if (!err)
		*ret = state_of((int8_t)raw);
	return err;
}

/* --- heaps ----------------------------------------------------------------------------------- */

/* The VirtualSpace at @addr: its committed part. */
static int space_read(struct mem *m, const struct layout_code *c, uint64_t addr, uint64_t *low,
		      uint64_t *high)
{
	int err = field_read(m, addr, c->space_low, low);

	if (!err)
		err = field_read(m, addr, c->space_high, high);
	return err ? err : *low > *high ? -EPROTO : 0;
}

static int heap_read(struct mem *m, const struct layout *l, uint64_t addr, struct heap *ret)
{
	const struct layout_code *c = l->code;
	uint64_t log2, map_high;
	int err = space_read(m, c, addr + c->heap_memory.off, &ret->low, &ret->high);

	if (!err)
		err = space_read(m, c, addr + c->heap_segmap.off, &ret->map, &map_high);
	if (!err)
		err = field_read(m, addr, c->heap_log2_segment_size, &log2);
	if (err)
		return err;
	if (!range_inside(ret->low, ret->high - ret->low, l->code_low, l->code_high))
		return -EPROTO;
	if (log2 < SEGMENT_LOG2_MIN || log2 > SEGMENT_LOG2_MAX)
		return -EPROTO;
	ret->log2 = (uint32_t)log2;
	ret->nsegments = (ret->high - ret->low) >> log2;
	/* The heap grows before its map does: what has no map yet has no blocks yet. */
	ret->nsegments = MIN(ret->nsegments, map_high - ret->map);
	return 0;
}

static int heap_cmp(const void *va, const void *vb)
{
	const struct heap *a = va, *b = vb;

	return (a->low > b->low) - (a->low < b->low);
}

/* All heaps, by address. */
static int heaps_read(struct mem *m, const struct layout *l, struct heap heaps[static HEAPS_MAX],
		      size_t *n_ret)
{
	const struct layout_code *c = l->code;
	uint64_t array, n, data, addr;
	int err = mem_read_u64(m, c->heaps, &array);

	if (!err)
		err = field_read(m, array, c->array_len, &n);
	if (!err)
		err = field_read(m, array, c->array_data, &data);
	if (err)
		return err;
	if (n == 0 || n > HEAPS_MAX)
		return -EPROTO;
	for (size_t i = 0; i < n; i++) {
		err = mem_read_u64(m, data + 8 * i, &addr);
		if (!err)
			err = heap_read(m, l, addr, &heaps[i]);
		if (err)
			return err;
	}
	qsort(heaps, n, sizeof(*heaps), heap_cmp);
	for (size_t i = 1; i < n; i++)
		if (heaps[i].low < heaps[i - 1].high)
			return -EPROTO;
	*n_ret = n;
	return 0;
}

/* --- the walk -------------------------------------------------------------------------------- */

/*
 * The front at @raw of the block at @addr: an nmethod to tell of? @limit is the space up to the
 * next block: a used block fills it exactly, unless it has just been split or freed.
 */
static bool block_nmethod(const struct layout *l, uint64_t addr, uint64_t limit, uint32_t log2,
			  const uint8_t *raw, struct nmethod *ret)
{
	const struct layout_code *c = l->code;

	if (!field_get(raw, c->block_used))
		return false;
	uint64_t length = field_get(raw, c->block_length);
	if (length == 0 || length > limit >> log2)
		return false;
	if (nmethod_decode(l, addr + c->block_size, raw + c->block_size, c->nmethod_span, ret))
		return false;
	return ret->state != NMETHOD_DEAD && ret->m.end <= addr + (length << log2);
}

/* Name one nmethod and hand it over. What does not parse has changed under the walk. */
static int walk_hand(struct walk *w, struct nmethod *nm)
{
	int err = nmethod_names(w->paged, w->l, w->names, nm);

	if (err == -EPROTO || err == -EFAULT)
		return 0;
	return err ? err : w->fn(nm, w->arg);
}

/* Read the blocks that wait. */
static int batch_flush(struct walk *w, uint32_t log2)
{
	int err = mem_readv(w->m, w->vec, w->n);

	for (size_t i = 0; !err && i < w->n; i++) {
		struct nmethod nm;
		if (!w->vec[i].err &&
		    block_nmethod(w->l, w->vec[i].addr, w->limits[i], log2, w->fronts[i], &nm))
			err = walk_hand(w, &nm);
	}
	w->n = 0;
	return err;
}

static int batch_add(struct walk *w, const struct heap *h, uint64_t first, uint64_t end)
{
	size_t i = w->n++;

	if (++w->nblocks > BLOCKS_MAX)
		return -EPROTO;
	w->limits[i] = (end - first) << h->log2;
	w->vec[i] = (struct mem_vec){
		.addr = h->low + (first << h->log2),
		.buf = w->fronts[i],
		.len = w->l->code->block_size + w->l->code->nmethod_span,
	};
	return w->n == BATCH_MAX ? batch_flush(w, h->log2) : 0;
}

/* Every block of @h, from the map @map. */
static int map_walk(struct walk *w, const struct heap *h, const uint8_t *map)
{
	uint64_t i = 0;
	int err = 0;

	while (!err && i < h->nsegments && map[i] != SEGMENT_UNUSED) {
		uint64_t first = i;
		if (map[first] != SEGMENT_START)
			return -EPROTO;
		/* 255 inside a heap cannot be: unused segments are all at its end. */
		for (i++; i < h->nsegments && map[i] != SEGMENT_START && map[i] != SEGMENT_UNUSED;)
			i++;
		err = batch_add(w, h, first, i);
	}
	return err ? err : batch_flush(w, h->log2);
}

static int heap_walk(struct walk *w, const struct heap *h)
{
	/* At most 128 MiB, for the largest code cache in the smallest segments. */
	_cleanup_free_ uint8_t *map = malloc(h->nsegments + 1);

	if (!map)
		return -ENOMEM;
	int err = mem_read(w->m, h->map, map, h->nsegments);
	return err ? err : map_walk(w, h, map);
}

int codeheap_walk(struct mem *m, const struct layout *l, struct name_cache *c,
		  int (*fn)(const struct nmethod *nm, void *arg), void *arg)
{
	struct heap heaps[HEAPS_MAX];
	size_t n;
	int err = heaps_read(m, l, heaps, &n);

	if (err)
		return err;
	_cleanup_free_ struct walk *w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	err = mem_open_paged(m, &w->paged);
	if (err)
		return err;
	w->m = m;
	w->l = l;
	w->names = c;
	w->fn = fn;
	w->arg = arg;
	for (size_t i = 0; !err && i < n; i++)
		err = heap_walk(w, &heaps[i]);
	mem_close(w->paged);
	return err;
}
