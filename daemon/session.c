// SPDX-License-Identifier: MIT
/*
 * session.c - attach to a target, trace, detach. See session.h.
 *
 *   OPENING -> LIVE -> DETACHING -> (gone)
 *
 * Compile events come from follow.c and lead to install.c; hits come from install.c's ring buffer
 * and become JSON lines (trace_events.c). The client being slow only stops the fetching: the ring
 * then fills up, and what does not fit is counted by the BPF program and told as "lost".
 */
#include <poll.h>
#include <sys/syscall.h>

#include "session.h"
#include "follow.h"
#include "log.h"
#include "probe/install.h"
#include "trace_events.h"

/* Records are fetched so often, whether or not the ring asked for it. */
#define FETCH_NS (10 * NSEC_PER_MSEC)
/* New nmethods of one round are diverted together; in so many steps if there are more. */
#define FRESH_MAX 256
/* At most so many records in one go: other sources want their turn. */
#define FETCH_MAX 16384
/* More than this unsent, and fetching pauses until the client has read. */
#define OUT_MAX (4u << 20)
/* A process that is being killed is gone within this, unless the machine is very busy. */
#define DYING_WAIT_MS 300
#define LOST_NS (200 * NSEC_PER_MSEC)
/* A client that reads nothing for so long while we detach gets none of the events that wait. */
#define DRAIN_WAIT_MS 5000
enum session_state { SESSION_OPENING, SESSION_LIVE, SESSION_DETACHING };

struct session {
	enum session_state state;
	struct loop *loop;
	struct conn *conn;
	session_done_fn *done;
	void *done_arg;

	struct way *way;
	struct target *t;
	struct follow *follow;
	struct install *install;
	struct spec *specs[SPECS_MAX];
	size_t nspecs;
	uint64_t count_max, events, hits, lost, lost_ns;
	uint64_t unshown, unshown_told; /* fetched, but nobody reads, or not understood */
	bool paused;			/* too much is unsent: the ring is not looked at */
	bool deaf;			/* the client does not read: count, do not write */
	struct trace_events lines;
	struct nmethod fresh[FRESH_MAX]; /* compiled, wanted, not yet diverted */
	uint64_t fresh_ns[FRESH_MAX];
	size_t nfresh;
	struct latency {
		uint64_t *ns;
		size_t n, cap;
	} probe_latency; /* register_nmethod to probe live */

	struct loop_source *ring_src, *fetch_timer, *pid_src, *duration_timer;
};

enum status status_of(int err)
{
	switch (err) {
	case 0:
		return STATUS_OK;
	case -EINVAL:
		return STATUS_USAGE;
	case -EPERM:
	case -EACCES:
	case -EOPNOTSUPP:
		return STATUS_UNSUPPORTED;
	default:
		return STATUS_FAILED;
	}
}

/*
 * A process that is being killed is still there for a while, with its memory gone and its links
 * refused: whatever failed meanwhile failed because of that.
 */
static bool ended_soon(pid_t pid)
{
	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return fd < 0 || poll(&p, 1, DYING_WAIT_MS) > 0;
}

int session_open_target(pid_t pid, enum way_kind via, struct way **w_ret, struct target **ret)
{
	int err = way_open(pid, via, w_ret);

	return err ? err : target_open_by(pid, (*w_ret)->view, ret);
}

/* Looking only, as anybody may who has the right to: that claims nothing, and disturbs nobody. */
int session_look_at(pid_t pid, enum way_kind via, struct way **w_ret, struct target **ret)
{
	if (via != WAY_PTRACE && via != WAY_DEFAULT)
		return session_open_target(pid, via, w_ret, ret);
	*w_ret = NULL;
	return target_open(pid, ret);
}

enum status status_tell(int err, pid_t pid, const struct target *t, const char *why)
{
	log_release();
	/* A request that was wrong, or about a process that never was, has nothing to wait for. */
	if (err < 0 && err != -EINVAL && (t || err != -ESRCH) && ended_soon(pid)) {
		log_err("PID %d ended while it was being looked at", pid);
		return STATUS_TARGET_ENDED;
	}
	if (*why)
		log_err("%s", why);
	else if (err < 0)
		log_err("PID %d cannot be looked at: %s", pid, strerror(-err));
	return err < 0 ? status_of(err) : STATUS_OK;
}

/* --- hits ------------------------------------------------------------------------------------- */

static void on_entry(struct session *s, const struct hp_record *rec, size_t size)
{
	const struct site *site;
	struct entry_view v;

	if (s->count_max && s->events == s->count_max)
		return;
	site = entry_check(rec, size, &v) ? NULL : install_site(s->install, v.e->slot, v.e->gen);
	if (!site || s->deaf) {
		s->unshown++;
		return;
	}
	trace_event_entry(&s->lines, site, &v);
	s->events++;
}

static int on_record(void *arg, const struct hp_record *rec, size_t size)
{
	struct session *s = arg;

	if (rec->kind == HP_ENTRY)
		on_entry(s, rec, size);
	else if (rec->kind == HP_THREAD)
		trace_events_thread(&s->lines, rec, size);
	/* One record's text may take hundreds of KiB: the rest waits until the client has read. */
	return s->deaf || conn_pending(s->conn) < OUT_MAX ? 0 : -EAGAIN;
}

/* --- what install and follow tell ------------------------------------------------------------- */

static void note_latency(struct session *s, uint64_t ns)
{
	struct latency *l = &s->probe_latency;

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

static void on_probed(void *arg, const struct site *site)
{
	struct session *s = arg;

	if (s->state != SESSION_LIVE)
		return;
	if (site->registered_ns) {
		uint64_t ns = site->live_ns - site->registered_ns;

		note_latency(s, ns);
		log_debug("probe: %s.%s level %d: live %.3f ms after register_nmethod",
			  site->nm.klass, site->nm.name, site->nm.level, (double)ns / 1e6);
	}
	trace_event_site(&s->lines, "probed", site, "compiled");
}

static void on_unprobed(void *arg, const struct site *site, const char *why)
{
	struct session *s = arg;

	if (s->state == SESSION_LIVE)
		trace_event_site(&s->lines, "unprobed", site, why);
}

static void on_refused(void *arg _unused_, const struct nmethod *nm, const char *why)
{
	log_warn("%s.%s%s (level %d, compile id %u) is not probed: %s", nm->klass, nm->name,
		 nm->desc, nm->level, nm->compile_id, why);
}

/* Divert what was compiled in this round, as far as it is still there. */
static void on_settled(void *arg)
{
	struct session *s = arg;
	const struct nmethod *nms[FRESH_MAX];
	uint64_t ns[FRESH_MAX];
	size_t n = 0;

	for (size_t i = 0; i < s->nfresh; i++) {
		const struct nmethod *now = symmap_find(follow_map(s->follow), s->fresh[i].addr);

		if (!now || now->gen != s->fresh[i].gen)
			continue;
		ns[n] = s->fresh_ns[i];
		nms[n++] = now;
	}
	s->nfresh = 0;
	if (n && s->state == SESSION_LIVE)
		install_nmethods(s->install, nms, n, ns);
}

static void on_compiled(void *arg, const struct nmethod *nm, uint64_t ts_ns)
{
	struct session *s = arg;

	if (s->state != SESSION_LIVE || !install_wants(s->install, nm))
		return;
	if (s->nfresh == FRESH_MAX)
		on_settled(s);
	s->fresh[s->nfresh] = *nm;
	s->fresh_ns[s->nfresh++] = ts_ns;
}

static void on_retired(void *arg, const struct nmethod *nm, uint64_t ts_ns _unused_)
{
	struct session *s = arg;

	install_gone(s->install, nm, "retired");
}

static void on_unloaded(void *arg, const struct nmethod *nm, uint64_t ts_ns _unused_)
{
	struct session *s = arg;

	install_gone(s->install, nm, "unloaded");
}

static const struct install_ops install_ops = {
	.probed = on_probed,
	.unprobed = on_unprobed,
	.refused = on_refused,
	.record = on_record,
};

static const struct follow_ops follow_ops = {
	.compiled = on_compiled,
	.retired = on_retired,
	.unloaded = on_unloaded,
	.settled = on_settled,
};

/* --- fetching --------------------------------------------------------------------------------- */

static void tell_lost(struct session *s)
{
	uint64_t lost = 0;

	s->hits = 0;
	for (uint32_t slot = 1; slot < REGION_SLOTS; slot++) {
		struct hp_slot_stat stat = probe_bpf_stat(install_bpf(s->install), slot);

		s->hits += stat.hits;
		lost += stat.lost;
	}
	s->lost_ns = clock_ns();
	trace_event_lost(&s->lines, s->lost_ns, lost - s->lost, "ringbuf");
	trace_event_lost(&s->lines, s->lost_ns, s->unshown - s->unshown_told, "client");
	s->lost = lost;
	s->unshown_told = s->unshown;
}

static void fetch(struct session *s)
{
	uint64_t now_ns = clock_ns();
	bool full = conn_pending(s->conn) >= OUT_MAX;

	s->lines.wall_offset_ns = clock_wall_ns() - now_ns;
	if (!full)
		probe_bpf_consume(install_bpf(s->install), FETCH_MAX);
	/* A ring that is not emptied stays readable: looking at it would be all we do. */
	if (full != s->paused)
		loop_mod(s->loop, s->ring_src, full ? 0 : EPOLLIN);
	s->paused = full;
	if (now_ns - s->lost_ns > LOST_NS)
		tell_lost(s);
	/* A broken connection shows as its end of stream, where the engine stops us. */
	conn_flush(s->conn);
}

static void on_fetch(void *arg, uint32_t events _unused_)
{
	struct session *s = arg;

	fetch(s);
	if (s->count_max && s->events == s->count_max)
		session_stop(s, "count");
}

void session_resume(struct session *s)
{
	on_fetch(s, 0);
}

static void on_target_ended(void *arg, uint32_t events _unused_)
{
	session_stop(arg, "target exited");
}

static void on_duration(void *arg, uint32_t events _unused_)
{
	session_stop(arg, "duration");
}

/* --- attach and detach ------------------------------------------------------------------------ */

/* Before anything is touched: a typing error must cost the target nothing. */
static int parse_specs(struct session *s, const struct trace_request *req)
{
	if (req->nspecs > SPECS_MAX) {
		log_err("%zu SPECs are too many: at most %d, but each may hold wildcards",
			req->nspecs, SPECS_MAX);
		return -EINVAL;
	}
	for (size_t i = 0; i < req->nspecs; i++) {
		struct spec_error why;
		int err = spec_parse(req->specs[i], &s->specs[i], &why);

		if (err == -EINVAL)
			log_err("bad SPEC '%s': column %zu: %s", req->specs[i], why.column, why.why);
		if (err)
			return err;
		s->nspecs++;
	}
	return 0;
}

/* Probe what is compiled already. Return: how many nmethods matched, or an error. */
static int probe_existing(struct session *s)
{
	const struct symmap *map = follow_map(s->follow);
	size_t n = 0, total = symmap_count(map);
	const struct nmethod **nms = calloc(total + 1, sizeof(*nms));
	int err;

	if (!nms)
		return -ENOMEM;
	for (size_t i = 0; i < total; i++) {
		const struct nmethod *nm = symmap_at(map, i);

		if (nm->state == NMETHOD_IN_USE && install_wants(s->install, nm))
			nms[n++] = nm;
	}
	err = install_nmethods(s->install, nms, n, NULL);
	free(nms);
	return err < 0 ? err : (int)n;
}

static void attached_json(struct session *s, int methods)
{
	struct buf *b = trace_event_begin(&s->lines, "attached", clock_ns());
	const char *sep = "";

	buf_printf(b, ",\"methods\":%d,\"sites\":%zu,\"waiting\":[", methods,
		   install_live(s->install));
	for (size_t i = 0; i < s->nspecs; i++) {
		const char *text = spec_text(s->specs[i]);

		if (install_spec_matched(s->install, i))
			continue;
		buf_str(b, sep);
		json_str(b, text, strlen(text));
		sep = ",";
	}
	buf_printf(b, "],\"via\":\"%s\",\"source\":\"%s\"", s->way->ops->name,
		   follow_source_name(follow_source(s->follow)));
	trace_event_end(b);
	for (size_t i = 0; i < s->nspecs; i++) {
		if (!install_spec_matched(s->install, i))
			log_info("'%s' matches no compiled method yet: waiting for it",
				 spec_text(s->specs[i]));
	}
}

static int start_sources(struct session *s, uint64_t duration_ns)
{
	struct loop *l = s->loop;

	s->ring_src = loop_add(l, probe_bpf_fd(install_bpf(s->install)), EPOLLIN, on_fetch, s);
	s->fetch_timer = loop_timer(l, FETCH_NS, on_fetch, s);
	s->pid_src = loop_add(l, s->t->id.pidfd, EPOLLIN, on_target_ended, s);
	s->duration_timer = loop_timer(l, duration_ns, on_duration, s);
	return s->ring_src && s->fetch_timer && s->pid_src && s->duration_timer ? 0 : -ENOMEM;
}

static void log_attach(struct session *s, uint64_t start_ns)
{
	struct install_figures fig;

	install_figures(s->install, &fig);
	log_debug("attach: PID %d: attached in %.1f ms; map of %zu nmethods in %.1f ms (%s); uprobes in "
		  "%.1f ms (%s, %s)",
		  s->t->id.pid, (double)(clock_ns() - start_ns) / 1e6,
		  symmap_count(follow_map(s->follow)), (double)follow_walk_ns(s->follow) / 1e6,
		  follow_source_name(follow_source(s->follow)), (double)fig.rig.attach_ns / 1e6,
		  fig.rig.multi ? "uprobe_multi" : "one by one",
		  fig.rig.nop == SLOT_NOP5 ? "nop5" : "nop1");
	log_debug("attach: one thread stood for %.3f ms to map the region, %.3f ms to change code; "
		  "no other thread was stopped",
		  (double)fig.rig.region_paused_ns / 1e6, (double)fig.patch_paused_ns / 1e6);
}

static int attach(struct session *s, const struct trace_request *req)
{
	struct install_options opt = {.rig = {.string_max = req->string_max,
					      .ring_bytes = req->ring_bytes},
				      .count_only = req->count_only,
				      .specs = s->specs,
				      .nspecs = req->nspecs};
	uint64_t start_ns = clock_ns();
	int err, methods;

	s->lines.wall_offset_ns = clock_wall_ns() - start_ns;
	err = parse_specs(s, req);
	if (err == 0)
		err = session_open_target(req->pid, req->via, &s->way, &s->t);
	s->lines.t = s->t;
	opt.rig.way = s->way;
	if (err == 0)
		err = install_open(s->t, &opt, &install_ops, s, &s->install);
	if (err == 0)
		err = follow_open(s->t, s->loop, &follow_ops, s, &s->follow);
	if (err)
		return err;
	s->lines.strings = symmap_strings(follow_map(s->follow));
	methods = probe_existing(s);
	if (methods < 0)
		return methods;
	err = start_sources(s, req->duration_ns);
	if (err)
		return err;
	s->state = SESSION_LIVE;
	attached_json(s, methods);
	log_attach(s, start_ns);
	return 0;
}

static void log_latency(const struct session *s)
{
	const struct latency *l = &s->probe_latency;

	if (!l->n)
		return;
	qsort(l->ns, l->n, sizeof(*l->ns), compare_u64);
	log_debug("probe: %zu methods compiled while attached: live after register_nmethod in "
		  "%.3f ms (median), %.3f ms (worst)",
		  l->n, (double)l->ns[l->n / 2] / 1e6, (double)l->ns[l->n - 1] / 1e6);
}

/* Let the client read until it is not far behind. Return: false when it does not read. */
static bool wait_for_client(struct session *s)
{
	struct pollfd pfd = {.fd = s->conn->fd, .events = POLLOUT};

	while (conn_pending(s->conn) >= OUT_MAX) {
		int n = poll(&pfd, 1, DRAIN_WAIT_MS);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || conn_flush(s->conn))
			return false;
	}
	return true;
}

/* What was called before the probes went still waits in the ring: nothing of it is forgotten. */
static void drain(struct session *s)
{
	int n;

	do {
		s->deaf = s->deaf || !wait_for_client(s);
		n = probe_bpf_consume(install_bpf(s->install), FETCH_MAX);
	} while (n > 0 || n == -EAGAIN);
	tell_lost(s);
}

/* Reverse order of attach(). Return: is nothing left in the target? */
static bool take_down(struct session *s)
{
	int err = 0;

	s->state = SESSION_DETACHING;
	loop_del(s->loop, s->ring_src);
	loop_del(s->loop, s->fetch_timer);
	loop_del(s->loop, s->pid_src);
	loop_del(s->loop, s->duration_timer);
	if (s->install) {
		err = install_remove_all(s->install);
		if (s->follow)
			drain(s);
		int left = install_close(s->install);

		s->install = NULL;
		err = err ? err : left;
	}
	/* Only its end excuses what could not be taken out: -ESRCH may also speak of one thread. */
	if (!err || !target_alive(s->t) || (err == -ESRCH && ended_soon(s->t->id.pid)))
		return true;
	if (err == -EBUSY)
		log_warn("PID %d: a thread is still inside the slot region: it stays mapped, unused, "
			 "for the next attach or `hotprobe clean -p %d`",
			 s->t->id.pid, s->t->id.pid);
	else
		log_warn("PID %d: not all was taken out (%s): use `hotprobe clean -p %d`",
			 s->t->id.pid, way_why(s->way, err), s->t->id.pid);
	return false;
}

static void session_free(struct session *s)
{
	log_latency(s);
	follow_close(s->follow);
	target_close(s->t);
	way_close(s->way);
	trace_events_fini(&s->lines);
	free(s->probe_latency.ns);
	for (size_t i = 0; i < s->nspecs; i++)
		spec_free(s->specs[i]);
	free(s);
}

void session_stop(struct session *s, const char *reason)
{
	session_done_fn *done = s->done;
	void *arg = s->done_arg;
	bool ended = !target_alive(s->t), restored;
	struct buf *b;

	if (ended)
		reason = "target exited";
	restored = take_down(s);
	b = trace_event_begin(&s->lines, "detached", clock_ns());
	buf_printf(b, ",\"events\":%llu,\"hits\":%llu,\"lost\":%llu,\"restored\":%s,\"reason\":\"%s\"",
		   (unsigned long long)s->events, (unsigned long long)s->hits,
		   (unsigned long long)(s->lost + s->unshown),
		   restored ? "true" : "false", reason);
	trace_event_end(b);
	session_free(s);
	done(arg, ended ? STATUS_TARGET_ENDED : restored ? STATUS_OK : STATUS_FAILED);
}

enum status session_trace(struct loop *loop, struct conn *conn, const struct trace_request *req,
			  session_done_fn *done, void *arg, struct session **ret)
{
	struct session *s = calloc(1, sizeof(*s));
	char why[LOG_TEXT_MAX];
	enum status status;
	int err;

	if (!s) {
		log_err("out of memory");
		return STATUS_FAILED;
	}
	*s = (struct session){.loop = loop,
			      .conn = conn,
			      .done = done,
			      .done_arg = arg,
			      .count_max = req->count,
			      .lines = {.out = &conn->out}};
	log_hold(why);
	err = attach(s, req);
	status = status_tell(err, req->pid, s->t, why);
	if (err == 0) {
		*ret = s;
		return STATUS_OK;
	}
	take_down(s);
	session_free(s);
	return status;
}
