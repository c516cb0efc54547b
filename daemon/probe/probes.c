// SPDX-License-Identifier: MIT
/*
 * probes.c - the probes on one target. See probes.h.
 *
 * A probe is installed in this order, and removed in the exact reverse (activate last, deactivate
 * first):
 *
 *   1. a slot is taken; the site's kind looks at the code and writes the slot's code
 *   2. the region's table remembers which word is going to change, and what it was
 *   3. the BPF program is told what to copy (a plain store: its map is mapped here)
 *   4. the uprobe on the slot is there already: one link covers all slots since attachment_open()
 *   5. the entry's first word is swapped, by a thread of the target, if it still is what it was
 *   6. the word and the slot's first byte are read back: a breakpoint, or the call that the
 *      kernel (6.18+) makes of a nop after its first hit. Anything else would be a probe that
 *      never fires, and is taken out again
 *
 * HotSpot may retire or free the method at any moment. Before step 5 the swap then fails; after
 * it HotSpot's own store wins: it never asks what was there (NativeJump::patch_verified_entry). In
 * neither case does a retired method come back to life. The slot rests until every thread was
 * seen outside (probe/slots.h).
 *
 * A site in place has no slot's code, and steps 4 and 5 are one: the kernel puts the uprobe on the
 * method's own code, in its file.
 */
#include "base/fds.h"
#include "base/log.h"
#include "probe/probes.h"
#include "probe/slots.h"
#include "region/patch.h"

/*
 * Records of a slot's former user may still wait in the ring when the slot gets its next one. So
 * many former users are kept; a power of two.
 */
#define FORMER_MAX 4096
_Static_assert((FORMER_MAX & (FORMER_MAX - 1)) == 0, "a power of two");
#define RECLAIM_PAUSE_NS (20 * NSEC_PER_MSEC)
/* So often a word in a file's text may change while it is put back. */
#define RESTORE_ROUNDS 8

_Static_assert(HP_SLOTS_MAX == REGION_SLOTS, "the BPF program knows every slot of a region");

struct probes {
	bool count_only; /* no events: only the counters of slots */
	const struct probe_ops *ops;
	void *arg;

	struct attachment *attachment;
	struct site_env env;
	struct probe_table table; /* those that are armed or live */
	struct slots slots;
	uint64_t reclaim_due_ns;	  /* not before then */
	struct site *owner[REGION_SLOTS]; /* last user of each slot, until its next one */
	struct site *former[FORMER_MAX];  /* those before, by gen % FORMER_MAX */
	struct hp_slot_stat former_stat;  /* of all of those before */
	struct counts counts;
	uint32_t gen;
	size_t nlive, nlive_sites;
	struct probes_figures fig;
};

/* --- opening ---------------------------------------------------------------------------------- */

static int open_all(struct probes *ps, const struct attachment_target *t,
		    const struct hp_config *config, size_t ring_bytes, struct fail *f)
{
	int err = probe_table_init(&ps->table);

	ps->env.decoder = insn_decoder_new();
	if (err || !ps->env.decoder)
		return -ENOMEM;
	err = attachment_open(t, config, ring_bytes, ps->ops->record, ps->arg, &ps->attachment, f);
	if (err)
		return err;
	/* Without uprobe_multi a slot of the region costs a uprobe of its own. */
	slots_init(&ps->slots,
		   ps->attachment->fig.multi ? REGION_SLOTS : ATTACHMENT_SINGLE_MAX + 1);
	ps->env.mem = t->mem;
	ps->env.file_text = t->file_text;
	ps->env.region = ps->attachment->regions[0];
	ps->env.bpf = ps->attachment->bpf;
	return 0;
}

int probes_open(const struct attachment_target *t, const struct hp_config *config,
		const struct trace_request *req, const struct probe_ops *ops, void *arg,
		struct probes **ret, struct fail *f)
{
	struct probes *ps = calloc(1, sizeof(*ps));
	int err;

	if (!ps)
		return -ENOMEM;
	*ps = (struct probes){.count_only = req->count_only, .ops = ops, .arg = arg};
	err = open_all(ps, t, config, req->ring_bytes, f);
	if (err) {
		probes_close(ps);
		return err;
	}
	*ret = ps;
	return 0;
}

const struct site_env *probes_env(const struct probes *ps)
{
	return &ps->env;
}

/* --- slots ------------------------------------------------------------------------------------ */

/*
 * To look where every thread is takes up to a millisecond, and thousands of methods may ask for a
 * slot in a row: not again at once.
 */
static bool reclaim(struct probes *ps)
{
	int freed;

	if (!ps->env.region || clock_ns() < ps->reclaim_due_ns)
		return false;
	freed = slots_reclaim(&ps->slots, ps->attachment->regions, ps->attachment->nregions);
	ps->reclaim_due_ns = freed > 0 ? 0 : clock_ns() + RECLAIM_PAUSE_NS;
	return freed > 0;
}

static uint32_t take_slot(struct probes *ps)
{
	uint32_t slot = slots_take(&ps->slots);

	return slot == SLOT_NONE && reclaim(ps) ? slots_take(&ps->slots) : slot;
}

bool probes_room(struct probes *ps)
{
	return slots_have(&ps->slots) || reclaim(ps);
}

static void stat_add(struct hp_slot_stat *sum, const struct hp_slot_stat *s)
{
	sum->hits += s->hits;
	sum->lost += s->lost;
}

/* The slot's last user may still be in records under way; what it has counted is kept. */
static void set_owner(struct probes *ps, struct site *s)
{
	struct site *old = ps->owner[s->slot];

	if (old) {
		struct hp_slot_stat stat = old->kind->stat(old, &ps->env);

		stat_add(&ps->former_stat, &stat);
		if (old->probe->count)
			old->probe->count->gone += stat.hits;
		site_free(ps->former[old->gen % FORMER_MAX]);
		ps->former[old->gen % FORMER_MAX] = old;
	}
	ps->owner[s->slot] = s;
}

/* --- arming ----------------------------------------------------------------------------------- */

/* Step 1 and 2. */
static int write_slot(struct probes *ps, struct site *s)
{
	uint8_t code[SLOT_CODE];
	size_t len;
	int err;

	if (!s->kind->in_place && !attachment_slot_ready(ps->attachment, s->region, s->slot))
		return -ENOSPC;
	err = s->kind->emit(s, &ps->env, code, &len);
	if (err || !len)
		return err;
	region_write_code(s->region, s->slot, code, len);
	*region_slot_entry(s->region, s->slot) = site_region_slot(s);
	return 0;
}

static int arm_site(struct probes *ps, struct site *s)
{
	struct hp_slot_spec want;
	int err;

	s->region = s->kind->in_place ? NULL : attachment_region(ps->attachment, s->addr);
	if (!s->region && !s->kind->in_place)
		return -ERANGE;
	s->slot = take_slot(ps);
	if (s->slot == SLOT_NONE)
		return -ENOSPC;
	err = write_slot(ps, s);
	if (err) {
		slots_return(&ps->slots, s->slot);
		return err;
	}
	s->gen = ++ps->gen;
	s->before = probe_bpf_stat(ps->env.bpf, s->slot);
	site_slot_spec(s, &want);
	want.gen = s->gen;
	want.flags |= HP_SLOT_LIVE | (ps->count_only ? HP_SLOT_COUNT : 0);
	*probe_bpf_slot(ps->env.bpf, s->slot) = want;
	set_owner(ps, s);
	return 0;
}

static void forget_entry(const struct site *s)
{
	if (!s->kind->in_place)
		*region_slot_entry(s->region, s->slot) = (struct region_slot){0};
}

/* Undo arm_site() of a site that was never active. The site stays. */
static void release_site(struct probes *ps, struct site *s)
{
	probe_bpf_slot(ps->env.bpf, s->slot)->flags = 0;
	forget_entry(s);
	slots_return(&ps->slots, s->slot);
	ps->owner[s->slot] = NULL;
}

static void disarm_site(struct probes *ps, struct site *s)
{
	release_site(ps, s);
	if (s->probe->nsites == 1)
		probe_table_remove(&ps->table, s->probe);
	site_free(s);
}

int probes_arm(struct probes *ps, struct probe *p)
{
	p->count = counts_of(&ps->counts, &p->method);
	if (!p->count)
		return -ENOMEM;
	p->count->kind = p->kind;
	for (unsigned int i = 0; i < p->nsites; i++) {
		int err = arm_site(ps, p->sites[i]);

		if (!err)
			continue;
		while (i > 0)
			release_site(ps, p->sites[--i]);
		return err;
	}
	probe_table_add(&ps->table, p);
	return 0;
}

void probes_disarm(struct probes *ps)
{
	for (uint32_t slot = 1; slot < REGION_SLOTS; slot++)
		if (ps->owner[slot] && ps->owner[slot]->state == SITE_NEW)
			disarm_site(ps, ps->owner[slot]);
}

/* --- what a site's coming and going means for its probe --------------------------------------- */

static void site_is_live(struct probes *ps, struct site *s)
{
	s->state = SITE_LIVE;
	s->live_ns = clock_ns();
	ps->nlive_sites++;
	ps->nlive += ++s->probe->nlive == s->probe->nsites;
}

static void tell_probed(struct probes *ps, struct probe *p)
{
	if (p->nlive == p->nsites)
		ps->ops->probed(ps->arg, p);
}

/*
 * The site is no longer led to: its slot rests. The site stays for records under way.
 * @why: NULL for one that was never told of.
 */
static void site_is_over(struct probes *ps, struct site *s, enum site_state state, const char *why)
{
	struct probe *p = s->probe;
	bool was_live = p->nlive == p->nsites;

	s->state = state;
	ps->nlive_sites--;
	ps->nlive -= was_live;
	if (!--p->nlive)
		probe_table_remove(&ps->table, p);
	forget_entry(s);
	slots_rest(&ps->slots, s->slot);
	if (why && was_live)
		ps->ops->unprobed(ps->arg, p, why);
}

/* --- changing code ---------------------------------------------------------------------------- */

static int patch(struct probes *ps, struct patch_op *ops, size_t n)
{
	const struct attachment_target *t = &ps->attachment->t;
	uint64_t paused_ns = 0;
	int err;

	/* Its PID may be another's by now. */
	if (!proc_alive(t->id))
		return -ESRCH;
	err = patch_apply(ps->env.region, ops, n, &paused_ns);
	ps->fig.patch_paused_ns += paused_ns;
	ps->fig.patches++;
	if (err && err != -ESRCH && err != -EACCES)
		log_pid(LOG_LVL_DEBUG, t->id->pid, "its code cannot be changed: %s",
			remote_strerror(t->remote, err));
	return err;
}

/* @op puts back what of the word @seen is the site's. Return: false when there is nothing to be
 * done. */
static bool plan_back(const struct site *s, uint64_t seen, struct patch_op *op)
{
	const struct region_slot e = site_region_slot(s);

	*op = (struct patch_op){.addr = s->addr, .expect = seen};
	return region_word_back(s->region, &e, seen, &op->desire);
}

static bool leads_to_slot(struct probes *ps, const struct site *s)
{
	struct patch_op op;
	uint64_t word;

	return !mem_read(ps->env.mem, s->addr, &word, sizeof(word)) && plan_back(s, word, &op);
}

/*
 * Put @sites' words back, at most PATCH_BATCH_MAX. @ours: which of them were the sites' up to then.
 * In text of a file a word may still be, though it is not what it was made: then once more.
 */
static int restore_batch(struct probes *ps, struct site **sites, size_t n, bool *ours)
{
	_cleanup_free_ struct patch_op *ops = calloc(n, sizeof(*ops));
	_cleanup_free_ size_t *which = calloc(n, sizeof(*which));
	size_t left = n;
	int err = 0;

	if (!ops || !which)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		which[i] = i;
		ops[i] = (struct patch_op){sites[i]->addr, sites[i]->divert, sites[i]->orig, 0};
	}
	for (int round = 0; round < RESTORE_ROUNDS && left && !err; round++) {
		size_t again = 0;

		err = patch(ps, ops, left);
		for (size_t i = 0; i < left && !err; i++) {
			size_t k = which[i];

			ours[k] = ops[i].seen == ops[i].expect;
			if (ours[k] || !plan_back(sites[k], ops[i].seen, &ops[again]))
				continue;
			which[again++] = k;
		}
		left = err ? left : again;
	}
	return err ? err : left ? -EBUSY : 0;
}

/* Take the sites' words out again. Those the target has overwritten meanwhile are gone anyway. */
static int restore(struct probes *ps, struct site **sites, size_t n, const char *why)
{
	bool ours[PATCH_BATCH_MAX];
	int err = 0;

	for (size_t done = 0; done < n && err == 0; done += PATCH_BATCH_MAX) {
		size_t batch = MIN(n - done, (size_t)PATCH_BATCH_MAX);

		err = restore_batch(ps, sites + done, batch, ours);
		for (size_t i = 0; i < batch && err == 0; i++)
			site_is_over(ps, sites[done + i], ours[i] ? SITE_RESTORED : SITE_GONE,
				     ours[i] || !why ? why : "retired");
	}
	return err;
}

/* --- diverting -------------------------------------------------------------------------------- */

/* What was diverted but not read back. HotSpot may just have retired it, which is no news. */
static void take_back(struct probes *ps, struct site *s)
{
	if (leads_to_slot(ps, s))
		ps->ops->refused(ps->arg, s->probe, "no uprobe was found in the slot");
	restore(ps, &s, 1, NULL);
}

/* Nothing was written: the target retired it meanwhile, which is no news, or somebody else is at
 * it. */
static void not_swapped(struct probes *ps, struct site *s)
{
	if (ps->env.file_text)
		ps->ops->refused(ps->arg, s->probe, "somebody else is changing the code");
	disarm_site(ps, s);
}

/*
 * After an error a word may or may not have been swapped: the site counts as live, so that the
 * removal tries it.
 */
static void maybe_swapped(struct probes *ps, struct site *s, const struct patch_op *op, int err)
{
	site_is_live(ps, s);
	if (err != -ESRCH && op->seen != op->expect)
		ps->ops->refused(ps->arg, s->probe, remote_strerror(ps->attachment->t.remote, err));
}

/* Step 5 and 6. Return: how many of the sites were read back. */
static int divert_sites(struct probes *ps, struct site **sites, size_t n)
{
	_cleanup_free_ struct patch_op *ops = calloc(n + 1, sizeof(*ops));
	int err, live = 0;

	if (!ops)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		ops[i] = (struct patch_op){.addr = sites[i]->addr,
					   .expect = sites[i]->orig,
					   .desire = sites[i]->divert};
	err = patch(ps, ops, n);
	for (size_t i = 0; i < n; i++) {
		struct site *s = sites[i];

		if (err == -EACCES) {
			disarm_site(ps, s);
		} else if (err) {
			maybe_swapped(ps, s, &ops[i], err);
		} else if (ops[i].seen != ops[i].expect) {
			not_swapped(ps, s);
		} else {
			site_is_live(ps, s);
			if (s->kind->verify(s, &ps->env)) {
				tell_probed(ps, s->probe);
				live++;
			} else {
				take_back(ps, s);
			}
		}
	}
	return err ? err : live;
}

/* The sites of @n probes, one after the other. Return: how many there are. */
static size_t sites_of(struct probe **probes, size_t n, struct site **ret)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		for (unsigned int k = 0; k < probes[i]->nsites; k++)
			ret[count++] = probes[i]->sites[k];
	return count;
}

int probes_divert(struct probes *ps, struct probe **probes, size_t n)
{
	struct site *sites[PATCH_BATCH_MAX * PROBE_SITES_MAX];

	return divert_sites(ps, sites, sites_of(probes, n, sites));
}

/* --- in place --------------------------------------------------------------------------------- */

static void attach_failed(struct probes *ps, struct site *s, const char *why)
{
	ps->ops->refused(ps->arg, s->probe, why);
	disarm_site(ps, s);
}

/* One the kernel refuses fails them all: halves are tried until the culprits are alone. */
static void attach_some(struct probes *ps, pid_t pid, const char *path, struct site **sites,
			struct probe_place *places, size_t n)
{
	int err = probe_bpf_attach(ps->env.bpf, pid, path, places, n);

	if (!err) {
		for (size_t i = 0; i < n; i++) {
			site_is_live(ps, sites[i]);
			tell_probed(ps, sites[i]->probe);
		}
	} else if (n == 1) {
		attach_failed(ps, sites[0], fail_strerror(err));
	} else {
		attach_some(ps, pid, path, sites, places, n / 2);
		attach_some(ps, pid, path, sites + n / 2, places + n / 2, n - n / 2);
	}
}

int probes_attach(struct probes *ps, pid_t pid, const char *path, struct probe **probes, size_t n)
{
	_cleanup_free_ struct site **sites = calloc(n * PROBE_SITES_MAX + 1, sizeof(struct site *));
	_cleanup_free_ struct probe_place *places =
		calloc(n * PROBE_SITES_MAX + 1, sizeof(*places));
	size_t before = ps->nlive, count;

	if (!sites || !places)
		return -ENOMEM;
	count = sites_of(probes, n, sites);
	for (size_t i = 0; i < count; i++)
		places[i] = (struct probe_place){.offset = sites[i]->file_offset,
						 .slot = sites[i]->slot};
	if (count)
		attach_some(ps, pid, path, sites, places, count);
	return (int)(ps->nlive - before);
}

/* --- removing --------------------------------------------------------------------------------- */

static void site_gone(struct probes *ps, struct site *s, const char *why)
{
	/*
	 * A method that is unloaded with its class is freed without having been retired, and a map
	 * that is read while the target runs may miss one that lives: nothing may go on leading
	 * into a slot that rests. If this fails the site stays live for probes_remove_all().
	 */
	if (leads_to_slot(ps, s))
		restore(ps, &s, 1, why);
	else
		site_is_over(ps, s, SITE_GONE, why);
}

void probes_gone(struct probes *ps, struct probe *p, const char *why)
{
	for (unsigned int i = 0; i < p->nsites; i++)
		if (p->sites[i]->state == SITE_LIVE)
			site_gone(ps, p->sites[i], why);
}

int probes_remove_all(struct probes *ps)
{
	_cleanup_free_ struct site **diverted = calloc(REGION_SLOTS, sizeof(struct site *));
	size_t n = 0;

	fds_release(); /* here is where they are needed */
	if (!diverted)
		return -ENOMEM;
	for (uint32_t slot = 1; slot < REGION_SLOTS; slot++) {
		struct site *s = ps->owner[slot];

		if (!s || s->state != SITE_LIVE)
			continue;
		if (!s->kind->in_place) {
			diverted[n++] = s;
			continue;
		}
		/* Its uprobe goes with the others, in probes_detach(); it is not heard of any more.
		 */
		probe_bpf_slot(ps->env.bpf, slot)->flags = 0;
		site_is_over(ps, s, SITE_RESTORED, "detached");
	}
	return n ? restore(ps, diverted, n, "detached") : 0;
}

int probes_detach(struct probes *ps)
{
	/* A site that is still live leads into the region. */
	int err = attachment_detach(ps->attachment, ps->nlive_sites > 0);

	ps->env.region = NULL;
	return err;
}

void probes_close(struct probes *ps)
{
	if (!ps)
		return;
	attachment_close(ps->attachment);
	for (uint32_t slot = 0; slot < REGION_SLOTS; slot++)
		site_free(ps->owner[slot]);
	for (size_t i = 0; i < FORMER_MAX; i++)
		site_free(ps->former[i]);
	insn_decoder_free(ps->env.decoder);
	probe_table_fini(&ps->table);
	counts_fini(&ps->counts);
	free(ps);
}

/* --- asking ----------------------------------------------------------------------------------- */

struct probe *probes_find(const struct probes *ps, uint64_t key, uint32_t gen)
{
	return probe_table_find(&ps->table, key, gen);
}

const struct site *probes_site(const struct probes *ps, uint32_t slot, uint32_t gen)
{
	const struct site *s = slot < REGION_SLOTS ? ps->owner[slot] : NULL;

	if (!s || s->gen != gen)
		s = ps->former[gen % FORMER_MAX];
	return s && s->slot == slot && s->gen == gen ? s : NULL;
}

size_t probes_live(const struct probes *ps)
{
	return ps->nlive;
}

size_t probes_max(const struct probes *ps)
{
	return ps->slots.count - 1;
}

struct hp_slot_stat probes_stat(const struct probes *ps)
{
	struct hp_slot_stat sum = ps->former_stat;

	for (uint32_t slot = 1; slot < REGION_SLOTS; slot++) {
		const struct site *s = ps->owner[slot];
		struct hp_slot_stat stat;

		if (!s)
			continue;
		stat = s->kind->stat(s, &ps->env);
		stat_add(&sum, &stat);
	}
	return sum;
}

const struct counts *probes_count(struct probes *ps)
{
	for (size_t i = 0; i < ps->counts.n; i++)
		ps->counts.v[i]->total = ps->counts.v[i]->gone;
	for (uint32_t slot = 1; slot < REGION_SLOTS; slot++) {
		const struct site *s = ps->owner[slot];

		if (s && s->probe->count)
			s->probe->count->total += s->kind->stat(s, &ps->env).hits;
	}
	return &ps->counts;
}

struct probe_bpf *probes_bpf(const struct probes *ps)
{
	return ps->env.bpf;
}

void probes_figures(const struct probes *ps, struct probes_figures *ret)
{
	*ret = ps->fig;
	ret->attachment = ps->attachment->fig;
}
