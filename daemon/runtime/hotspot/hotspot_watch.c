// SPDX-License-Identifier: MIT
/* hotspot_watch.c - follow the symbol map of a JVM. See hotspot_watch.h. */
#include "runtime/hotspot/hotspot_match.h"
#include "runtime/hotspot/hotspot_requests.h"
#include "runtime/hotspot/hotspot_watch.h"

struct watch {
	struct runtime_watch w; /* what others have of it */
	const struct runtime_out *out;
	const struct spec *spec; /* NULL: all */
	struct remote *remote;
	struct target *t;
	struct codecache *codecache;
};

static void tell(struct watch *w, enum event_kind kind, const struct nmethod *nm, uint64_t ts_ns)
{
	if (w->spec && !hotspot_match(w->spec, w->t->mem, &w->t->layout, nm))
		return;
	hotspot_send_method(w->out, nm, kind, ts_ns + clock_wall_ns() - clock_ns());
}

static void on_compiled(void *arg, const struct nmethod *nm, uint64_t ts_ns)
{
	tell(arg, EVENT_COMPILED, nm, ts_ns);
}

static void on_retired(void *arg, const struct nmethod *nm, uint64_t ts_ns)
{
	tell(arg, EVENT_RETIRED, nm, ts_ns);
}

static void on_unloaded(void *arg, const struct nmethod *nm, uint64_t ts_ns)
{
	tell(arg, EVENT_UNLOADED, nm, ts_ns);
}

static const struct codecache_ops ops = {
	.compiled = on_compiled,
	.retired = on_retired,
	.unloaded = on_unloaded,
};

static void watch_close(struct runtime_watch *base)
{
	struct watch *w = container_of(base, struct watch, w);

	codecache_close(w->codecache);
	target_close(w->t);
	remote_close(w->remote);
	free(w);
}

int hotspot_watch(const struct target_request *req, const struct spec *spec, struct loop *loop,
		  const struct runtime_out *out, struct runtime_watch **ret, struct fail *f)
{
	struct watch *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return -ENOMEM;
	w->w.close = watch_close;
	w->out = out;
	w->spec = spec;
	err = target_look(req, &w->remote, &w->t, f);
	if (err == 0)
		err = codecache_open(w->t, loop, &ops, w, &w->codecache, f);
	if (err) {
		watch_close(&w->w);
		return err;
	}
	w->w.id = &w->t->id;
	hotspot_send_map(out, codecache_map(w->codecache), w->t, spec, true);
	*ret = &w->w;
	return 0;
}
