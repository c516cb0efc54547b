// SPDX-License-Identifier: MIT
/*
 * session_jvm.c - tracing one JVM. See session_kind.h.
 *
 * Compile events come from codecache.c and lead to hotspot_probes.c.
 */
#include "runtime/hotspot/codecache.h"
#include "base/log.h"
#include "runtime/hotspot/hotspot_probes.h"
#include "engine/session_kind.h"
#include "runtime/hotspot/klass.h"

/* New nmethods of one round are diverted together; in so many steps if there are more. */
#define FRESH_MAX 256

/*
 * A class name read so long ago is read again: the class may have been unloaded and another one
 * loaded at its address. It takes at least a full collection to get there.
 */
#define KLASS_FRESH_NS (100 * NSEC_PER_MSEC)
/* A target whose names take more makes them up; methods are still named (NAMES_BYTES_MAX there). */
#define KLASS_NAMES_MAX (128u << 20)

struct jvm_session {
	struct target *t;
	struct codecache *codecache;
	struct hotspot_probes *probes;
	struct spec *specs[SPECS_MAX];
	size_t nspecs;
	int methods; /* matched at attach */
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

int session_open_target(pid_t pid, enum via via, struct remote **w_ret, struct target **ret)
{
	struct fail f = {0};
	int err = remote_open(pid, via, w_ret, &f);

	if (*f.text)
		log_err("%s", f.text);

	return err ? err : target_open_by(pid, (*w_ret)->view, ret);
}

/* Looking only, as anybody may who has the right to: that claims nothing, and disturbs nobody. */
int session_look_at(pid_t pid, enum via via, struct remote **w_ret, struct target **ret)
{
	if (via != VIA_PTRACE && via != VIA_DEFAULT)
		return session_open_target(pid, via, w_ret, ret);
	*w_ret = NULL;
	return target_open(pid, ret);
}

/* --- what the probes and the code cache tell
 * ------------------------------------------------------------- */

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
	struct session *s = arg;
	struct jvm_session *j = s->own;

	if (s->state != SESSION_LIVE)
		return;
	if (p->registered_ns) {
		uint64_t ns = p->sites[0]->live_ns - p->registered_ns;

		note_latency(&j->probe_latency, ns);
		log_debug("probe: %s.%s level %d: live %.3f ms after register_nmethod",
			  p->method.klass, p->method.name, p->level, (double)ns / 1e6);
	}
	session_changed(s, EVENT_PROBED, p, "compiled");
}

static void on_unprobed(void *arg, struct probe *p, const char *why)
{
	struct session *s = arg;

	if (s->state == SESSION_LIVE)
		session_changed(s, EVENT_UNPROBED, p, why);
}

static void on_refused(void *arg _unused_, const struct probe *p, const char *why)
{
	log_warn("%s.%s%s (level %d, compile id %u) is not probed: %s", p->method.klass,
		 p->method.name, p->method.desc, p->level, p->compile_id, why);
}

/* Divert what was compiled in this round, as far as it is still there. */
static void on_settled(void *arg)
{
	struct session *s = arg;
	struct jvm_session *j = s->own;
	const struct nmethod *nms[FRESH_MAX];
	uint64_t ns[FRESH_MAX];
	size_t n = 0;

	for (size_t i = 0; i < j->nfresh; i++) {
		const struct nmethod *now =
			symmap_find(codecache_map(j->codecache), j->fresh[i].addr);

		if (!now || now->gen != j->fresh[i].gen)
			continue;
		ns[n] = j->fresh_ns[i];
		nms[n++] = now;
	}
	j->nfresh = 0;
	if (n && s->state == SESSION_LIVE)
		hotspot_probes_install(j->probes, nms, n, ns);
}

static void on_compiled(void *arg, const struct nmethod *nm, uint64_t ts_ns)
{
	struct session *s = arg;
	struct jvm_session *j = s->own;

	if (s->state != SESSION_LIVE || !hotspot_probes_wants(j->probes, nm))
		return;
	if (j->nfresh == FRESH_MAX)
		on_settled(s);
	j->fresh[j->nfresh] = *nm;
	j->fresh_ns[j->nfresh++] = ts_ns;
}

static void on_retired(void *arg, const struct nmethod *nm, uint64_t ts_ns _unused_)
{
	struct session *s = arg;
	struct jvm_session *j = s->own;

	hotspot_probes_gone(j->probes, nm, "retired");
}

static void on_unloaded(void *arg, const struct nmethod *nm, uint64_t ts_ns _unused_)
{
	struct session *s = arg;
	struct jvm_session *j = s->own;

	hotspot_probes_gone(j->probes, nm, "unloaded");
}

static const struct probe_ops probe_ops = {
	.probed = on_probed,
	.unprobed = on_unprobed,
	.refused = on_refused,
	.record = session_record,
};

static const struct codecache_ops codecache_ops = {
	.compiled = on_compiled,
	.retired = on_retired,
	.unloaded = on_unloaded,
	.settled = on_settled,
};

/* --- attach ----------------------------------------------------------------------------------- */

static const char *klass_of_word(void *arg, uint64_t word)
{
	struct jvm_session *e = arg;
	const struct name_entry *known = names_get(&e->klasses, word);
	uint64_t now_ns = clock_ns(), klass;
	const char *name = NULL;

	if (known && now_ns - known->ts_ns < KLASS_FRESH_NS)
		return known->text;
	klass = klass_from_word(&e->t->layout, word);
	if (!klass || strpool_bytes(e->strings) > KLASS_NAMES_MAX ||
	    klass_name(e->t->mem, &e->t->layout, klass, e->strings, &name))
		return NULL;
	names_put(&e->klasses, word, name, now_ns);
	return name; /* the pool's */
}

/* Before anything is touched: a typing error must cost the target nothing. */
static int parse_specs(struct jvm_session *j, const struct trace_request *req)
{
	for (size_t i = 0; i < req->nspecs; i++) {
		struct fail f = {0};
		int err = spec_parse(req->specs[i], &j->specs[i], &f);

		if (err == -EINVAL)
			log_err("%s", f.text);
		if (err)
			return err;
		j->nspecs++;
	}
	return 0;
}

/* Probe what is compiled already. Return: how many nmethods matched, or an error. */
static int probe_existing(struct jvm_session *j)
{
	const struct symmap *map = codecache_map(j->codecache);
	size_t n = 0, total = symmap_count(map);
	const struct nmethod **nms = calloc(total + 1, sizeof(*nms));
	int err;

	if (!nms)
		return -ENOMEM;
	for (size_t i = 0; i < total; i++) {
		const struct nmethod *nm = symmap_at(map, i);

		if (nm->state == NMETHOD_IN_USE && hotspot_probes_wants(j->probes, nm))
			nms[n++] = nm;
	}
	err = hotspot_probes_install(j->probes, nms, n, NULL);
	free(nms);
	return err < 0 ? err : (int)n;
}

static int open_all(struct session *s, struct jvm_session *j, const struct trace_request *req)
{
	struct hotspot_probes_options opt = {.string_max = req->string_max,
					     .ring_bytes = req->ring_bytes,
					     .count_only = req->count_only,
					     .specs = j->specs,
					     .nspecs = req->nspecs};
	struct fail f = {0};
	int err = parse_specs(j, req);

	if (err == 0)
		err = session_open_target(req->target.pid, req->target.via, &s->remote, &j->t);
	if (err)
		return err;
	s->id = &j->t->id;
	s->decode.pid = j->t->id.pid;
	opt.remote = s->remote;
	err = hotspot_probes_open(j->t, &opt, &probe_ops, s, &j->probes, &f);
	if (*f.text)
		log_err("%s", f.text);
	if (err)
		return err;
	s->probes = hotspot_probes_set(j->probes);
	return codecache_open(j->t, s->loop, &codecache_ops, s, &j->codecache);
}

static int jvm_attach(struct session *s, const struct trace_request *req)
{
	struct jvm_session *j = calloc(1, sizeof(*j));
	int err;

	if (!j)
		return -ENOMEM;
	s->own = j;
	s->decode.klass = klass_of_word;
	s->decode.klass_arg = j;
	err = open_all(s, j, req);
	if (err)
		return err;
	j->strings = symmap_strings(codecache_map(j->codecache));
	j->methods = probe_existing(j);
	return MIN(j->methods, 0);
}

static void log_attach(const struct session *s, const struct jvm_session *j)
{
	struct probes_figures fig;

	probes_figures(s->probes, &fig);
	log_debug("attach: PID %d: attached in %.1f ms; map of %zu nmethods in %.1f ms (%s); "
		  "uprobes in "
		  "%.1f ms (%s, %s)",
		  s->id->pid, (double)(clock_ns() - s->start_ns) / 1e6,
		  symmap_count(codecache_map(j->codecache)),
		  (double)codecache_walk_ns(j->codecache) / 1e6,
		  codecache_source_name(codecache_source(j->codecache)),
		  (double)fig.attachment.attach_ns / 1e6,
		  fig.attachment.multi ? "uprobe_multi" : "one by one",
		  fig.attachment.nop == SLOT_NOP5 ? "nop5" : "nop1");
	log_debug("attach: one thread stood for %.3f ms to map the region, %.3f ms to change code; "
		  "no other thread was stopped",
		  (double)fig.attachment.region_paused_ns / 1e6, (double)fig.patch_paused_ns / 1e6);
}

static void jvm_attached(struct session *s, struct attached_event *ev)
{
	struct jvm_session *j = s->own;

	ev->methods = (uint64_t)j->methods;
	ev->sites = probes_live(s->probes);
	for (size_t i = 0; i < j->nspecs; i++)
		if (!hotspot_probes_matched(j->probes, i))
			ev->waiting[ev->nwaiting++] = spec_text(j->specs[i]);
	ev->via = s->remote->ops->name;
	ev->source = codecache_source_name(codecache_source(j->codecache));
}

static void jvm_notes(struct session *s)
{
	struct jvm_session *j = s->own;

	for (size_t i = 0; i < j->nspecs; i++)
		if (!hotspot_probes_matched(j->probes, i))
			log_info("'%s' matches no compiled method yet: waiting for it",
				 spec_text(j->specs[i]));
	log_attach(s, j);
}

static void log_latency(const struct latency *l)
{
	if (!l->n)
		return;
	qsort(l->ns, l->n, sizeof(*l->ns), compare_u64);
	log_debug("probe: %zu methods compiled while attached: live after register_nmethod in "
		  "%.3f ms (median), %.3f ms (worst)",
		  l->n, (double)l->ns[l->n / 2] / 1e6, (double)l->ns[l->n - 1] / 1e6);
}

static void jvm_free(struct session *s)
{
	struct jvm_session *j = s->own;

	if (!j)
		return;
	log_latency(&j->probe_latency);
	codecache_close(j->codecache);
	hotspot_probes_free(j->probes);
	target_close(j->t);
	names_fini(&j->klasses);
	free(j->probe_latency.ns);
	for (size_t i = 0; i < j->nspecs; i++)
		spec_free(j->specs[i]);
	free(j);
}

const struct session_kind session_jvm = {
	.attach = jvm_attach,
	.attached = jvm_attached,
	.notes = jvm_notes,
	.free = jvm_free,
};
