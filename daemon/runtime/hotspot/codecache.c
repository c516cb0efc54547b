// SPDX-License-Identifier: MIT
/*
 * codecache.c - keep the symbol map equal to the target's code cache. See codecache.h.
 *
 * Data comes from the code heaps (codeheap.c) and the compile events of hooks (hooks.c), goes to
 * the map (symmap) and to the caller's callbacks. Nothing in the target changes here.
 */
#include "runtime/hotspot/codecache.h"
#include "base/budget.h"
#include "base/log.h"
#include "kernel/nmethod_bpf.h"
#include "runtime/hotspot/codeheap.h"
#include "runtime/hotspot/hooks.h"

_Static_assert(HP_NMETHOD_HDR_MAX == NMETHOD_HDR_MAX, "a compile event brings what decoding needs");

/*
 * A method is being made not entrant when its hook fires: the state changes a moment later. It is
 * looked at again after each of these pauses (a lock may be in the way, or the machine busy) and
 * then given up: the call may have been refused (already retired, or a race lost).
 */
static const uint64_t retire_checks_ns[] = {
	1 * NSEC_PER_MSEC,   5 * NSEC_PER_MSEC,	  20 * NSEC_PER_MSEC,
	100 * NSEC_PER_MSEC, 500 * NSEC_PER_MSEC, 2000 * NSEC_PER_MSEC,
};

#define RETIRING_MAX	 4096
#define RESCAN_PAUSE_NS	 (20 * NSEC_PER_MSEC)  /* at most so often, however fast events come */
#define RESCAN_TIMER_NS	 (250 * NSEC_PER_MSEC) /* when no hook tells */
#define RESCAN_PATROL_NS NSEC_PER_SEC	       /* when hooks tell of new code only */
/* 100 000 nmethods take some 0.2 s. */
#define WALK_BUDGET_NS (10 * NSEC_PER_SEC)
#define LOST_PAUSE_NS  (5 * NSEC_PER_SEC)
#define RESCAN_REST    4 /* times as long as the last walk took, at the least */

struct retiring {
	uint64_t addr;
	uint32_t gen;
	uint32_t check; /* index in retire_checks_ns */
	uint64_t due_ns, ts_ns;
};

struct codecache {
	struct target *t;
	struct loop *loop;
	const struct codecache_ops *ops;
	void *arg;

	struct symmap *map;
	struct name_cache *names;
	enum codecache_source source;
	uint64_t walk_ns;
	uint64_t walk_begun_ns, walk_done_ns; /* the last one */
	uint64_t rescan_due_ns;		      /* 0: none */
	uint64_t period_ns;		      /* of walks that nothing asks for; 0: none */
	bool names_full, too_much;	      /* said already */

	struct nmethod_bpf *bpf;
	struct loop_source *bpf_src, *retire_timer, *rescan_timer;
	uint64_t lost_seen, lost_told, lost_told_ns;
	bool live; /* callbacks may come */

	struct retiring *retiring;
	size_t nretiring;
	uint64_t retire_due_ns; /* what the timer is set to; 0: nothing */
};

const char *codecache_source_name(enum codecache_source s)
{
	static const char *const names[] = {"none", "symbols", "usdt", "timer"};

	return names[s];
}

/* --- the map ---------------------------------------------------------------------------------- */

static void map_remove(struct codecache *f, uint64_t addr, uint64_t ts_ns)
{
	struct nmethod old;

	if (symmap_remove(f->map, addr, &old) == 0 && f->live)
		f->ops->unloaded(f->arg, &old, ts_ns);
}

static int map_add(struct codecache *f, const struct nmethod *nm, uint64_t ts_ns)
{
	const struct nmethod *old, *added;
	uint8_t state_before;
	int err;

	/* Their end was missed: whoever has something on them must know. */
	while ((old = symmap_displaced(f->map, nm)))
		map_remove(f, old->addr, ts_ns);
	old = symmap_find(f->map, nm->addr);
	state_before = old ? old->state : NMETHOD_IN_USE;
	err = symmap_add(f->map, nm, &added);
	if (err < 0)
		return err;
	if (!f->live)
		return 0;
	if (err == 1)
		f->ops->compiled(f->arg, added, ts_ns);
	else if (state_before == NMETHOD_IN_USE && added->state != NMETHOD_IN_USE)
		f->ops->retired(f->arg, added, ts_ns);
	return 0;
}

struct walk {
	struct codecache *f;
	uint64_t ts_ns;
	uint64_t *seen; /* addresses of the nmethods met */
	size_t n, cap;
};

static int walk_one(const struct nmethod *nm, void *arg)
{
	struct walk *w = arg;

	if (w->n == w->cap) {
		size_t cap = w->cap ? 2 * w->cap : 4096;
		uint64_t *seen = reallocarray(w->seen, cap, sizeof(*seen));

		if (!seen)
			return -ENOMEM;
		w->seen = seen;
		w->cap = cap;
	}
	w->seen[w->n++] = nm->addr;
	return map_add(w->f, nm, w->ts_ns);
}

/* What the walk did not meet is gone. */
static void remove_unseen(struct walk *w)
{
	struct symmap *map = w->f->map;

	qsort(w->seen, w->n, sizeof(*w->seen), compare_u64);
	for (size_t i = symmap_count(map); i-- > 0;) {
		uint64_t addr = symmap_at(map, i)->addr;

		if (!bsearch(&addr, w->seen, w->n, sizeof(addr), compare_u64)) {
			map_remove(w->f, addr, w->ts_ns);
			i = MIN(i, symmap_count(map));
		}
	}
}

static int walk(struct codecache *f)
{
	struct walk w = {.f = f, .ts_ns = clock_ns()};
	struct budget b;
	int err;

	f->walk_begun_ns = w.ts_ns;
	budget_begin(&b, WALK_BUDGET_NS);
	err = codeheap_walk(f->t->mem, &f->t->layout, f->names, walk_one, &w);
	budget_end(&b);
	if (err == 0 && w.n)
		remove_unseen(&w);
	free(w.seen);
	f->walk_done_ns = clock_ns();
	return err;
}

/* Walk after @pause_ns, if none comes earlier: unceasing events must not put it off. */
static void rescan_in(struct codecache *f, uint64_t pause_ns)
{
	uint64_t rest_ns = RESCAN_REST * (f->walk_done_ns - f->walk_begun_ns);
	uint64_t now_ns = clock_ns(), due_ns = MAX(now_ns + pause_ns, f->walk_done_ns + rest_ns);

	if (f->rescan_due_ns && f->rescan_due_ns <= due_ns)
		return;
	f->rescan_due_ns = due_ns;
	loop_timer_set(f->rescan_timer, due_ns - now_ns);
}

/* --- events ----------------------------------------------------------------------------------- */

static void retire_timer_set(struct codecache *f, uint64_t due_ns)
{
	uint64_t now_ns = clock_ns();

	f->retire_due_ns = due_ns;
	loop_timer_set(f->retire_timer, !due_ns ? 0 : due_ns > now_ns ? due_ns - now_ns : 1);
}

static void retire_later(struct codecache *f, const struct nmethod *nm, uint64_t ts_ns)
{
	uint64_t due_ns = clock_ns() + retire_checks_ns[0];

	if (nm->state != NMETHOD_IN_USE)
		return;
	if (f->nretiring == RETIRING_MAX) {
		rescan_in(f, RESCAN_PAUSE_NS);
		return;
	}
	f->retiring[f->nretiring++] = (struct retiring){
		.addr = nm->addr,
		.gen = nm->gen,
		.due_ns = due_ns,
		.ts_ns = ts_ns,
	};
	if (!f->retire_due_ns || due_ns < f->retire_due_ns)
		retire_timer_set(f, due_ns);
}

/* Has it been retired by now? Return: true when there is nothing more to wait for. */
static bool retire_check(struct codecache *f, struct retiring *r, uint64_t now_ns)
{
	const struct nmethod *nm = symmap_find(f->map, r->addr);
	uint8_t state;

	if (!nm || nm->gen != r->gen || nm->state != NMETHOD_IN_USE)
		return true;
	if (now_ns < r->due_ns)
		return false;
	if (nmethod_state_read(f->t->mem, &f->t->layout, r->addr, &state))
		return true;
	if (state != NMETHOD_IN_USE) {
		symmap_set_state(f->map, r->addr, state);
		f->ops->retired(f->arg, nm, r->ts_ns);
		return true;
	}
	if (++r->check == ARRAY_SIZE(retire_checks_ns))
		return true;
	r->due_ns = now_ns + retire_checks_ns[r->check];
	return false;
}

static void on_retire_timer(void *arg, uint32_t events _unused_)
{
	struct codecache *f = arg;
	uint64_t now_ns = clock_ns(), next_ns = 0;
	size_t left = 0;

	for (size_t i = 0; i < f->nretiring; i++) {
		struct retiring *r = &f->retiring[i];

		if (retire_check(f, r, now_ns))
			continue;
		if (!next_ns || r->due_ns < next_ns)
			next_ns = r->due_ns;
		f->retiring[left++] = *r;
	}
	f->nretiring = left;
	retire_timer_set(f, next_ns);
}

static void on_register(struct codecache *f, const struct hp_nmethod *rec)
{
	struct nmethod nm;
	int err;

	/* The walk came later and met what is there: this one, or the next user of the address. */
	if (rec->h.ts_ns < f->walk_begun_ns && symmap_find(f->map, rec->addr))
		return;
	err = nmethod_decode(&f->t->layout, rec->addr, rec->hdr, rec->hdr_len, &nm);
	if (err == 0)
		err = nmethod_names(f->t->mem, &f->t->layout, f->names, &nm);
	if (err == 0)
		err = map_add(f, &nm, rec->h.ts_ns);
	if (err == -EFAULT || err == -EPROTO)
		log_pid(LOG_LVL_DEBUG, f->t->id.pid,
			"new nmethod at 0x%llx cannot be read: it may be gone already",
			(unsigned long long)rec->addr);
	if (err == -ENOMEM && !f->names_full) {
		log_pid(LOG_LVL_WARN, f->t->id.pid,
			"no room for more methods: new ones are not seen; trace it anew");
		f->names_full = true;
	}
}

/*
 * Is the nmethod that a record is about still the one in the map? The walk may have met the next
 * user of that address before the record of the last one's end is read.
 */
static bool is_current(struct codecache *f, const struct hp_nmethod *n)
{
	const struct nmethod *known = symmap_find(f->map, n->addr);
	struct nmethod nm;

	if (!known || nmethod_decode(&f->t->layout, n->addr, n->hdr, n->hdr_len, &nm))
		return known != NULL;
	return nm.compile_id == known->compile_id;
}

static int on_record(void *arg, const struct hp_record *rec, size_t size)
{
	struct codecache *f = arg;
	const struct hp_nmethod *n = (const struct hp_nmethod *)rec;

	if (size < sizeof(*n) || n->hdr_len > HP_NMETHOD_HDR_MAX)
		return 0;
	switch (rec->kind) {
	case HP_REGISTER:
		on_register(f, n);
		break;
	case HP_UNREGISTER:
		if (is_current(f, n))
			map_remove(f, n->addr, rec->ts_ns);
		break;
	case HP_RETIRE:
		if (is_current(f, n))
			retire_later(f, symmap_find(f->map, n->addr), rec->ts_ns);
		break;
	case HP_RESCAN:
		rescan_in(f, RESCAN_PAUSE_NS);
		break;
	}
	return 0;
}

static void settled(struct codecache *f)
{
	if (f->ops->settled)
		f->ops->settled(f->arg);
}

/* At once, and then now and again: a busy JVM may lose some every few milliseconds. */
static void tell_lost(struct codecache *f)
{
	uint64_t now_ns = clock_ns();

	if (f->lost_seen == f->lost_told ||
	    (f->lost_told && now_ns < f->lost_told_ns + LOST_PAUSE_NS))
		return;
	log_pid(LOG_LVL_INFO, f->t->id.pid,
		"%llu compile events were lost: reading the code heaps again",
		(unsigned long long)(f->lost_seen - f->lost_told));
	f->lost_told = f->lost_seen;
	f->lost_told_ns = now_ns;
}

static void on_bpf(void *arg, uint32_t events _unused_)
{
	struct codecache *f = arg;
	uint64_t lost;

	nmethod_bpf_consume(f->bpf);
	settled(f);
	lost = nmethod_bpf_lost(f->bpf);
	if (lost != f->lost_seen)
		rescan_in(f, RESCAN_PAUSE_NS);
	f->lost_seen = lost;
	tell_lost(f);
}

static void on_rescan(void *arg, uint32_t events _unused_)
{
	struct codecache *f = arg;
	int err;

	f->rescan_due_ns = 0;
	loop_timer_set(f->rescan_timer, 0);
	if (f->bpf)
		nmethod_bpf_consume(f->bpf); /* what is older than the walk comes before it */
	err = walk(f);
	if (err == -E2BIG && !f->too_much) {
		log_pid(LOG_LVL_WARN, f->t->id.pid,
			"its code heaps take far more work to read than any real JVM makes: not all "
			"changes are seen; trace it anew");
		f->too_much = true;
	}
	/* Caught while it was changing: again. A target that has ended is the loop's to notice. */
	if (err && err != -ESRCH && err != -ENOMEM)
		rescan_in(f, RESCAN_TIMER_NS);
	else if (f->period_ns)
		rescan_in(f, f->period_ns);
	settled(f);
}

/* --- opening ---------------------------------------------------------------------------------- */

static int hook(struct codecache *f, struct fail *fail)
{
	struct hooks h = {.n = 0};
	int err;

	hooks_by_symbol(&h, f->t->libjvm);
	f->source = CODECACHE_SYMBOLS;
	f->period_ns = h.retires && h.unregisters ? 0 : RESCAN_PATROL_NS;
	if (!h.registers) {
		hooks_by_usdt(&h, f->t->libjvm);
		f->source = h.n ? CODECACHE_USDT : CODECACHE_TIMER;
		f->period_ns = h.n ? 0 : RESCAN_TIMER_NS;
		log_pid(LOG_LVL_WARN, f->t->id.pid,
			"its libjvm.so has no symbols: new methods are noticed %s; "
			"install the JVM's debug symbols to see them at once",
			h.n ? "after publication (USDT)" : "every 250 ms (no USDT either)");
	}
	if (!h.n)
		return 0;
	err = nmethod_bpf_open(f->t->id.pid, f->t->info.libjvm_open, h.sites, h.n,
			       HP_NMETHOD_HDR_MAX, on_record, f, &f->bpf, fail);
	if (err)
		return err;
	f->bpf_src = loop_add(f->loop, nmethod_bpf_fd(f->bpf), EPOLLIN, on_bpf, f);
	return f->bpf_src ? 0 : -errno;
}

static int start(struct codecache *f, struct fail *fail)
{
	f->retiring = calloc(RETIRING_MAX, sizeof(*f->retiring));
	f->retire_timer = loop_timer(f->loop, 0, on_retire_timer, f);
	f->rescan_timer = loop_timer(f->loop, 0, on_rescan, f);
	if (!f->retiring || !f->retire_timer || !f->rescan_timer)
		return -errno;
	return hook(f, fail);
}

static const char *walk_error(int err)
{
	return err == -E2BIG ? "that takes far more work than any real JVM makes"
			     : fail_strerror(err);
}

int codecache_open(struct target *t, struct loop *loop, const struct codecache_ops *ops, void *arg,
		   struct codecache **ret, struct fail *fail)
{
	struct codecache *f = calloc(1, sizeof(*f));
	uint64_t start_ns = clock_ns();
	int err = -ENOMEM;

	if (!f)
		return -ENOMEM;
	*f = (struct codecache){.t = t, .loop = loop, .ops = ops, .arg = arg};
	f->map = symmap_new();
	if (f->map)
		f->names = name_cache_new(symmap_strings(f->map));
	if (f->names)
		err = loop ? start(f, fail) : 0;
	if (err == 0)
		start_ns = clock_ns(), err = walk(f);
	if (err) {
		if (err != -ECANCELED)
			fail_pid(fail, err, t->id.pid, "its code heaps cannot be read: %s",
				 walk_error(err));
		codecache_close(f);
		return err;
	}
	f->walk_ns = clock_ns() - start_ns;
	f->live = loop != NULL;
	if (f->period_ns)
		rescan_in(f, f->period_ns);
	*ret = f;
	return 0;
}

void codecache_close(struct codecache *f)
{
	if (!f)
		return;
	if (f->loop) {
		loop_del(f->loop, f->bpf_src);
		loop_del(f->loop, f->retire_timer);
		loop_del(f->loop, f->rescan_timer);
	}
	nmethod_bpf_close(f->bpf);
	name_cache_free(f->names);
	symmap_free(f->map);
	free(f->retiring);
	free(f);
}

struct symmap *codecache_map(struct codecache *f)
{
	return f->map;
}

enum codecache_source codecache_source(const struct codecache *f)
{
	return f->source;
}

uint64_t codecache_walk_ns(const struct codecache *f)
{
	return f->walk_ns;
}

struct name_cache *codecache_names(struct codecache *f)
{
	return f->names;
}
