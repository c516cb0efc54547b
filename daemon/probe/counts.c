// SPDX-License-Identifier: MIT
/* counts.c - how often each method was called. See counts.h. */
#include "base/hash.h"
#include "probe/counts.h"

#define BUCKETS_MIN 256

/* What stands for those that are too many. */
static const struct method others = {.klass = "", .name = "(other methods)", .desc = ""};

static const char *text_of(const char *s)
{
	return s ? s : "";
}

static size_t bucket_of(const struct counts *c, const struct method *m)
{
	uint64_t hash = hash_text(hash_text(HASH_BEGIN, m->klass), m->name);

	hash = hash_text(hash_text(hash, m->desc), m->symbol);
	return (size_t)(hash ^ hash >> 32) & (c->nbuckets - 1);
}

static bool same(const struct method *a, const struct method *b)
{
	return !strcmp(a->name, text_of(b->name)) && !strcmp(a->klass, text_of(b->klass)) &&
	       !strcmp(a->desc, text_of(b->desc)) && !strcmp(a->symbol, text_of(b->symbol));
}

/* The bucket that has @m, or the free one where it goes. */
static uint32_t *find(const struct counts *c, const struct method *m)
{
	size_t i = bucket_of(c, m);

	while (c->buckets[i] && !same(&c->v[c->buckets[i] - 1]->method, m))
		i = (i + 1) & (c->nbuckets - 1);
	return &c->buckets[i];
}

/* Room for one more, with a quarter of the buckets free. */
static int grow(struct counts *c)
{
	size_t cap = c->cap ? 2 * c->cap : BUCKETS_MIN;
	struct method_count **v;
	uint32_t *buckets;

	if (c->n < c->cap)
		return 0;
	v = reallocarray(c->v, cap, sizeof(struct method_count *));
	if (!v)
		return -ENOMEM;
	c->v = v;
	buckets = calloc(2 * cap, sizeof(*buckets));
	if (!buckets)
		return -ENOMEM;
	free(c->buckets);
	c->buckets = buckets;
	c->cap = cap;
	c->nbuckets = 2 * cap;
	for (size_t i = 0; i < c->n; i++)
		*find(c, &c->v[i]->method) = (uint32_t)i + 1;
	return 0;
}

static void count_free(struct method_count *mc)
{
	if (!mc)
		return;
	free((char *)mc->method.klass);
	free((char *)mc->method.name);
	free((char *)mc->method.desc);
	free((char *)mc->method.symbol);
	free(mc);
}

static struct method_count *count_new(const struct method *m)
{
	struct method_count *mc = calloc(1, sizeof(*mc));

	if (!mc)
		return NULL;
	mc->method = (struct method){.klass = strdup(text_of(m->klass)),
				     .name = strdup(text_of(m->name)),
				     .desc = strdup(text_of(m->desc)),
				     .symbol = strdup(text_of(m->symbol)),
				     .entry = m->entry};
	if (mc->method.klass && mc->method.name && mc->method.desc && mc->method.symbol)
		return mc;
	count_free(mc);
	return NULL;
}

struct method_count *counts_of(struct counts *c, const struct method *m)
{
	uint32_t *bucket;

	if (grow(c))
		return NULL;
	bucket = find(c, m);
	if (!*bucket && c->n == COUNTS_MAX - 1)
		m = &others;
	if (!*bucket && c->n == COUNTS_MAX)
		return c->v[COUNTS_MAX - 1];
	if (*bucket)
		return c->v[*bucket - 1];
	bucket = find(c, m);
	c->v[c->n] = count_new(m);
	if (!c->v[c->n])
		return NULL;
	*bucket = (uint32_t)++c->n;
	return c->v[c->n - 1];
}

void counts_fini(struct counts *c)
{
	for (size_t i = 0; i < c->n; i++)
		count_free(c->v[i]);
	free(c->v);
	free(c->buckets);
	*c = (struct counts){0};
}
