// SPDX-License-Identifier: MIT
/*
 * coverage.c - what is seen of the methods that SPECs mean. See coverage.h.
 *
 *   classes -> methods that a SPEC means, with their state          (coverage_found.h)
 *           -> compiled bodies of these, and bodies that hold copies (symbol map, inlined.c)
 *           -> reasons (coverage_why.c); SPECs that mean none: coverage_hint.c
 *           -> events, if they are news
 */
#include "base/budget.h"
#include "base/hash.h"
#include "runtime/hotspot/coverage.h"
#include "runtime/hotspot/coverage_called.h"
#include "runtime/hotspot/coverage_hint.h"

/* So many methods of a SPEC are told one by one, and so many of all SPECs together. */
#define LIST_SPEC_MAX 8
#define LIST_ALL_MAX  64
/* Methods that are looked at in all. A SPEC that means more is told so. */
#define FOUND_MAX 65536

/* On a busy machine a look may take so many times its budget, by the clock. */
#define WALL_FACTOR 2

/* So much is remembered; more is said again. */
#define SAID_MAX 1024

/* What was said last of a method or a SPEC: hashes of what it is about and of what it says. */
struct said {
	uint64_t about, what;
	bool current;		  /* it was said, or would have been, by the last look */
	struct coverage_event ev; /* its texts are ours */
};

struct coverage {
	struct target *t;
	struct codecache *codecache;
	struct spec *const *specs;
	size_t nspecs;
	struct said *said;
	size_t nsaid;
};

struct coverage *coverage_new(struct target *t, struct codecache *codecache,
			      struct spec *const *specs, size_t n)
{
	struct coverage *cv = calloc(1, sizeof(*cv));

	if (cv)
		*cv = (struct coverage){
			.t = t, .codecache = codecache, .specs = specs, .nspecs = n};
	return cv;
}

static void said_fini(struct said *s)
{
	free((void *)s->ev.method);
	free((void *)s->ev.why);
	free((void *)s->ev.mean);
	for (size_t i = 0; i < COVERAGE_HOLDERS_MAX; i++)
		free((void *)s->ev.holders[i]);
}

void coverage_free(struct coverage *cv)
{
	if (!cv)
		return;
	for (size_t i = 0; i < cv->nsaid; i++)
		said_fini(&cv->said[i]);
	free(cv->said);
	free(cv);
}

/* --- looking ---------------------------------------------------------------------------------- */

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

static void look_fini(struct coverage_look *k)
{
	inlined_fini(&k->inlined);
	free(k->found);
	name_cache_free(k->names);
	strpool_free(k->strings);
	mem_close(k->m);
}

static int look(struct coverage *cv, uint64_t budget_ns, struct coverage_look *k)
{
	int err;

	*k = (struct coverage_look){.t = cv->t,
				    .map = codecache_map(cv->codecache),
				    .specs = cv->specs,
				    .nspecs = cv->nspecs,
				    .deadline_ns = clock_ns() + WALL_FACTOR * budget_ns,
				    .all_methods = true,
				    .all_hints = true,
				    .strings = strpool_new()};
	if (k->strings)
		k->names = name_cache_new(k->strings);
	if (!k->names || mem_open_paged(cv->t->mem, &k->m))
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

/* --- saying ----------------------------------------------------------------------------------- */

struct telling {
	struct coverage *cv;
	const struct coverage_look *k;
	enum coverage_tell tell;
	const struct coverage_called *called;
	void (*event)(void *arg, const struct coverage_event *ev);
	void *arg;
	size_t listed;
};

static char *copy(const char *s)
{
	return s ? strdup(s) : NULL;
}

/* Keep @ev. Out of memory its texts are "". */
static void said_set(struct said *s, uint64_t about, uint64_t what, const struct coverage_event *ev)
{
	said_fini(s);
	*s = (struct said){.about = about, .what = what, .current = true, .ev = *ev};
	s->ev.method = copy(ev->method);
	s->ev.why = copy(ev->why);
	s->ev.mean = copy(ev->mean);
	for (size_t i = 0; i < COVERAGE_HOLDERS_MAX; i++)
		s->ev.holders[i] = copy(ev->holders[i]);
}

/* What is known of @about, or room for it; NULL: there is none. */
static struct said *said_get(struct coverage *cv, uint64_t about)
{
	for (size_t i = 0; i < cv->nsaid; i++)
		if (cv->said[i].about == about)
			return &cv->said[i];
	if (cv->nsaid == SAID_MAX)
		return NULL;
	if (!cv->said)
		cv->said = calloc(SAID_MAX, sizeof(*cv->said));
	return cv->said ? &cv->said[cv->nsaid++] : NULL;
}

/* Remember it. Return: it was said before. How many calls there were is no news. */
static bool was_said(struct coverage *cv, const struct coverage_event *ev)
{
	const uint64_t facts[] = {ev->state, ev->levels, ev->nholders, ev->methods,
				  ev->interpreted};
	uint64_t about = hash_text(hash_text(HASH_BEGIN, ev->spec), ev->method);
	uint64_t what = hash_text(hash_bytes(HASH_BEGIN, facts, sizeof(facts)), ev->mean);
	struct said *s = said_get(cv, about);
	bool same;

	what = hash_bytes(what, ev->counts, sizeof(ev->counts));
	if (!s)
		return false;
	same = s->what == what;
	said_set(s, about, what, ev);
	return same;
}

/* Where calls were seen, and none is known to be hidden, it has been said. */
static bool is_old_news(const struct coverage *cv, const struct coverage_called *called,
			const struct coverage_event *ev)
{
	for (size_t i = 0; i < cv->nspecs && !ev->nholders; i++)
		if (!strcmp(spec_text(cv->specs[i]), ev->spec))
			return coverage_called_has(called, cv->specs[i], ev);
	return false;
}

static void tell(struct telling *t, struct coverage_event *ev)
{
	bool old = was_said(t->cv, ev);

	if (old && t->tell == COVERAGE_TELL_CHANGES)
		return;
	ev->again = old && t->tell == COVERAGE_TELL_AGAIN && is_old_news(t->cv, t->called, ev);
	t->event(t->arg, ev);
}

static void tell_method(struct telling *t, const struct coverage_found *f)
{
	const struct inlined *in = &t->k->inlined;
	struct coverage_reason r;
	char title[COVERAGE_TITLE_MAX], names[COVERAGE_HOLDERS_MAX][COVERAGE_TITLE_MAX];
	struct coverage_event ev = {
		.spec = spec_text(t->k->specs[f->spec]),
		.method = title,
		.levels = f->levels,
		.interpreted = !f->levels && !(f->st.access & METHOD_ABSTRACT),
		.holders_known = in->all && !in->silent,
	};
	const struct inlined_copy *copies = inlined_of(in, f->st.method, &ev.nholders);

	coverage_why(t->k, f, &r);
	coverage_title(&f->m, title, sizeof(title));
	for (size_t i = 0; i < MIN(ev.nholders, (size_t)COVERAGE_HOLDERS_MAX); i++) {
		coverage_title(&copies[i].holder->m, names[i], sizeof(names[i]));
		ev.holders[i] = names[i];
	}
	ev.state = r.state;
	ev.why = r.why;
	tell(t, &ev);
	t->listed++;
}

/* "120 methods: 14 seen, 80 not yet (...)" */
static void tell_counts(struct telling *t, size_t spec, const struct coverage_found *f, size_t n)
{
	static const char *const words[COVERAGE_STATES] = {
		[COVERAGE_SEEN] = "seen",
		[COVERAGE_PARTLY] =
			"seen in part (compiled, but perhaps also inlined, or intrinsics)",
		[COVERAGE_NOT_THIS_WAY] = "not seen this way (inlined only, or intrinsics)",
		[COVERAGE_NOT_YET] = "not yet (not compiled so far)",
		[COVERAGE_NEVER] = "never (abstract, or never compiled)",
	};
	struct coverage_event ev = {.spec = spec_text(t->k->specs[spec]), .methods = n};
	char why[COVERAGE_WHY_MAX];
	struct coverage_reason r;
	const char *sep = ": ";
	size_t len;
	bool whole = t->k->all_methods &&
		     (spec_names_class(t->k->specs[spec], &len) || t->k->all_searched);

	for (size_t i = 0; i < n; i++) {
		coverage_why(t->k, &f[i], &r);
		ev.counts[r.state]++;
	}
	len = (size_t)snprintf(why, sizeof(why), "%s%zu methods", whole ? "" : "at least ", n);
	for (int i = 0; i < COVERAGE_STATES; i++) {
		if (!ev.counts[i])
			continue;
		len += (size_t)snprintf(why + len, sizeof(why) - len, "%s%llu %s", sep,
					(unsigned long long)ev.counts[i], words[i]);
		sep = ", ";
	}
	/* Half of a look would be another half each time. */
	if (!whole && t->tell == COVERAGE_TELL_CHANGES)
		return;
	ev.state = ev.counts[COVERAGE_SEEN] == n ? COVERAGE_SEEN : COVERAGE_PARTLY;
	for (int i = COVERAGE_NOT_THIS_WAY; i < COVERAGE_STATES; i++)
		if (ev.counts[i] == n)
			ev.state = (enum coverage_state)i;
	ev.why = why;
	tell(t, &ev);
}

static void tell_none(struct telling *t, size_t spec, const struct coverage_reason *r)
{
	size_t len;
	struct coverage_event ev = {
		.spec = spec_text(t->k->specs[spec]),
		.state = r->state,
		.why = r->why,
		.mean = *r->mean ? r->mean : NULL,
	};

	/* What one look had no time to find is no change. */
	if (t->tell != COVERAGE_TELL_CHANGES ||
	    (spec_names_class(t->k->specs[spec], &len) ? t->k->all_hints : t->k->all_searched))
		tell(t, &ev);
}

/* The methods that SPEC @i means; @at: where they begin. Return: how many. */
static size_t found_of(const struct coverage_look *k, size_t i, size_t at)
{
	size_t n = 0;

	while (at + n < k->nfound && k->found[at + n].spec == i)
		n++;
	return n;
}

static int tell_all(struct telling *t, struct coverage_look *k)
{
	_cleanup_free_ struct coverage_reason *hints = calloc(k->nspecs + 1, sizeof(*hints));
	bool none[SPECS_MAX] = {false}, any_none = false;
	size_t at = 0, n;
	int err = 0;

	if (!hints)
		return -ENOMEM;
	for (size_t i = 0; i < k->nspecs; i++, at += n) {
		n = found_of(k, i, at);
		none[i] = !n;
		any_none |= none[i];
	}
	if (any_none)
		err = coverage_hint(k, none, hints);
	if (err)
		return err;
	for (size_t i = 0; i < t->cv->nsaid; i++)
		t->cv->said[i].current = false;
	at = 0;
	for (size_t i = 0; i < k->nspecs; i++, at += n) {
		n = found_of(k, i, at);
		if (!n)
			tell_none(t, i, &hints[i]);
		else if (n > LIST_SPEC_MAX || t->listed + n > LIST_ALL_MAX)
			tell_counts(t, i, k->found + at, n);
		else
			for (size_t j = 0; j < n; j++)
				tell_method(t, &k->found[at + j]);
	}
	return 0;
}

static void recall(struct coverage *cv, const struct coverage_called *called,
		   void (*event)(void *arg, const struct coverage_event *ev), void *arg)
{
	for (size_t i = 0; i < cv->nsaid; i++) {
		struct coverage_event ev = cv->said[i].ev;

		ev.why = ev.why ? ev.why : "";
		for (size_t h = 0; h < COVERAGE_HOLDERS_MAX; h++)
			ev.holders[h] = ev.holders[h] ? ev.holders[h] : "";
		ev.again = is_old_news(cv, called, &ev);
		if (cv->said[i].current)
			event(arg, &ev);
	}
}

void coverage_recall(struct coverage *cv, const struct counts *counts,
		     void (*event)(void *arg, const struct coverage_event *ev), void *arg)
{
	struct coverage_called called;

	coverage_called_init(&called, counts);
	recall(cv, &called, event, arg);
	coverage_called_fini(&called);
}

int coverage_say(struct coverage *cv, enum coverage_tell tell, const struct counts *counts,
		 uint64_t budget_ns, void (*event)(void *arg, const struct coverage_event *ev),
		 void *arg)
{
	struct coverage_called called;
	struct coverage_look k;
	struct telling t = {
		.cv = cv, .k = &k, .tell = tell, .called = &called, .event = event, .arg = arg};
	struct budget b;
	int err;

	budget_begin(&b, budget_ns);
	coverage_called_init(&called, counts);
	err = look(cv, budget_ns, &k);
	/* What an earlier look has found is better than half of a new one. */
	if (!err && (k.all_classes || !cv->nsaid))
		err = tell_all(&t, &k);
	else if (!err && tell != COVERAGE_TELL_CHANGES)
		recall(cv, &called, event, arg);
	coverage_called_fini(&called);
	budget_end(&b);
	look_fini(&k);
	return err;
}
