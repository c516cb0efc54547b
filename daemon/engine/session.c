// SPDX-License-Identifier: MIT
/*
 * session.c - trace and detach. See session.h.
 *
 *   OPENING -> LIVE -> DETACHING -> (gone)
 *
 * The target's runtime brings the probes into place. Hits come from their ring buffer and become
 * events for the encoder (decode.c). The client being slow only stops the fetching: the ring then
 * fills up, and what does not fit is counted by the BPF program and told as "lost".
 */
#include "base/log.h"
#include "base/utf8.h"
#include "base/stop.h"
#include "engine/answer.h"
#include "engine/counting.h"
#include "engine/session.h"
#include "output/decode.h"
#include "proto/reply.h"
#include "runtime/runtime.h"

/* Records are fetched so often, whether or not the ring asked for it. */
#define FETCH_NS (10 * NSEC_PER_MSEC)
/* At most so many records in one go: other sources want their turn. */
#define FETCH_MAX 16384
#define LOST_NS	  (200 * NSEC_PER_MSEC)

/* What is seen of the methods is looked at so often, but takes at most a hundredth of the time. */
#define COVERAGE_NS   (2 * NSEC_PER_SEC)
#define COVERAGE_REST 100

/* Of a name in a note. */
#define NOTE_NAME_MAX 300

struct session {
	struct runtime rt;
	struct answer *a;

	uint64_t count_max, events, hits, lost, lost_ns;
	uint64_t unshown, unshown_told; /* fetched, but nobody reads, or not understood */
	bool paused;			/* too much is unsent: the ring is not looked at */
	bool deaf;			/* nobody reads: count, do not write */
	bool count_only;
	struct counting counting;
	struct decode decode;
	struct loop_source *ring_src, *fetch_timer, *pid_src, *duration_timer, *count_timer;
	struct loop_source *coverage_timer;
};

/* Is the process that the session is about, if it is about one, still there? */
static bool alive(const struct session *s)
{
	return !s->rt.id || proc_alive(s->rt.id);
}

/* --- events ----------------------------------------------------------------------------------- */

static struct event event_of(const struct session *s, enum event_kind kind, uint64_t mono_ns)
{
	return (struct event){
		.kind = kind, .ts_ns = mono_ns + s->decode.wall_offset_ns, .pid = s->decode.pid};
}

static void tell_change(struct session *s, enum event_kind kind, struct probe *p, const char *why)
{
	struct event ev = event_of(s, kind, clock_ns());

	ev.change = (struct change_event){.probe = p, .why = why};
	answer_event(s->a, &ev);
}

static void tell_lost_at(struct session *s, uint64_t count, const char *where)
{
	struct event ev = event_of(s, EVENT_LOST, s->lost_ns);

	ev.lost = (struct lost_event){.count = count, .where = where};
	if (count)
		answer_event(s->a, &ev);
}

static void tell_attached(struct session *s)
{
	struct event ev = event_of(s, EVENT_ATTACHED, clock_ns());
	const char *waiting[REQUEST_SPECS_MAX];

	ev.attached = (struct attached_event){.waiting = waiting};
	s->rt.ops->attached(&s->rt, &ev.attached);
	answer_event(s->a, &ev);
	reply_attached(&s->a->conn->out);
}

/* The last events, with what could not be written of those before. */
static void tell_detached(struct session *s, bool restored, const char *reason)
{
	uint64_t unwritten = answer_settle(s->a);
	struct event ev;

	s->lost_ns = clock_ns();
	tell_lost_at(s, unwritten, "output");
	ev = event_of(s, EVENT_DETACHED, clock_ns());

	ev.detached = (struct detached_event){.events = s->events - MIN(s->events, unwritten),
					      .hits = s->hits,
					      .lost = s->lost + s->unshown + unwritten,
					      .restored = restored,
					      .reason = reason};
	answer_event(s->a, &ev);
}

/* --- hits ------------------------------------------------------------------------------------- */

static void on_entry(struct session *s, const struct hp_record *rec, size_t size)
{
	const struct site *site;
	struct decode_view v;
	struct event ev;

	if (s->count_max && s->events == s->count_max)
		return;
	site = decode_check(rec, size, &v) ? NULL : probes_site(s->rt.probes, v.e->slot, v.e->gen);
	if (!site || s->deaf) {
		s->unshown++;
		return;
	}
	decode_call(&s->decode, site->probe, &v, &ev);
	answer_event(s->a, &ev);
	s->events++;
}

static int on_record(void *arg, const struct hp_record *rec, size_t size)
{
	struct session *s = arg;

	if (rec->kind == HP_ENTRY)
		on_entry(s, rec, size);
	else if (rec->kind == HP_THREAD)
		decode_thread(&s->decode, rec, size);
	/* One record's text may take hundreds of KiB: the rest waits until the client has read. */
	return s->deaf || !answer_full(s->a) ? 0 : -EAGAIN;
}

/* --- fetching --------------------------------------------------------------------------------- */

static void tell_lost(struct session *s)
{
	struct hp_slot_stat stat = probes_stat(s->rt.probes);

	s->hits = stat.hits;
	s->lost_ns = clock_ns();
	tell_lost_at(s, stat.lost - s->lost, "ringbuf");
	tell_lost_at(s, s->unshown - s->unshown_told, "client");
	s->lost = stat.lost;
	s->unshown_told = s->unshown;
}

static void fetch(struct session *s)
{
	uint64_t now_ns = clock_ns();
	bool full = answer_full(s->a);

	s->decode.wall_offset_ns = clock_wall_ns() - now_ns;
	if (!full)
		probe_bpf_consume(probes_bpf(s->rt.probes), FETCH_MAX);
	/* A ring that is not emptied stays readable: looking at it would be all we do. */
	if (full != s->paused)
		loop_mod(s->a->loop, s->ring_src, full ? 0 : EPOLLIN);
	s->paused = full;
	if (now_ns - s->lost_ns > LOST_NS)
		tell_lost(s);
	/* A broken connection shows as its end of stream, where the engine stops us. */
	conn_flush(s->a->conn);
}

static void on_fetch(void *arg, uint32_t events _unused_)
{
	struct session *s = arg;

	fetch(s);
	if (s->count_max && (s->count_only ? s->hits : s->events) >= s->count_max)
		session_stop(s, "count");
}

void session_resume(struct session *s)
{
	on_fetch(s, 0);
}

/* A look, and when the next one is due. */
static void look_at_coverage(struct session *s, enum runtime_coverage what)
{
	uint64_t begun_ns = clock_ns();

	s->rt.ops->coverage(&s->rt, what);
	loop_timer_set(s->coverage_timer,
		       MAX(COVERAGE_NS, COVERAGE_REST * (clock_ns() - begun_ns)));
}

static void on_coverage_timer(void *arg, uint32_t events _unused_)
{
	look_at_coverage(arg, RUNTIME_COVERAGE_CHANGES);
}

static void on_target_ended(void *arg, uint32_t events _unused_)
{
	session_stop(arg, "target exited");
}

static void on_duration(void *arg, uint32_t events _unused_)
{
	session_stop(arg, "duration");
}

static void tell_counts(struct session *s, bool final)
{
	struct event ev = event_of(s, EVENT_STAT, clock_ns());

	if (counting_tell(&s->counting, s->rt.probes, s->a, &ev, final))
		log_warn("out of memory: calls of each method are not told");
}

/* What a client that is behind does not get now is in the next interval. */
static void on_count_timer(void *arg, uint32_t events _unused_)
{
	struct session *s = arg;

	if (!answer_full(s->a))
		tell_counts(s, false);
}

/* --- attach and detach ------------------------------------------------------------------------ */

static int start_sources(struct session *s, const struct trace_request *req)
{
	struct loop *l = s->a->loop;

	s->ring_src = loop_add(l, probe_bpf_fd(probes_bpf(s->rt.probes)), EPOLLIN, on_fetch, s);
	s->fetch_timer = loop_timer(l, FETCH_NS, on_fetch, s);
	s->duration_timer = loop_timer(l, req->duration_ns, on_duration, s);
	s->coverage_timer = loop_timer(l, 0, on_coverage_timer, s);
	if (req->count_only)
		s->count_timer = loop_timer(l, req->interval_ns, on_count_timer, s);
	if (s->rt.id)
		s->pid_src = loop_add(l, s->rt.id->pidfd, EPOLLIN, on_target_ended, s);
	if (!s->ring_src || !s->fetch_timer || !s->duration_timer || !s->coverage_timer ||
	    (!s->pid_src && s->rt.id) || (!s->count_timer && req->count_only))
		return -errno;
	return 0;
}

static int attach(struct session *s, const struct trace_request *req, struct fail *f)
{
	int err;

	s->decode.wall_offset_ns = clock_wall_ns() - clock_ns();
	err = runtime_attach(&s->rt, req, f);
	s->decode.pid = s->rt.id ? s->rt.id->pid : 0;
	if (err == 0)
		err = start_sources(s, req);
	if (err)
		return err;
	s->rt.live = true;
	counting_begin(&s->counting);
	tell_attached(s);
	s->rt.ops->notes(&s->rt);
	conn_flush(s->a->conn);
	look_at_coverage(s, RUNTIME_COVERAGE_ALL);
	return 0;
}

/* What was called before the probes went still waits in the ring: nothing of it is forgotten. */
static void drain(struct session *s)
{
	int n;

	do {
		s->deaf = s->deaf || !answer_drain(s->a);
		n = probe_bpf_consume(probes_bpf(s->rt.probes), FETCH_MAX);
	} while (n > 0 || n == -EAGAIN);
	tell_lost(s);
	if (s->count_only)
		tell_counts(s, true);
}

/* Reverse order of attach(). @left: how what stays is told. Return: is nothing left in the target?
 */
static bool take_down(struct session *s, enum log_level left)
{
	struct runtime *rt = &s->rt;
	bool live;
	int err;

	loop_del(s->a->loop, s->ring_src);
	loop_del(s->a->loop, s->fetch_timer);
	loop_del(s->a->loop, s->pid_src);
	loop_del(s->a->loop, s->duration_timer);
	loop_del(s->a->loop, s->count_timer);
	loop_del(s->a->loop, s->coverage_timer);
	stop_set(NULL, NULL);
	live = rt->live;
	err = runtime_remove(rt);
	if (live)
		drain(s);
	/* Only its end excuses what could not be taken out: -ESRCH may also speak of one thread. */
	if (!err || !rt->id || !alive(s) ||
	    (err == -ESRCH && (rt->replaced || proc_ends_within(rt->id->pid, PROC_DYING_MS))))
		return true;
	if (err == -EBUSY)
		log_pid(left, rt->id->pid,
			"a thread is still executing in the slot region, which stays mapped, "
			"unused: the next attach or `hotprobe clean -p %d` removes it",
			rt->id->pid);
	else
		log_pid(left, rt->id->pid,
			"not everything could be taken out (%s): use `hotprobe clean -p %d`",
			remote_strerror(rt->remote, err), rt->id->pid);
	return false;
}

static void session_free(struct session *s)
{
	decode_fini(&s->decode);
	free(s);
}

void session_stop(struct session *s, const char *reason)
{
	struct answer *a = s->a;
	bool ended = !alive(s), restored;

	if (ended)
		reason = "target exited";
	restored = take_down(s, LOG_LVL_ERR);
	s->rt.ops->coverage(&s->rt, RUNTIME_COVERAGE_AGAIN);
	runtime_close(&s->rt);
	tell_detached(s, restored, reason);
	session_free(s);
	answer_done(a, ended ? STATUS_TARGET_ENDED : restored ? STATUS_OK : STATUS_FAILED);
}

static void on_probed(void *arg, struct probe *p, const char *why)
{
	tell_change(arg, EVENT_PROBED, p, why);
}

static void on_unprobed(void *arg, struct probe *p, const char *why)
{
	tell_change(arg, EVENT_UNPROBED, p, why);
}

/* For a person, whatever form the events have. */
static void note_coverage(pid_t pid, const struct coverage_event *c)
{
	const char *about = c->method ? c->method : c->spec, *quote = c->method ? "" : "'";
	size_t len = utf8_cut(about, strlen(about), NOTE_NAME_MAX);
	char pid_text[32] = "";

	if (pid)
		snprintf(pid_text, sizeof(pid_text), "PID %d: ", pid);
	log_msg(LOG_LVL_INFO, "%s%s%.*s%s%s: %s%s%s%s%s%s", pid_text, quote, (int)len, about,
		about[len] ? "..." : "", quote,
		c->method || !c->methods ? encoder_coverage(c->state) : "",
		c->method || !c->methods ? ": " : "", c->why, c->mean ? "; did you mean " : "",
		c->mean ? c->mean : "", c->mean ? "?" : "");
}

static void on_coverage(void *arg, const struct coverage_event *coverage)
{
	struct session *s = arg;
	struct event ev = event_of(s, EVENT_COVERAGE, clock_ns());

	ev.coverage = *coverage;
	answer_event(s->a, &ev);
	if (!coverage->again)
		note_coverage(ev.pid, coverage);
}

static const struct runtime_events events = {
	.coverage = on_coverage,
	.probed = on_probed,
	.unprobed = on_unprobed,
	.record = on_record,
};

enum status session_open(struct answer *a, const struct trace_request *req, struct session **ret)
{
	struct session *s = calloc(1, sizeof(*s));
	struct fail f = {0};
	enum status status;
	int err;

	if (!s)
		return answer_failed(a, -ENOMEM, NULL);
	*s = (struct session){.rt = {.loop = a->loop, .events = &events, .arg = s},
			      .a = a,
			      .count_max = req->count,
			      .count_only = req->count_only,
			      .decode = {.encoder = a->encoder, .klass = runtime_klass}};
	s->decode.klass_arg = &s->rt;
	err = attach(s, req, &f);
	status = answer_failed(a, err, &f);
	if (err == 0) {
		*ret = s;
		return STATUS_OK;
	}
	take_down(s, LOG_LVL_WARN);
	runtime_close(&s->rt);
	session_free(s);
	return status;
}
