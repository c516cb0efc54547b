// SPDX-License-Identifier: MIT
/*
 * strpool.c - interned strings. See strpool.h.
 *
 * Texts lie one after another in chunks that never move; an open-addressing table of pointers
 * finds them again. The texts come from a hostile target, so the hash is keyed with a random
 * number: nobody outside can make up names that all collide.
 */
#include <sys/random.h>

#include "symmap/strpool.h"
#include "daemon/base/util.h"

#define CHUNK_BYTES (32 * 1024)
#define TABLE_MIN   256
#define STR_LEN_MAX ((size_t)UINT32_MAX - 64) /* so that no sum below can wrap */

struct str {
	uint32_t hash;
	uint32_t len; /* without the NUL */
	char text[];
};

struct chunk {
	struct chunk *next;
	size_t used, size; /* bytes of data[] */
	char data[] __attribute__((aligned(8)));
};

struct strpool {
	struct chunk *chunks; /* the first is the one being filled */
	struct str **table;   /* never more than three quarters full */
	size_t mask, count;
	size_t bytes;
	uint64_t key;
};

struct strpool *strpool_new(void)
{
	struct strpool *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->table = calloc(TABLE_MIN, sizeof(*p->table));
	if (!p->table) {
		free(p);
		return NULL;
	}
	p->mask = TABLE_MIN - 1;
	p->bytes = sizeof(*p) + TABLE_MIN * sizeof(*p->table);
	/* Early in boot there may be no randomness yet: an address then is better than nothing. */
	if (getrandom(&p->key, sizeof(p->key), GRND_NONBLOCK) != sizeof(p->key))
		p->key = (uintptr_t)p;
	return p;
}

void strpool_free(struct strpool *p)
{
	if (!p)
		return;
	for (struct chunk *c = p->chunks, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	free(p->table);
	free(p);
}

/* High and low half of a 128-bit product, folded: every input bit reaches every output bit. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 r = (unsigned __int128)a * b;

	return (uint64_t)r ^ (uint64_t)(r >> 64);
}

static uint32_t hash_text(uint64_t key, const char *s, size_t len)
{
	/* Any odd numbers with irregular bits do; these are digits of pi and of e. */
	const uint64_t k1 = 0x243f6a8885a308d3, k2 = 0xb7e151628aed2a6b;
	uint64_t h = key ^ len, w = 0;

	for (; len > sizeof(w); s += sizeof(w), len -= sizeof(w)) {
		memcpy(&w, s, sizeof(w));
		h = mix(h ^ w, k1 ^ key);
	}
	w = 0;
	memcpy(&w, s, len);
	h = mix(h ^ w, k2 ^ key);
	return (uint32_t)(h ^ (h >> 32));
}

/* The slot that holds @s, or the empty one where it belongs. */
static struct str **table_slot(struct strpool *p, uint32_t hash, const char *s, size_t len)
{
	for (size_t i = hash & p->mask;; i = (i + 1) & p->mask) {
		struct str *e = p->table[i];

		if (!e || (e->hash == hash && e->len == len && !memcmp(e->text, s, len)))
			return &p->table[i];
	}
}

static int table_grow(struct strpool *p)
{
	size_t size = (p->mask + 1) * 2;
	struct str **table = calloc(size, sizeof(*table));

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i <= p->mask; i++) {
		struct str *e = p->table[i];
		size_t at;

		if (!e)
			continue;
		for (at = e->hash & (size - 1); table[at]; at = (at + 1) & (size - 1))
			;
		table[at] = e;
	}
	free(p->table);
	p->table = table;
	p->bytes += size / 2 * sizeof(*table);
	p->mask = size - 1;
	return 0;
}

static struct chunk *chunk_new(struct strpool *p, size_t size)
{
	struct chunk *c = malloc(sizeof(*c) + size);

	if (!c)
		return NULL;
	c->used = 0;
	c->size = size;
	p->bytes += sizeof(*c) + size;
	return c;
}

/* @need bytes that never move, 4-byte aligned. */
static void *chunk_alloc(struct strpool *p, size_t need)
{
	struct chunk *c = p->chunks;

	need = (need + 3) & ~(size_t)3;
	if (!c || need > c->size - c->used) {
		/* A text too long for an ordinary chunk does not end the one being filled. */
		bool alone = c && need > CHUNK_BYTES / 4;

		c = chunk_new(p, alone ? need : MAX(need, (size_t)CHUNK_BYTES));
		if (!c)
			return NULL;
		if (alone) {
			c->next = p->chunks->next;
			p->chunks->next = c;
		} else {
			c->next = p->chunks;
			p->chunks = c;
		}
	}
	c->used += need;
	return c->data + c->used - need;
}

const char *strpool_add(struct strpool *p, const char *s, size_t len)
{
	uint32_t hash;
	struct str *e, **slot;

	if (len > STR_LEN_MAX)
		return NULL;
	hash = hash_text(p->key, s, len);
	slot = table_slot(p, hash, s, len);
	if (*slot)
		return (*slot)->text;

	if (p->count >= (p->mask + 1) / 4 * 3) {
		if (table_grow(p))
			return NULL;
		slot = table_slot(p, hash, s, len);
	}
	e = chunk_alloc(p, sizeof(*e) + len + 1);
	if (!e)
		return NULL;
	e->hash = hash;
	e->len = (uint32_t)len;
	memcpy(e->text, s, len);
	e->text[len] = '\0';
	*slot = e;
	p->count++;
	return e->text;
}

size_t strpool_bytes(const struct strpool *p)
{
	return p->bytes;
}
