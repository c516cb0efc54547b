// SPDX-License-Identifier: MIT
/* runtime.c - which runtime a target has, and what all have in common. See runtime.h. */
#include <stdarg.h>

#include "runtime/runtime.h"

_Static_assert(REFUSALS_MAX < EVENT_UNPROBED_MAX, "and one for what has no reason");

/* The first that recognises a target has it; the last takes whatever is left, and says what is
 * wrong. */
static const struct runtime_ops *const runtimes[] = {&image_runtime, &hotspot_runtime};

const struct runtime_ops *runtime_find(const struct target_request *t)
{
	size_t i = 0;

	while (i + 1 < ARRAY_SIZE(runtimes) && !runtimes[i]->recognise(t))
		i++;
	return runtimes[i];
}

void runtime_check_event(const struct runtime_out *out, enum check_result result, const char *what,
			 const char *fmt, ...)
{
	char text[FAIL_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	out->event(out->arg,
		   &(struct event){.kind = EVENT_CHECK,
				   .check = {.what = what, .result = result, .detail = text}});
}

void runtime_covered(void *arg, const struct coverage_event *ev)
{
	const struct runtime_look *l = arg;

	l->out->event(l->out->arg, &(struct event){.kind = EVENT_COVERED,
						   .ts_ns = clock_wall_ns(),
						   .pid = l->pid,
						   .coverage = *ev});
}

int runtime_attach(struct runtime *rt, const struct trace_request *req, struct fail *f)
{
	rt->begun_ns = clock_ns();
	rt->ops = runtime_find(&req->target);
	return rt->ops->attach(rt, req, f);
}

int runtime_remove(struct runtime *rt)
{
	int err, left;

	if (!rt->probes)
		return 0;
	rt->live = false;
	rt->ops->detach_begin(rt);
	err = probes_remove_all(rt->probes);
	rt->ops->detach_end(rt);
	left = probes_detach(rt->probes);
	return err ? err : left;
}

void runtime_close(struct runtime *rt)
{
	probes_close(take_ptr(rt->probes));
	if (rt->ops)
		rt->ops->close(rt);
	remote_close(take_ptr(rt->remote));
}

void runtime_unprobed_methods(const struct refusals *r, struct attached_event *ev, const char *rest)
{
	uint64_t left = ev->methods - MIN(ev->methods, ev->sites + refusals_count(r));

	for (size_t i = 0; i < r->n; i++)
		ev->unprobed[ev->nunprobed++] =
			(struct unprobed_methods){.count = r->v[i].count, .why = r->v[i].why};
	if (left)
		ev->unprobed[ev->nunprobed++] =
			(struct unprobed_methods){.count = left, .why = rest};
}

const char *runtime_klass(void *arg, const struct probe *p, uint64_t word, const char **why)
{
	struct runtime *rt = arg;

	return rt->ops->klass(rt, p, word, why);
}

int runtime_record(void *arg, const struct hp_record *rec, size_t size)
{
	struct runtime *rt = arg;

	return rt->events->record(rt->arg, rec, size);
}

void runtime_unprobed(void *arg, struct probe *p, const char *why)
{
	struct runtime *rt = arg;

	if (rt->live)
		rt->events->unprobed(rt->arg, p, why);
}
