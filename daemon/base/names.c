// SPDX-License-Identifier: MIT
/* names.c - an open-addressing table from numbers to texts. See names.h. */
#include "base/names.h"

#define NAMES_MIN 256

static void forget_all(struct names *t)
{
	for (size_t i = 0; i < t->cap; i++)
		free(t->entries[i].text);
	if (t->cap)
		memset(t->entries, 0, t->cap * sizeof(*t->entries));
	t->n = t->bytes = 0;
}

static size_t bytes_of(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

void names_fini(struct names *t)
{
	forget_all(t);
	free(t->entries);
	*t = (struct names){0};
}

/* Fibonacci hashing: keys are addresses and small counters alike. @cap is a power of two. */
static size_t place_of(uint64_t key, size_t cap)
{
	return (size_t)((key * 0x9e3779b97f4a7c15ULL) >> 20) & (cap - 1);
}

static struct name_entry *find_entry(struct name_entry *entries, size_t cap, uint64_t key)
{
	size_t i = place_of(key, cap);

	while (entries[i].key && entries[i].key != key)
		i = (i + 1) & (cap - 1);
	return &entries[i];
}

const struct name_entry *names_get(const struct names *t, uint64_t key)
{
	const struct name_entry *e;

	if (!t->cap)
		return NULL;
	e = find_entry(t->entries, t->cap, key);
	return e->key ? e : NULL;
}

static bool grow(struct names *t)
{
	size_t cap = t->cap ? 2 * t->cap : NAMES_MIN;
	struct name_entry *entries = calloc(cap, sizeof(*entries));

	if (!entries)
		return false;
	for (size_t i = 0; i < t->cap; i++) {
		if (t->entries[i].key)
			*find_entry(entries, cap, t->entries[i].key) = t->entries[i];
	}
	free(t->entries);
	t->entries = entries;
	t->cap = cap;
	return true;
}

void names_put(struct names *t, uint64_t key, const char *text, uint64_t ts_ns)
{
	struct name_entry *e;
	char *copy;

	if (!key)
		return;
	if (t->n >= NAMES_MAX || t->bytes + bytes_of(text) > NAMES_BYTES_MAX)
		forget_all(t);
	if (2 * (t->n + 1) > t->cap && !grow(t))
		return;
	e = find_entry(t->entries, t->cap, key);
	if (e->key && e->text && text && strcmp(e->text, text) == 0) {
		e->ts_ns = ts_ns;
		return;
	}
	copy = text ? strdup(text) : NULL;
	if (text && !copy)
		return;
	t->n += !e->key;
	t->bytes += bytes_of(copy) - bytes_of(e->text);
	free(e->text);
	*e = (struct name_entry){.key = key, .text = copy, .ts_ns = ts_ns};
}
