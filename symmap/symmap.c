// SPDX-License-Identifier: MIT
/*
 * symmap.c - the live symbol map. See symmap.h.
 *
 * The nmethods lie unordered in one array of slots. Two indexes order them, one by first byte of
 * code, one by address of the structure; both are the same thing, a sorted array of keys with the
 * slot numbers beside it, searched by bisection without branches.
 *
 * An index is a gap buffer: its free room lies not at the end but where the last change was, so a
 * run of insertions in address order, which is how a code heap is walked, moves nothing at all.
 * No hash is used: the addresses come from a hostile target, which could make them collide.
 */
#include "symmap/symmap.h"
#include "daemon/base/util.h"

#define SLOTS_MIN 64
#define SLOT_NONE UINT32_MAX

struct index {
	uint64_t *keys; /* [0, gap) and [gap + room, cap) are sorted and in use */
	uint32_t *slots;
	size_t count, gap, room;
};

union slot {
	struct nmethod nm;
	uint32_t next_free;
};

struct symmap {
	struct strpool *strings;
	struct index by_begin, by_addr;
	union slot *slots;
	size_t cap;	    /* slots allocated; both indexes have as many */
	uint32_t free_head; /* slots given back */
	uint32_t used;	    /* slots ever handed out: those from here on are fresh */
	uint32_t last_gen;
};

struct symmap *symmap_new(void)
{
	struct symmap *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->free_head = SLOT_NONE;
	m->strings = strpool_new();
	if (!m->strings) {
		free(m);
		return NULL;
	}
	return m;
}

static void index_fini(struct index *x)
{
	free(x->keys);
	free(x->slots);
}

void symmap_free(struct symmap *m)
{
	if (!m)
		return;
	index_fini(&m->by_begin);
	index_fini(&m->by_addr);
	free(m->slots);
	strpool_free(m->strings);
	free(m);
}

struct strpool *symmap_strings(struct symmap *m)
{
	return m->strings;
}

/* --- index ------------------------------------------------------------------------------------ */

/*
 * How many of @n sorted @keys are <= @key. Whether half of them are skipped is arithmetic, not a
 * branch: for a random key every branch would be mispredicted half the time.
 */
static size_t count_not_above(const uint64_t *keys, size_t n, uint64_t key)
{
	const uint64_t *base = keys;

	if (!n)
		return 0;
	while (n > 1) {
		size_t half = n / 2;

		base += half & -(size_t)(base[half - 1] <= key);
		n -= half;
	}
	return (size_t)(base - keys) + (*base <= key);
}

/* Rank @i as a place in the arrays. */
static size_t index_place(const struct index *x, size_t i)
{
	return i < x->gap ? i : i + x->room;
}

/* How many keys are <= @key; one less is the rank of the last of them. */
static size_t index_search(const struct index *x, uint64_t key)
{
	size_t tail = x->gap + x->room;

	if (x->gap < x->count && x->keys[tail] <= key)
		return x->gap + count_not_above(x->keys + tail, x->count - x->gap, key);
	return count_not_above(x->keys, x->gap, key);
}

/* Slot of the last key that is <= @key, SLOT_NONE when all are above it. */
static uint32_t index_floor(const struct index *x, uint64_t key)
{
	size_t n = index_search(x, key);

	return n ? x->slots[index_place(x, n - 1)] : SLOT_NONE;
}

static void index_move(struct index *x, size_t to, size_t from, size_t n)
{
	memmove(x->keys + to, x->keys + from, n * sizeof(*x->keys));
	memmove(x->slots + to, x->slots + from, n * sizeof(*x->slots));
}

/* Bring the gap before rank @rank. */
static void index_seek(struct index *x, size_t rank)
{
	if (rank < x->gap)
		index_move(x, rank + x->room, rank, x->gap - rank);
	else if (rank > x->gap)
		index_move(x, x->gap, x->gap + x->room, rank - x->gap);
	x->gap = rank;
}

static void index_insert(struct index *x, uint64_t key, uint32_t slot)
{
	index_seek(x, index_search(x, key));
	x->keys[x->gap] = key;
	x->slots[x->gap] = slot;
	x->count++;
	x->gap++;
	x->room--;
}

static void index_remove(struct index *x, uint64_t key)
{
	index_seek(x, index_search(x, key));
	x->count--;
	x->gap--;
	x->room++;
}

static int array_resize(void *array, size_t size)
{
	void *p = realloc(*(void **)array, size);

	if (!p)
		return -ENOMEM;
	*(void **)array = p;
	return 0;
}

/* Make the arrays @cap long. */
static int index_resize(struct index *x, size_t cap)
{
	index_seek(x, x->count);
	if (array_resize(&x->keys, cap * sizeof(*x->keys)) ||
	    array_resize(&x->slots, cap * sizeof(*x->slots)))
		return -ENOMEM;
	x->room = cap - x->count;
	return 0;
}

/* --- slots ------------------------------------------------------------------------------------ */

/* Room for one more. On failure some arrays are longer than @m->cap says, which harms nothing. */
static int reserve(struct symmap *m)
{
	size_t cap;

	if (m->by_begin.count < m->cap)
		return 0;
	/* A quarter more each time keeps what lies idle under that; copying stays linear. */
	cap = m->cap + MAX(m->cap / 4, (size_t)SLOTS_MIN);
	if (cap >= SLOT_NONE || array_resize(&m->slots, cap * sizeof(*m->slots)) ||
	    index_resize(&m->by_begin, cap) || index_resize(&m->by_addr, cap))
		return -ENOMEM;
	m->cap = cap;
	return 0;
}

static uint32_t slot_take(struct symmap *m)
{
	uint32_t slot = m->free_head;

	if (slot == SLOT_NONE)
		return m->used++;
	m->free_head = m->slots[slot].next_free;
	return slot;
}

static struct nmethod *slot_nmethod(const struct symmap *m, uint32_t slot)
{
	return slot == SLOT_NONE ? NULL : &m->slots[slot].nm;
}

/* --- map -------------------------------------------------------------------------------------- */

static uint32_t find(const struct symmap *m, uint64_t addr)
{
	uint32_t slot = index_floor(&m->by_addr, addr);

	return slot != SLOT_NONE && m->slots[slot].nm.addr == addr ? slot : SLOT_NONE;
}

static void forget(struct symmap *m, uint32_t slot)
{
	const struct nmethod *nm = slot_nmethod(m, slot);

	index_remove(&m->by_begin, nm->m.begin);
	index_remove(&m->by_addr, nm->addr);
	m->slots[slot].next_free = m->free_head;
	m->free_head = slot;
}

/*
 * Forget every nmethod with code in [@begin, @end). None of those in the map overlap, so the last
 * that begins before @end is the only one that can also be the last to reach beyond @begin.
 */
static bool same_identity(const struct nmethod *a, const struct nmethod *b)
{
	return a->addr == b->addr && a->m.begin == b->m.begin && a->m.end == b->m.end &&
	       a->method_addr == b->method_addr && a->compile_id == b->compile_id;
}

/* Put in what clashes with nothing, into room that is reserved. */
static struct nmethod *insert(struct symmap *m, const struct nmethod *nm)
{
	uint32_t slot = slot_take(m);
	struct nmethod *at = slot_nmethod(m, slot);

	*at = *nm;
	at->gen = ++m->last_gen;
	index_insert(&m->by_begin, at->m.begin, slot);
	index_insert(&m->by_addr, at->addr, slot);
	return at;
}

static bool is_valid(const struct nmethod *nm)
{
	return nm->m.begin <= nm->m.entry && nm->m.entry < nm->m.end;
}

const struct nmethod *symmap_displaced(const struct symmap *m, const struct nmethod *nm)
{
	uint32_t slot = find(m, nm->addr);

	if (!is_valid(nm))
		return NULL;
	if (slot != SLOT_NONE)
		return same_identity(&m->slots[slot].nm, nm) ? NULL : &m->slots[slot].nm;
	slot = index_floor(&m->by_begin, nm->m.end - 1);
	if (slot == SLOT_NONE || m->slots[slot].nm.m.end <= nm->m.begin)
		return NULL;
	return &m->slots[slot].nm;
}

int symmap_add(struct symmap *m, const struct nmethod *nm, const struct nmethod **ret)
{
	const struct nmethod *old;
	struct nmethod *at;
	bool added;

	if (!is_valid(nm))
		return -EINVAL;
	at = slot_nmethod(m, find(m, nm->addr));
	added = !at || !same_identity(at, nm);
	if (!added) {
		at->state = nm->state;
	} else {
		if (m->last_gen == UINT32_MAX || reserve(m))
			return -ENOMEM;
		while ((old = symmap_displaced(m, nm)))
			forget(m, find(m, old->addr));
		at = insert(m, nm);
	}
	if (ret)
		*ret = at;
	return added;
}

int symmap_remove(struct symmap *m, uint64_t addr, struct nmethod *old)
{
	uint32_t slot = find(m, addr);

	if (slot == SLOT_NONE)
		return -ENOENT;
	if (old)
		*old = m->slots[slot].nm;
	forget(m, slot);
	return 0;
}

int symmap_set_state(struct symmap *m, uint64_t addr, enum nmethod_state state)
{
	struct nmethod *nm = slot_nmethod(m, find(m, addr));

	if (!nm)
		return -ENOENT;
	if (nm->state == state)
		return 0;
	nm->state = (uint8_t)state;
	return 1;
}

const struct nmethod *symmap_lookup(const struct symmap *m, uint64_t pc)
{
	const struct nmethod *nm = slot_nmethod(m, index_floor(&m->by_begin, pc));

	return nm && pc < nm->m.end ? nm : NULL;
}

const struct nmethod *symmap_find(const struct symmap *m, uint64_t addr)
{
	return slot_nmethod(m, find(m, addr));
}

size_t symmap_count(const struct symmap *m)
{
	return m->by_begin.count;
}

const struct nmethod *symmap_at(const struct symmap *m, size_t i)
{
	return slot_nmethod(m, m->by_begin.slots[index_place(&m->by_begin, i)]);
}

size_t symmap_bytes(const struct symmap *m)
{
	const size_t index = sizeof(*m->by_begin.keys) + sizeof(*m->by_begin.slots);

	return sizeof(*m) + m->cap * (sizeof(*m->slots) + 2 * index);
}

/* --- words ------------------------------------------------------------------------------------ */

const char *nmethod_kind_name(uint8_t kind)
{
	static const char *const names[] = {
		[NMETHOD_C1] = "c1",
		[NMETHOD_C2] = "c2",
		[NMETHOD_JVMCI] = "jvmci",
		[NMETHOD_NATIVE] = "native",
	};

	return kind < ARRAY_SIZE(names) ? names[kind] : "?";
}

const char *nmethod_state_name(uint8_t state)
{
	static const char *const names[] = {
		[NMETHOD_IN_USE] = "in_use",
		[NMETHOD_NOT_ENTRANT] = "not_entrant",
		[NMETHOD_DEAD] = "dead",
	};

	return state < ARRAY_SIZE(names) ? names[state] : "?";
}
