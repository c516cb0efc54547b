// SPDX-License-Identifier: MIT
/*
 * coverage.c - what is seen of the methods that SPECs mean. See coverage.h.
 *
 *   coverage_look.c -> methods that SPECs mean, with their state and where they are compiled
 *                   -> reasons (coverage_why.c); SPECs that mean none: coverage_hint.c
 *                   -> events, if they are news
 */
#include "base/budget.h"
#include "base/hash.h"
#include "runtime/hotspot/coverage.h"
#include "runtime/hotspot/coverage_called.h"
#include "runtime/hotspot/coverage_hint.h"

/* So many methods of a SPEC are told one by one, and so many of all SPECs together. */
#define LIST_SPEC_MAX 8
#define LIST_ALL_MAX  64
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
	err = coverage_look(cv->t, codecache_map(cv->codecache), cv->specs, cv->nspecs, budget_ns,
			    &k);
	/* What an earlier look has found is better than half of a new one. */
	if (!err && (k.all_classes || !cv->nsaid))
		err = tell_all(&t, &k);
	else if (!err && tell != COVERAGE_TELL_CHANGES)
		recall(cv, &called, event, arg);
	coverage_called_fini(&called);
	budget_end(&b);
	coverage_look_fini(&k);
	return err;
}
