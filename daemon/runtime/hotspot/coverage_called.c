// SPDX-License-Identifier: MIT
/* coverage_called.c - which methods have been called. See coverage_called.h. */
#include "base/hash.h"
#include "runtime/hotspot/coverage_called.h"

void coverage_called_init(struct coverage_called *c, const struct counts *counts)
{
	char title[COVERAGE_TITLE_MAX];

	*c = (struct coverage_called){.counts = counts};
	c->titles = counts ? calloc(counts->n + 1, sizeof(*c->titles)) : NULL;
	if (!c->titles)
		return;
	for (size_t i = 0; i < counts->n; i++) {
		if (!counts->v[i]->total)
			continue;
		coverage_title(&counts->v[i]->method, title, sizeof(title));
		c->titles[c->n++] = hash_text(HASH_BEGIN, title);
	}
	qsort(c->titles, c->n, sizeof(*c->titles), compare_u64);
}

void coverage_called_fini(struct coverage_called *c)
{
	free(c->titles);
	*c = (struct coverage_called){0};
}

static bool any_of(const struct counts *counts, const struct spec *spec)
{
	for (size_t i = 0; counts && i < counts->n; i++)
		if (counts->v[i]->total && spec_match(spec, &counts->v[i]->method))
			return true;
	return false;
}

bool coverage_called_has(const struct coverage_called *c, const struct spec *spec,
			 const struct coverage_event *ev)
{
	uint64_t h;

	if (!ev->method)
		return any_of(c->counts, spec);
	h = hash_text(HASH_BEGIN, ev->method);
	return c->n && bsearch(&h, c->titles, c->n, sizeof(h), compare_u64);
}
