// SPDX-License-Identifier: MIT
/* counting.c - a trace that only counts. See counting.h. */
#include "engine/counting.h"

void counting_begin(struct counting *c)
{
	c->begun_ns = c->told_ns = clock_ns();
}

/* By calls since they were told, most first, then by name. */
static int by_calls(const void *va, const void *vb)
{
	const struct method_count *a = *(struct method_count *const *)va,
				  *b = *(struct method_count *const *)vb;
	uint64_t na = a->total - a->told, nb = b->total - b->told;
	int by_class = strcmp(a->method.klass, b->method.klass);

	if (na != nb)
		return na < nb ? 1 : -1;
	return by_class ? by_class : strcmp(a->method.name, b->method.name);
}

static void tell_each(struct method_count **v, size_t n, struct event *ev, struct answer *a)
{
	ev->stat.n = n;
	for (size_t i = n; i > 0 && v[i - 1]->total == v[i - 1]->told; i--)
		ev->stat.idle++;
	for (size_t i = 0; i < n; i++) {
		ev->stat.method = &v[i]->method;
		ev->stat.kind = v[i]->kind;
		ev->stat.index = i;
		ev->stat.count = v[i]->total - v[i]->told;
		ev->stat.total = v[i]->total;
		v[i]->told = v[i]->total;
		answer_event(a, ev);
	}
}

int counting_tell(struct counting *c, struct probes *probes, struct answer *a,
		  const struct event *ev, bool final)
{
	const struct counts *counts = probes_count(probes);
	_cleanup_free_ struct method_count **v = calloc(counts->n + 1, sizeof(*v));
	struct event each = *ev;
	uint64_t now_ns = clock_ns();

	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < counts->n; i++) {
		v[i] = counts->v[i];
		v[i]->told = final ? 0 : v[i]->told;
	}
	qsort(v, counts->n, sizeof(*v), by_calls);
	each.kind = EVENT_STAT;
	each.stat = (struct stat_event){.interval_ns = now_ns - (final ? c->begun_ns : c->told_ns),
					.final = final};
	c->told_ns = now_ns;
	tell_each(v, counts->n, &each, a);
	return 0;
}
