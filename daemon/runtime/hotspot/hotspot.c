// SPDX-License-Identifier: MIT
/*
 * hotspot.c - probes in a HotSpot JVM. See runtime.h.
 *
 * Compile events come from codecache.c and lead to hotspot_probes.c.
 */
#include "base/budget.h"
#include "base/log.h"
#include "base/names.h"
#include "probe/refusals.h"
#include "runtime/hotspot/codecache.h"
#include "runtime/hotspot/coverage.h"
#include "runtime/hotspot/hotspot_probes.h"
#include "runtime/hotspot/hotspot_requests.h"
#include "runtime/hotspot/hotspot_watch.h"
#include "runtime/hotspot/klass.h"
#include "runtime/runtime.h"

/* New nmethods of one round are diverted together; in so many steps if there are more. */
#define FRESH_MAX 256

/*
 * A class name read so long ago is read again: the class may have been unloaded and another one
 * loaded at its address. It takes at least a full collection to get there.
 */
#define KLASS_FRESH_NS (100 * NSEC_PER_MSEC)
/* A target whose names take more makes them up; methods are still named (NAMES_BYTES_MAX there). */
#define KLASS_NAMES_MAX (128u << 20)

/* For a look at what is seen: while it goes on, and while somebody waits for the end. */
#define COVERAGE_BUDGET_NS     (400 * NSEC_PER_MSEC)
#define COVERAGE_BUDGET_END_NS (200 * NSEC_PER_MSEC)

struct hotspot {
	struct target *t;
	struct codecache *codecache;
	struct hotspot_probes *probes;
	struct coverage *coverage;
	struct spec *specs[SPECS_MAX];
	size_t nspecs;
	uint64_t methods; /* matched at attach */
	struct refusals refusals;
	struct strpool *strings;
	struct names klasses;		 /* klass word -> name */
	struct nmethod fresh[FRESH_MAX]; /* compiled, wanted, not yet diverted */
	uint64_t fresh_ns[FRESH_MAX];
	size_t nfresh;
	struct latency {
		uint64_t *ns;
		size_t n, cap;
	} probe_latency; /* register_nmethod to probe live */
};

/* --- what the probes and the code cache tell ------------------------------------------------- */

static void note_latency(struct latency *l, uint64_t ns)
{

	if (l->n == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 64;
		uint64_t *p = reallocarray(l->ns, cap, sizeof(*p));

		if (!p)
			return;
		l->ns = p;
		l->cap = cap;
	}
	l->ns[l->n++] = ns;
}

static void on_probed(void *arg, struct probe *p)
{
	struct runtime *rt = arg;
	struct hotspot *hs = rt->own;

	if (!rt->live)
		return;
	if (p->registered_ns) {
		uint64_t ns = p->sites[0]->live_ns - p->registered_ns;

		note_latency(&hs->probe_latency, ns);
		log_pid(LOG_LVL_DEBUG, rt->id->pid,
			"probe: %s.%s level %d: live %.3f ms after register_nmethod",
			p->method.klass, p->method.name, p->level, (double)ns / 1e6);
	}
	rt->events->probed(rt->arg, p, "compiled");
}

static void on_refused(void *arg, const struct probe *p, const char *why)
{
	struct runtime *rt = arg;
	struct hotspot *hs = rt->own;
	char name[REFUSALS_METHOD_MAX];

	snprintf(name, sizeof(name), "%s.%s", p->method.klass, p->method.name);
	refusals_add(&hs->refusals, name, why);
	log_pid(LOG_LVL_DEBUG, rt->id->pid, "%s.%s%s (level %d, compile id %u) is not probed: %s",
		p->method.klass, p->method.name, p->method.desc, p->level, p->compile_id, why);
}

static void say_refusals(void *arg, const char *text)
{
	struct runtime *rt = arg;

	log_pid(LOG_LVL_WARN, rt->id->pid, "%s", text);
}

/* Divert what was compiled in this round, as far as it is still there. */
static void on_settled(void *arg)
{
	struct runtime *rt = arg;
	struct hotspot *hs = rt->own;
	const struct nmethod *nms[FRESH_MAX];
	uint64_t ns[FRESH_MAX];
	size_t n = 0;

	for (size_t i = 0; i < hs->nfresh; i++) {
		const struct nmethod *now =
			symmap_find(codecache_map(hs->codecache), hs->fresh[i].addr);

		if (!now || now->gen != hs->fresh[i].gen)
			continue;
		ns[n] = hs->fresh_ns[i];
		nms[n++] = now;
	}
	hs->nfresh = 0;
	if (n && rt->live)
		hotspot_probes_install(hs->probes, nms, n, ns);
	refusals_tell_soon(&hs->refusals, say_refusals, rt);
}

static void on_compiled(void *arg, const struct nmethod *nm, uint64_t ts_ns)
{
	struct runtime *rt = arg;
	struct hotspot *hs = rt->own;

	if (!rt->live || !hotspot_probes_wants(hs->probes, nm))
		return;
	if (hs->nfresh == FRESH_MAX)
		on_settled(rt);
	hs->fresh[hs->nfresh] = *nm;
	hs->fresh_ns[hs->nfresh++] = ts_ns;
}

static void on_retired(void *arg, const struct nmethod *nm, uint64_t ts_ns _unused_)
{
	struct runtime *rt = arg;
	struct hotspot *hs = rt->own;

	hotspot_probes_gone(hs->probes, nm, "retired");
}

static void on_unloaded(void *arg, const struct nmethod *nm, uint64_t ts_ns _unused_)
{
	struct runtime *rt = arg;
	struct hotspot *hs = rt->own;

	hotspot_probes_gone(hs->probes, nm, "unloaded");
}

static const struct probe_ops probe_ops = {
	.probed = on_probed,
	.unprobed = runtime_unprobed,
	.refused = on_refused,
	.record = runtime_record,
};

static const struct codecache_ops codecache_ops = {
	.compiled = on_compiled,
	.retired = on_retired,
	.unloaded = on_unloaded,
	.settled = on_settled,
};

/* --- attach ----------------------------------------------------------------------------------- */

/* The name of the class at @klass; what is returned is the pool's. */
static const char *read_klass(struct hotspot *hs, uint64_t klass, const char **why)
{
	const char *name = NULL;
	int err = -ENOMEM;

	if (strpool_bytes(hs->strings) <= KLASS_NAMES_MAX)
		err = klass_name(hs->t->mem, &hs->t->layout, klass, hs->strings, &name);
	switch (err) {
	case 0:
		return name;
	case -ENOMEM:
		*why = "its class has no name: those of others fill hotprobe's memory";
		return NULL;
	case -ESRCH:
		*why = "the target ended before its class was named";
		return NULL;
	default:
		*why = "its class was unloaded before it was named";
		return NULL;
	}
}

static const char *hotspot_klass(struct runtime *rt, const struct probe *p, uint64_t word,
				 const char **why)
{
	struct hotspot *hs = rt->own;
	uint64_t klass = klass_from_word(&hs->t->layout, word), now_ns;
	const struct name_entry *known;
	const char *name;

	if (klass && klass == p->holder)
		return p->method.klass;
	known = names_get(&hs->klasses, word);
	now_ns = clock_ns();
	if (known && now_ns - known->ts_ns < KLASS_FRESH_NS)
		return known->text;
	if (!klass) {
		*why = "what stood in its header is no class";
		return NULL;
	}
	name = read_klass(hs, klass, why);
	if (name)
		names_put(&hs->klasses, word, name, now_ns);
	return name;
}

/* Before anything is touched: a typing error must cost the target nothing. */
static int parse_specs(struct hotspot *hs, const struct trace_request *req, struct fail *f)
{
	for (size_t i = 0; i < req->nspecs; i++) {
		int err = spec_parse(req->specs[i], &hs->specs[i], f);

		if (err)
			return err;
		hs->nspecs++;
	}
	return 0;
}

/* Probe what is compiled already. Return: 0; as hotspot_probes_install(). */
static int probe_existing(struct hotspot *hs, struct fail *f)
{
	const struct symmap *map = codecache_map(hs->codecache);
	size_t n = 0, total = symmap_count(map);
	_cleanup_free_ const struct nmethod **nms = calloc(total + 1, sizeof(*nms));
	struct budget b;
	int err = 0;

	if (!nms)
		return -ENOMEM;
	budget_begin(&b, MATCH_BUDGET_NS);
	for (size_t i = 0; i < total && !err; i++) {
		const struct nmethod *nm = symmap_at(map, i);

		if (nm->state == NMETHOD_IN_USE && hotspot_probes_wants(hs->probes, nm))
			nms[n++] = nm;
		err = budget_spend_bytes(hs->nspecs * MATCH_BYTES);
	}
	budget_end(&b);
	if (err == -E2BIG)
		fail_pid(f, err, hs->t->id.pid,
			 "matching the names of its %zu methods takes far more work than any real "
			 "JVM makes",
			 total);
	if (err)
		return err;
	hs->methods = n;
	err = hotspot_probes_install(hs->probes, nms, n, NULL);
	return MIN(err, 0);
}

static int open_all(struct runtime *rt, struct hotspot *hs, const struct trace_request *req,
		    struct fail *f)
{
	int err = parse_specs(hs, req, f);

	if (err == 0)
		err = target_open_via(&req->target, &rt->remote, &hs->t, f);
	if (err)
		return err;
	rt->id = &hs->t->id;
	err = hotspot_probes_open(hs->t, rt->remote, req, hs->specs, &probe_ops, rt, &hs->probes,
				  f);
	if (err)
		return err;
	rt->probes = hotspot_probes_set(hs->probes);
	return codecache_open(hs->t, rt->loop, &codecache_ops, rt, &hs->codecache, f);
}

static int hotspot_attach(struct runtime *rt, const struct trace_request *req, struct fail *f)
{
	struct hotspot *hs = calloc(1, sizeof(*hs));
	int err;

	if (!hs)
		return -ENOMEM;
	rt->own = hs;
	err = open_all(rt, hs, req, f);
	if (err)
		return err;
	hs->strings = symmap_strings(codecache_map(hs->codecache));
	hs->coverage = coverage_new(hs->t, hs->codecache, hs->specs, hs->nspecs);
	if (!hs->coverage)
		return -ENOMEM;
	return probe_existing(hs, f);
}

static void log_attach(const struct runtime *rt, const struct hotspot *hs)
{
	struct probes_figures fig;

	probes_figures(rt->probes, &fig);
	log_pid(LOG_LVL_DEBUG, rt->id->pid,
		"attached in %.1f ms; map of %zu nmethods in %.1f ms (%s); uprobes in %.1f ms (%s, "
		"%s)",
		(double)(clock_ns() - rt->begun_ns) / 1e6,
		symmap_count(codecache_map(hs->codecache)),
		(double)codecache_walk_ns(hs->codecache) / 1e6,
		codecache_source_name(codecache_source(hs->codecache)),
		(double)fig.attachment.attach_ns / 1e6,
		fig.attachment.multi ? "uprobe_multi" : "one by one",
		fig.attachment.nop == SLOT_NOP5 ? "nop5" : "nop1");
	log_pid(LOG_LVL_DEBUG, rt->id->pid,
		"one thread stood for %.3f ms to map the region, %.3f ms to change code; no other "
		"thread was stopped",
		(double)fig.attachment.region_paused_ns / 1e6, (double)fig.patch_paused_ns / 1e6);
}

static void hotspot_attached(struct runtime *rt, struct attached_event *ev)
{
	struct hotspot *hs = rt->own;

	ev->methods = hs->methods;
	ev->sites = probes_live(rt->probes);
	runtime_unprobed_methods(&hs->refusals, ev, "retired by the JVM meanwhile");
	for (size_t i = 0; i < hs->nspecs; i++)
		if (!hotspot_probes_matched(hs->probes, i))
			ev->waiting[ev->nwaiting++] = spec_text(hs->specs[i]);
	ev->via = rt->remote->ops->name;
	ev->source = codecache_source_name(codecache_source(hs->codecache));
}

static void hotspot_notes(struct runtime *rt)
{
	struct hotspot *hs = rt->own;

	refusals_tell(&hs->refusals, say_refusals, rt);
	log_attach(rt, hs);
}

/* --- what is seen ----------------------------------------------------------------------------- */

static void hotspot_coverage(struct runtime *rt, enum runtime_coverage what)
{
	static const enum coverage_tell tells[] = {
		[RUNTIME_COVERAGE_ALL] = COVERAGE_TELL_ALL,
		[RUNTIME_COVERAGE_CHANGES] = COVERAGE_TELL_CHANGES,
		[RUNTIME_COVERAGE_AGAIN] = COVERAGE_TELL_AGAIN,
	};
	struct hotspot *hs = rt->own;
	const struct counts *counts =
		what == RUNTIME_COVERAGE_AGAIN ? probes_count(rt->probes) : NULL;
	uint64_t begun_ns = clock_ns(), cpu_ns = clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
	int err = coverage_say(hs->coverage, tells[what], counts,
			       rt->live ? COVERAGE_BUDGET_NS : COVERAGE_BUDGET_END_NS,
			       rt->events->coverage, rt->arg);

	if (err && err != -ECANCELED && what != RUNTIME_COVERAGE_CHANGES)
		coverage_recall(hs->coverage, counts, rt->events->coverage, rt->arg);
	log_pid(LOG_LVL_DEBUG, rt->id->pid, "coverage: looked in %.1f ms, %.1f of CPU%s",
		(double)(clock_ns() - begun_ns) / 1e6,
		(double)(clock_read_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_ns) / 1e6,
		err ? ", in vain" : "");
}

/* --- leaving ---------------------------------------------------------------------------------- */

static void log_latency(pid_t pid, const struct latency *l)
{
	if (!l->n)
		return;
	qsort(l->ns, l->n, sizeof(*l->ns), compare_u64);
	log_pid(LOG_LVL_DEBUG, pid,
		"probe: %zu methods compiled while attached: live after register_nmethod in %.3f "
		"ms (median), %.3f ms (worst)",
		l->n, (double)l->ns[l->n / 2] / 1e6, (double)l->ns[l->n - 1] / 1e6);
}

static void hotspot_detach_begin(struct runtime *rt _unused_)
{
}

static void hotspot_detach_end(struct runtime *rt)
{
	struct hotspot *hs = rt->own;

	refusals_tell(&hs->refusals, say_refusals, rt);
}

static void hotspot_close(struct runtime *rt)
{
	struct hotspot *hs = rt->own;

	if (!hs)
		return;
	if (rt->id)
		log_latency(rt->id->pid, &hs->probe_latency);
	coverage_free(hs->coverage);
	codecache_close(hs->codecache);
	hotspot_probes_free(hs->probes);
	target_close(hs->t);
	names_fini(&hs->klasses);
	free(hs->probe_latency.ns);
	for (size_t i = 0; i < hs->nspecs; i++)
		spec_free(hs->specs[i]);
	free(hs);
}

/* Whatever no other runtime knows: opening it says what it is. */
static bool hotspot_recognise(const struct target_request *t _unused_)
{
	return true;
}

const struct runtime_ops hotspot_runtime = {
	.kind = "hotspot",
	.recognise = hotspot_recognise,
	.describe = hotspot_describe,
	.check = hotspot_check,
	.methods = hotspot_methods,
	.look = hotspot_look,
	.watch = hotspot_watch,
	.clean = hotspot_clean,
	.attach = hotspot_attach,
	.attached = hotspot_attached,
	.notes = hotspot_notes,
	.coverage = hotspot_coverage,
	.klass = hotspot_klass,
	.detach_begin = hotspot_detach_begin,
	.detach_end = hotspot_detach_end,
	.close = hotspot_close,
};
