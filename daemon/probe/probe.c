// SPDX-License-Identifier: MIT
/* probe.c - what a client asked for on one method. See probe.h. */
#include "probe/probe.h"
#include "probe/site.h"

/* Some 20 000 probes at the most: chains stay short. */
#define BUCKET_BITS 13
#define BUCKETS	    (1u << BUCKET_BITS)

struct probe *probe_new(const struct method *m, uint64_t key, uint32_t gen)
{
	struct probe *p = calloc(1, sizeof(*p));

	if (p)
		*p = (struct probe){.method = *m, .key = key, .gen = gen};
	return p;
}

void probe_free(struct probe *p)
{
	if (!p)
		return;
	if (p->nsites) {
		/* The last one takes the probe along. */
		for (unsigned int n = p->nsites; n > 0; n--)
			site_free(p->sites[n - 1]);
		return;
	}
	free(p->captures);
	free(p->head);
	free(p);
}

void probe_add(struct probe *p, struct site *s)
{
	s->probe = p;
	p->sites[p->nsites++] = s;
}

void probe_drop(struct probe *p, struct site *s)
{
	for (unsigned int i = 0; i < p->nsites; i++) {
		if (p->sites[i] != s)
			continue;
		p->sites[i] = p->sites[--p->nsites];
		break;
	}
	if (!p->nsites)
		probe_free(p);
}

/* --- by the code they are on ------------------------------------------------------------------ */

/* Addresses are multiples of 16 at least; Fibonacci hashing spreads what is left of them. */
static size_t bucket_of(uint64_t key, uint32_t gen)
{
	return (size_t)(((key ^ gen) * 0x9e3779b97f4a7c15ULL) >> (64 - BUCKET_BITS));
}

int probe_table_init(struct probe_table *t)
{
	*t = (struct probe_table){.buckets = calloc(BUCKETS, sizeof(struct probe *))};
	return t->buckets ? 0 : -ENOMEM;
}

void probe_table_fini(struct probe_table *t)
{
	free(t->buckets);
	*t = (struct probe_table){0};
}

void probe_table_add(struct probe_table *t, struct probe *p)
{
	struct probe **bucket = &t->buckets[bucket_of(p->key, p->gen)];

	p->next = *bucket;
	*bucket = p;
	t->n++;
}

void probe_table_remove(struct probe_table *t, struct probe *p)
{
	struct probe **at = &t->buckets[bucket_of(p->key, p->gen)];

	while (*at && *at != p)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = p->next;
	p->next = NULL;
	t->n--;
}

struct probe *probe_table_find(const struct probe_table *t, uint64_t key, uint32_t gen)
{
	struct probe *p = t->buckets[bucket_of(key, gen)];

	while (p && (p->key != key || p->gen != gen))
		p = p->next;
	return p;
}
