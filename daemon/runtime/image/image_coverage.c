// SPDX-License-Identifier: MIT
/* image_coverage.c - what is seen of a native image's methods. See image_coverage.h. */
#include "base/budget.h"
#include "probe/guess.h"
#include "runtime/image/image_coverage.h"

#define TEXT_MAX 768

/* To guess what all SPECs may mean; a hundred thousand methods take some milliseconds each. */
#define GUESS_BUDGET_NS (200 * NSEC_PER_MSEC)

/* What the methods of the file say to a SPEC that none of them fits. */
struct search {
	const struct image_map *map;
	struct guess guess;
	const struct image_method *klass; /* the first of a class's methods */
	bool has_class, has_name;	  /* the SPEC's class is there; a method of its name too */
	struct nearest near;		  /* among the methods of that class */
};

static bool same_class(const struct search *s, const struct image_method *m)
{
	return m->klass == s->klass->klass;
}

/* Methods of a class lie together, as far as that goes: those behind are looked at. */
static bool has(void *arg, const char *method, struct nearest *near)
{
	const struct search *s = arg;
	const struct image_method *end = s->map->methods + s->map->n;

	for (const struct image_method *m = s->klass; m < end && same_class(s, m); m++) {
		if (glob_match(method, image_text(s->map, m->name)))
			return true;
		nearest_offer(near, image_text(s->map, m->name));
	}
	return false;
}

/* Return: 0; as budget_spend(): then there is more that was not looked at. */
static int search_all(struct search *s)
{
	int err = 0;

	for (uint32_t i = 0; i < s->map->n && !(err = budget_spend()); i++) {
		const struct image_method *m = &s->map->methods[i];
		const char *klass = image_text(s->map, m->klass);

		if (s->guess.exact && !strcmp(klass, s->guess.klass)) {
			const char *name = image_text(s->map, m->name);

			s->has_class = true;
			s->has_name |= glob_match(s->guess.method, name);
			nearest_offer(&s->near, name);
		} else if (!i || m->klass != m[-1].klass) {
			s->klass = m;
			guess_offer(&s->guess, klass, has, s);
		}
	}
	return err;
}

/* @why and @mean: TEXT_MAX bytes each. */
static void explain(const struct image *im, size_t i, char *why, char *mean)
{
	struct search *s = calloc(1, sizeof(*s));
	const char *mistake;

	mean[0] = '\0';
	snprintf(why, TEXT_MAX, "it means no method that has code in the image");
	if (!s)
		return;
	s->map = &im->map;
	guess_init(&s->guess, im->specs[i]);
	nearest_init(&s->near, s->guess.method);
	if (search_all(s)) {
		free(s);
		return;
	}
	mistake = guess_mistake(&s->guess);
	if (!s->has_class)
		guess_mean(&s->guess, mean, TEXT_MAX);
	if (mistake && !s->has_class)
		snprintf(why, TEXT_MAX, "%s", mistake);
	else if (s->has_name)
		snprintf(why, TEXT_MAX, "no %s of class %s has these parameters, or that address",
			 s->guess.method, s->guess.klass);
	else if (s->has_class && guess_is_constructor(s->guess.klass, s->guess.method))
		snprintf(why, TEXT_MAX, "a constructor is called <init>");
	else if (s->has_class)
		snprintf(why, TEXT_MAX,
			 "class %s has no method %s with code of its own: there is none, or it is "
			 "inlined into all its callers, or nothing calls it",
			 s->guess.klass, s->guess.method);
	else if (s->guess.exact)
		snprintf(
			why, TEXT_MAX,
			"no class %s has a method with code in the image: there is none, or all are "
			"inlined into their callers, or nothing calls them",
			s->guess.klass);
	if (s->has_class && !s->has_name && guess_is_constructor(s->guess.klass, s->guess.method))
		snprintf(mean, TEXT_MAX, "%s.<init>", s->guess.klass);
	else if (s->has_class && !s->has_name && nearest_found(&s->near))
		snprintf(mean, TEXT_MAX, "%s.%s", s->guess.klass, nearest_found(&s->near));
	free(s);
}

void image_coverage_hint(const struct image *im, size_t i, char *buf, size_t size)
{
	char why[TEXT_MAX], mean[TEXT_MAX];
	struct budget b;

	budget_begin(&b, GUESS_BUDGET_NS);
	explain(im, i, why, mean);
	budget_end(&b);
	snprintf(buf, size, "'%s': %s%s%s%s", spec_text(im->specs[i]), why,
		 *mean ? "; did you mean " : "", mean, *mean ? "?" : "");
}

/* Has a method of the names that the SPEC gives been called? */
static bool was_called(const struct spec *spec, const struct counts *counts)
{
	for (size_t i = 0; i < counts->n; i++) {
		const struct method *m = &counts->v[i]->method;
		struct glob g;

		if (counts->v[i]->total && glob_begin(&g, spec_pattern(spec)) &&
		    glob_feed(&g, m->klass) && glob_feed(&g, *m->klass ? "." : "") &&
		    glob_feed(&g, m->name) && glob_end(&g))
			return true;
	}
	return false;
}

void image_coverage_tell(const struct image *im, const struct counts *counts,
			 void (*event)(void *arg, const struct coverage_event *ev), void *arg)
{
	char why[TEXT_MAX], mean[TEXT_MAX];
	struct budget b;

	budget_begin(&b, GUESS_BUDGET_NS);
	for (size_t i = 0; i < im->nspecs; i++) {
		struct coverage_event ev = {.spec = spec_text(im->specs[i]), .why = why};

		if (im->best[i] == FIT_NOT) {
			explain(im, i, why, mean);
			ev.state = COVERAGE_NEVER;
			ev.mean = *mean ? mean : NULL;
		} else {
			snprintf(
				why, sizeof(why),
				"calls that enter its code are seen, but not those that were inlined "
				"when the image was built, which the image does not tell");
			ev.state = COVERAGE_PARTLY;
			ev.again = !counts || was_called(im->specs[i], counts);
		}
		event(arg, &ev);
	}
	budget_end(&b);
}
