// SPDX-License-Identifier: MIT
/* watch.c - follow the symbol map of a target. See watch.h. */
#include "engine/watch.h"
#include "runtime/hotspot/codecache.h"
#include "base/log.h"
#include "engine/report.h"
#include "runtime/hotspot/hotspot_match.h"

struct watch {
	struct loop *loop;
	struct encoder *encoder;
	session_done_fn *done;
	void *arg;
	struct remote *remote;
	struct target *t;
	struct codecache *codecache;
	struct loop_source *pid_src;
	struct spec *spec; /* NULL: all */
};

static void tell(struct watch *w, enum event_kind kind, const struct nmethod *nm, uint64_t ts_ns)
{
	if (w->spec && !hotspot_match(w->spec, w->t->mem, &w->t->layout, nm))
		return;
	report_nmethod(w->encoder, nm, kind, ts_ns + clock_wall_ns() - clock_ns());
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

static void watch_free(struct watch *w)
{
	loop_del(w->loop, w->pid_src);
	codecache_close(w->codecache);
	target_close(w->t);
	remote_close(w->remote);
	spec_free(w->spec);
	free(w);
}

void watch_stop(struct watch *w)
{
	session_done_fn *done = w->done;
	void *arg = w->arg;
	bool alive = target_alive(w->t);

	watch_free(w);
	done(arg, alive ? STATUS_OK : STATUS_TARGET_ENDED);
}

static void on_target_ended(void *arg, uint32_t events _unused_)
{
	watch_stop(arg);
}

enum status watch_start(struct loop *loop, struct encoder *e, pid_t pid, enum via via,
			struct spec *spec, session_done_fn *done, void *arg, struct watch **ret)
{
	struct watch *w = calloc(1, sizeof(*w));
	const struct target_request req = {.pid = pid, .via = via};
	struct fail f = {0};
	char why[LOG_TEXT_MAX];
	enum status status;
	int err;

	if (!w) {
		spec_free(spec);
		log_err("out of memory");
		return STATUS_FAILED;
	}
	*w = (struct watch){.loop = loop, .encoder = e, .done = done, .arg = arg, .spec = spec};
	log_hold(why);
	err = target_look(&req, &w->remote, &w->t, &f);
	if (err == 0)
		err = codecache_open(w->t, loop, &ops, w, &w->codecache, &f);
	if (err == 0) {
		w->pid_src = loop_add(loop, w->t->id.pidfd, EPOLLIN, on_target_ended, w);
		err = w->pid_src ? 0 : -ENOMEM;
	}
	status = status_tell(err, pid, w->t != NULL, &f, why);
	if (err) {
		watch_free(w);
		return status;
	}
	report_map(e, codecache_map(w->codecache), w->t, w->spec);
	*ret = w;
	return STATUS_OK;
}
