// SPDX-License-Identifier: MIT
/* image_syms.c - symbols of a native image. See image_syms.h. */
#include "base/budget.h"
#include "runtime/image/image_syms.h"
#include "runtime/image/image_names.h"

/* The image's own C functions: no Java method, although they are named like one. */
#define STUB_PREFIX "IsolateEnterStub__"

/* 26 800 Java methods in the largest seen that has them. */
#define METHODS_MAX (1u << 19)

/* Neighbours in a hash table that is half empty. */
#define PROBES_MAX 64

/* Places where a class may end; five were seen. */
#define SPLITS_MAX 32

struct sym {
	const char *name; /* the symbol table's */
	uint64_t value, size;
};

struct syms {
	struct sym *s;
	size_t n, cap;
	bool all; /* also what is no Java method */
};

static int take_symbol(const char *name, uint64_t value, uint64_t size, void *arg)
{
	struct syms *t = arg;
	struct image_symbol parsed;

	if (!t->all && (!strncmp(name, STUB_PREFIX, strlen(STUB_PREFIX)) ||
			image_symbol_parse(name, &parsed) == SYMBOL_OTHER))
		return 0;
	if (t->n == METHODS_MAX)
		return 0;
	if (t->n == t->cap) {
		size_t cap = t->cap ? 2 * t->cap : 1024;
		struct sym *s = reallocarray(t->s, cap, sizeof(*s));

		if (!s)
			return -ENOMEM;
		t->s = s;
		t->cap = cap;
	}
	t->s[t->n++] = (struct sym){name, value, size};
	return 0;
}

static int compare_syms(const void *a, const void *b)
{
	const struct sym *x = a, *y = b;

	return (x->value > y->value) - (x->value < y->value);
}

/* --- where a class ends ----------------------------------------------------------------------- */

/*
 * "AutoValue_Foo_bar_<digest>" may be bar() of AutoValue_Foo or Foo_bar() of AutoValue. A class is
 * known to be one when its constructor or a method without '_' says so.
 */
struct klass {
	const char *p; /* in the symbol table */
	size_t len;
};

struct known {
	struct klass *slots; /* a hash table; p NULL: empty */
	size_t n;	     /* a power of two, at least twice what is in it */
};

/* FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint32_t klass_hash(const struct klass *k)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < k->len; i++)
		h = (h ^ (uint8_t)k->p[i]) * 16777619u;
	return h;
}

/* Where @want is, or would be. Slots that a crafted file makes collide are not searched for long.
 */
static struct klass *known_slot(const struct known *k, const struct klass *want)
{
	size_t i = klass_hash(want);

	for (int tries = 0; tries < PROBES_MAX; tries++, i++) {
		struct klass *s = &k->slots[i & (k->n - 1)];

		if (!s->p || (s->len == want->len && !memcmp(s->p, want->p, s->len)))
			return s;
	}
	return NULL;
}

static bool is_certain(const struct image_symbol *s)
{
	static const char *const names[] = {"constructor", "<clinit>"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (s->name_len == strlen(names[i]) && !memcmp(s->name, names[i], s->name_len))
			return true;
	return false;
}

/* Move @s to a split whose method is a constructor, or leave it at the only one there is. */
static bool certain_split(struct image_symbol *s)
{
	struct image_symbol next = *s;

	if (!image_symbol_next(&next))
		return true;
	do {
		*s = next;
	} while (image_symbol_next(&next));
	return is_certain(s);
}

static int known_build(const struct syms *t, struct known *k)
{
	for (k->n = 16; k->n < 2 * t->n;)
		k->n *= 2;
	k->slots = calloc(k->n, sizeof(*k->slots));
	if (!k->slots)
		return -ENOMEM;
	for (size_t i = 0; i < t->n; i++) {
		struct image_symbol s;
		struct klass klass, *slot;

		if (image_symbol_parse(t->s[i].name, &s) < SYMBOL_SHA1 || !certain_split(&s))
			continue;
		klass = (struct klass){s.klass, s.klass_len};
		slot = known_slot(k, &klass);
		if (slot)
			*slot = klass;
	}
	return 0;
}

static bool is_known(const struct known *k, const struct image_symbol *s)
{
	const struct klass klass = {s->klass, s->klass_len}, *slot = known_slot(k, &klass);

	return slot && slot->p;
}

/* The longest class that is known; if none is, the shortest. */
static void choose_split(const struct known *k, struct image_symbol *s)
{
	struct image_symbol at = *s;
	int tries = 0;

	if (is_certain(s))
		return;
	do {
		if (is_known(k, &at) || is_certain(&at))
			*s = at;
	} while (++tries < SPLITS_MAX && image_symbol_next(&at));
}

/* --- methods ---------------------------------------------------------------------------------- */

static int add_texts(const struct image_symbol *s, struct image_pool *pool, struct image_method *m)
{
	char buf[IMAGE_NAME_MAX];
	int err;

	snprintf(buf, sizeof(buf), "%.*s", (int)s->klass_len, s->klass);
	err = image_pool_add(pool, buf, &m->klass);
	if (err)
		return err;
	image_method_name(s, buf, sizeof(buf));
	err = image_pool_add(pool, buf, &m->name);
	if (!err && s->kind == SYMBOL_FULL &&
	    !image_descriptor(s->params, s->params_len, s->ret, buf, sizeof(buf)))
		err = image_pool_add(pool, buf, &m->desc);
	if (s->kind != SYMBOL_FULL)
		m->flags |= METHOD_SIMPLE;
	return err;
}

static int add_method(const struct sym *sym, const struct known *k, bool java,
		      struct image_pool *pool, struct image_map *map)
{
	struct image_method *m = &map->methods[map->n];
	struct image_symbol s;
	int err;

	*m = (struct image_method){.entry = sym->value};
	if (add_overflows(sym->value, MAX(sym->size, 1), &m->end) ||
	    (map->n && m[-1].entry == m->entry))
		return 0;
	err = image_pool_add(pool, sym->name, &m->symbol);
	if (!err && java) {
		image_symbol_parse(sym->name, &s);
		if (s.kind != SYMBOL_FULL)
			choose_split(k, &s);
		err = add_texts(&s, pool, m);
	} else {
		m->name = m->symbol;
		m->flags = METHOD_C_ENTRY;
	}
	map->n += !err;
	return err;
}

static int make_map(struct syms *t, bool java, struct image_pool *pool, struct image_map *map)
{
	struct known k = {0};
	int err = java ? known_build(t, &k) : 0;

	map->methods = calloc(MAX(t->n, 1), sizeof(*map->methods));
	if (!map->methods)
		err = -ENOMEM;
	for (size_t i = 0; i < t->n && !err; i++) {
		err = budget_spend();
		if (!err)
			err = add_method(&t->s[i], &k, java, pool, map);
	}
	free(k.slots);
	map->starts = map->n;
	map->names = java ? NAMES_SYMTAB : NAMES_EXPORTS;
	return err;
}

/* Both are in order of address. */
static int attach(const struct syms *t, struct image_pool *pool, struct image_map *map)
{
	uint32_t j = 0;
	int err = 0;

	for (size_t i = 0; i < t->n && !err; i++) {
		while (j < map->n && map->methods[j].entry < t->s[i].value)
			j++;
		if (j < map->n && map->methods[j].entry == t->s[i].value && !map->methods[j].symbol)
			err = image_pool_add(pool, t->s[i].name, &map->methods[j].symbol);
	}
	return err;
}

int image_syms_add(struct elfsyms *syms, struct image_pool *pool, struct image_map *m)
{
	struct syms t = {0};
	bool java;
	int err = elfsyms_each(syms, "", take_symbol, &t);

	java = t.n > 0;
	if (!err && !m->n && !java) {
		t.all = true;
		err = elfsyms_each_export(syms, take_symbol, &t);
	}
	if (t.n)
		qsort(t.s, t.n, sizeof(*t.s), compare_syms);
	if (!err && t.n)
		err = m->n ? attach(&t, pool, m) : make_map(&t, java, pool, m);
	free(t.s);
	return err;
}
