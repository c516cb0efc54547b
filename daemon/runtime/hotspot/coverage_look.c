// SPDX-License-Identifier: MIT
/*
 * coverage_look.c - one look at a JVM. See coverage_look.h.
 *
 *   classes -> methods that a SPEC means, with their state
 *           -> compiled bodies of these, and bodies that hold copies (symbol map, inlined.c)
 */
#include "base/budget.h"
#include "runtime/hotspot/coverage_look.h"

/* Methods that are looked at in all. A SPEC that means more is told so. */
#define FOUND_MAX 65536

/* On a busy machine a look may take so many times its budget, by the clock. */
#define WALL_FACTOR 2

static int found_add(struct coverage_look *k, const struct coverage_found *f)
{
	if (k->nfound == FOUND_MAX) {
		k->all_methods = false;
		return 0;
	}
	if (k->nfound == k->cap) {
		size_t cap = k->cap ? 2 * k->cap : 256;
		struct coverage_found *p = reallocarray(k->found, cap, sizeof(*p));

		if (!p)
			return -ENOMEM;
		k->found = p;
		k->cap = cap;
	}
	k->found[k->nfound++] = *f;
	return 0;
}

/* Is it the class that the SPEC names? */
static bool class_is(struct coverage_look *k, size_t i, const struct class_entry *c)
{
	size_t len;

	if (!spec_names_class(k->specs[i], &len) || len != c->len ||
	    memcmp(spec_pattern(k->specs[i]), c->name, len))
		return false;
	k->exact[i] = c->klass;
	return true;
}

/* Can a method of the class be meant by wildcards? */
static bool class_fits(const struct coverage_look *k, size_t i, const struct class_entry *c)
{
	struct glob g;
	size_t len;

	return !spec_names_class(k->specs[i], &len) && glob_begin(&g, spec_pattern(k->specs[i])) &&
	       glob_feed(&g, c->name) && glob_feed(&g, ".");
}

static int look_at_method(struct coverage_look *k, const bool *fits, const struct class_entry *c,
			  uint64_t method)
{
	struct nmethod nm = {.method_addr = method, .m.symbol = ""};
	struct coverage_found f = {.class_state = c->state};
	int err = nmethod_names(k->m, &k->t->layout, k->names, &nm);

	for (uint32_t i = 0; !err && i < k->nspecs; i++) {
		/* The address of an entry says nothing here. */
		nm.m.entry = spec_entry(k->specs[i]);
		if (!fits[i] || !spec_match(k->specs[i], &nm.m))
			continue;
		if (!f.st.method)
			err = method_state_read(k->m, &k->t->layout, method, &f.st);
		if (err || f.st.old ||
		    (spec_is_static(k->specs[i]) && !(f.st.access & METHOD_STATIC)))
			continue;
		f.spec = i;
		f.m = nm.m;
		err = found_add(k, &f);
	}
	return err == -EPROTO || err == -EFAULT ? 0 : err;
}

static int look_at_methods(struct coverage_look *k, const bool *fits, const struct class_entry *c)
{
	_cleanup_free_ uint64_t *methods = NULL;
	int err = 0, n = class_methods(k->m, &k->t->layout, c->methods, &methods);

	for (int i = 0; i < n && !err; i++)
		err = look_at_method(k, fits, c, methods[i]);
	if (n == -EPROTO || n == -EFAULT)
		return 0;
	return n < 0 ? n : err;
}

static int look_at_class(void *arg, const struct class_entry *c)
{
	struct coverage_look *k = arg;
	bool fits[SPECS_MAX], any = false;

	k->nclasses++;
	for (size_t i = 0; i < k->nspecs; i++)
		any |= fits[i] = class_is(k, i, c);
	return any ? look_at_methods(k, fits, c) : 0;
}

static int search_class(void *arg, const struct class_entry *c)
{
	struct coverage_look *k = arg;
	bool fits[SPECS_MAX], any = false;

	k->nsearched++;
	for (size_t i = 0; i < k->nspecs; i++)
		any |= fits[i] = class_fits(k, i, c);
	return any ? look_at_methods(k, fits, c) : 0;
}

static bool has_wildcards(const struct coverage_look *k)
{
	bool any = false;
	size_t len;

	for (size_t i = 0; i < k->nspecs; i++)
		any |= !spec_names_class(k->specs[i], &len);
	return any;
}

/* What has gone meanwhile, or took too long, is no error. */
static int walk(struct coverage_look *k, uint64_t deadline_ns,
		int (*fn)(void *arg, const struct class_entry *c), bool *all)
{
	int err = classes_walk(k->t->mem, k->m, &k->t->layout, deadline_ns, fn, k);

	*all = err == 0;
	return err == -ETIMEDOUT || err == -E2BIG || err == -EPROTO || err == -EFAULT ? 0 : err;
}

/* Wildcards may mean any class and all its methods: they get half of the time at most. */
static int search(struct coverage_look *k, uint64_t budget_ns)
{
	struct budget half;
	int err;

	budget_begin(&half, budget_ns / 2);
	err = walk(k, k->deadline_ns - WALL_FACTOR * budget_ns / 2, search_class, &k->all_searched);
	budget_end(&half);
	return err;
}

static int found_cmp(const void *va, const void *vb)
{
	const struct coverage_found *a = va, *b = vb;
	int order = (a->spec > b->spec) - (a->spec < b->spec);

	if (!order)
		order = strcmp(a->m.klass, b->m.klass);
	if (!order)
		order = strcmp(a->m.name, b->m.name);
	return order ? order : strcmp(a->m.desc, b->m.desc);
}

/* The Method*s in rising order, each once. */
static size_t method_list(const struct coverage_look *k, uint64_t *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < k->nfound; i++)
		ret[i] = k->found[i].st.method;
	qsort(ret, k->nfound, sizeof(*ret), compare_u64);
	for (size_t i = 0; i < k->nfound; i++)
		if (!n || ret[n - 1] != ret[i])
			ret[n++] = ret[i];
	return n;
}

/* Which bodies are in use, of each method of @methods; @bits: a byte for each, bit 7 for a loop. */
static void mark_bodies(const struct coverage_look *k, const uint64_t *methods, size_t n,
			uint8_t *bits)
{
	for (size_t i = 0; i < symmap_count(k->map); i++) {
		const struct nmethod *nm = symmap_at(k->map, i);
		const uint64_t *at =
			bsearch(&nm->method_addr, methods, n, sizeof(*methods), compare_u64);

		if (at && nm->state == NMETHOD_IN_USE)
			bits[at - methods] |= nm->osr ? 0x80 : 1u << nm->level;
	}
}

static int look_at_code(struct coverage_look *k)
{
	_cleanup_free_ uint64_t *methods = calloc(k->nfound + 1, sizeof(*methods));
	_cleanup_free_ uint8_t *bits = calloc(k->nfound + 1, 1);
	size_t n;
	int err;

	if (!methods || !bits)
		return -ENOMEM;
	n = method_list(k, methods);
	mark_bodies(k, methods, n, bits);
	for (size_t i = 0; i < k->nfound; i++) {
		struct coverage_found *f = &k->found[i];
		const uint64_t *at =
			bsearch(&f->st.method, methods, n, sizeof(*methods), compare_u64);

		f->levels = bits[at - methods] & 0x1f;
		f->osr = bits[at - methods] & 0x80;
	}
	if (!n)
		return 0;
	err = inlined_find(k->t->mem, &k->t->layout, k->map, methods, n, k->deadline_ns,
			   &k->inlined);
	return err == -EOPNOTSUPP ? 0 : err;
}

/* Compiled methods that wildcards mean, where there was no time for all classes. */
static int look_at_compiled(struct coverage_look *k)
{
	_cleanup_free_ uint64_t *seen = calloc(k->nfound + 1, sizeof(*seen));
	size_t len, n = seen ? method_list(k, seen) : 0;
	int err = seen ? 0 : -ENOMEM;

	for (size_t i = 0; i < symmap_count(k->map) && !err; i++) {
		const struct nmethod *nm = symmap_at(k->map, i);
		struct class_entry c = {.state = CLASS_INITIALIZED};
		bool fits[SPECS_MAX];

		for (size_t s = 0; s < k->nspecs; s++)
			fits[s] = !spec_names_class(k->specs[s], &len);
		if (nm->state == NMETHOD_IN_USE && !nm->osr && nm->method_addr &&
		    !bsearch(&nm->method_addr, seen, n, sizeof(*seen), compare_u64))
			err = look_at_method(k, fits, &c, nm->method_addr);
	}
	return err == -E2BIG ? 0 : err;
}

void coverage_look_fini(struct coverage_look *k)
{
	inlined_fini(&k->inlined);
	free(k->found);
	name_cache_free(k->names);
	strpool_free(k->strings);
	mem_close(k->m);
}

int coverage_look(struct target *t, const struct symmap *map, struct spec *const *specs, size_t n,
		  uint64_t budget_ns, struct coverage_look *k)
{
	int err;

	*k = (struct coverage_look){.t = t,
				    .map = map,
				    .specs = specs,
				    .nspecs = n,
				    .deadline_ns = clock_ns() + WALL_FACTOR * budget_ns,
				    .all_methods = true,
				    .all_hints = true,
				    .strings = strpool_new()};
	if (k->strings)
		k->names = name_cache_new(k->strings);
	if (!k->names || mem_open_paged(t->mem, &k->m))
		return -ENOMEM;
	err = walk(k, k->deadline_ns, look_at_class, &k->all_classes);
	if (!err && has_wildcards(k))
		err = search(k, budget_ns);
	if (!err && has_wildcards(k) && !k->all_searched)
		err = look_at_compiled(k);
	if (k->nfound)
		qsort(k->found, k->nfound, sizeof(*k->found), found_cmp);
	return err ? err : look_at_code(k);
}
