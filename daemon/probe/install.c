// SPDX-License-Identifier: MIT
/*
 * install.c - probes on a target: from specs and nmethods to diverted entries and back.
 *
 * A probe is installed in this order, and removed in the exact reverse (activate last, deactivate
 * first):
 *
 *   1. a slot is taken; the site's kind looks at the code and writes the slot's code
 *   2. the region's table remembers which word is going to change, and what it was
 *   3. the BPF program is told what to copy (a plain store: its map is mapped here)
 *   4. the uprobe on the slot is there already: one link covers all slots since rig_open()
 *   5. the entry's first word is swapped, by a thread of the target, if it still is what it was
 *   6. the word and the slot's first byte are read back: 0xcc is a breakpoint, 0xe8 the call the
 *      kernel (6.18+) makes of a nop5 after its first hit. Anything else would be a probe that
 *      never fires, and is taken out again
 *
 * HotSpot may retire or free the method at any moment. Before step 5 the swap then fails; after
 * it HotSpot's own store wins: it never asks what was there (NativeJump::patch_verified_entry). In
 * neither case does a retired method come back to life. The slot rests until every thread was
 * seen outside (probe/slot.h).
 */
#include "probe/install.h"
#include "inject/patch.h"
#include "log.h"
#include "symmap/insn.h"

/*
 * Records of a slot's former user may still wait in the ring when the slot gets its next one. So
 * many former users are kept; a power of two.
 */
#define FORMER_MAX 4096

struct install {
	struct target *t;
	const struct install_ops *ops;
	void *arg;
	struct install_options opt;

	struct rig *rig;
	struct insn_decoder *decoder;
	struct site_env env;
	struct slots slots;
	struct site *owner[REGION_SLOTS]; /* last user of each slot, until its next one */
	struct site *former[FORMER_MAX];  /* those before, by gen % FORMER_MAX */
	uint32_t gen;
	size_t nlive;

	bool matched[SPECS_MAX]; /* per spec of opt */
	struct install_figures fig;
};

/* --- opening ---------------------------------------------------------------------------------- */

int install_open(struct target *t, const struct install_options *opt, const struct install_ops *ops,
		 void *arg, struct install **ret)
{
	struct install *in = calloc(1, sizeof(*in));
	int err = -ENOMEM;

	if (!in)
		return -ENOMEM;
	*in = (struct install){.t = t, .ops = ops, .arg = arg, .opt = *opt};
	in->decoder = insn_decoder_new();
	if (in->decoder)
		err = rig_open(t, &opt->rig, ops->record, arg, &in->rig);
	if (err) {
		install_close(in);
		return err;
	}
	slots_init(&in->slots, in->rig->fig.multi ? REGION_SLOTS : RIG_SINGLE_MAX + 1);
	in->env = (struct site_env){.mem = t->mem,
				    .layout = &t->layout,
				    .decoder = in->decoder,
				    .region = in->rig->region};
	*ret = in;
	return 0;
}

/* --- specs ------------------------------------------------------------------------------------ */

bool install_wants(struct install *in, const struct nmethod *nm)
{
	bool found = false;

	if (nm->osr)
		return false;
	/* All of them are asked: each spec has its own "matched". */
	for (size_t i = 0; i < in->opt.nspecs; i++) {
		if (spec_match(in->opt.specs[i], nm->klass, nm->name, nm->desc))
			found = in->matched[i] = true;
	}
	return found;
}

bool install_spec_matched(const struct install *in, size_t i)
{
	return in->matched[i];
}

/* --- one site --------------------------------------------------------------------------------- */

static struct site *find_live(struct install *in, const struct nmethod *nm)
{
	for (uint32_t slot = 1; slot < REGION_SLOTS; slot++) {
		struct site *s = in->owner[slot];

		if (s && s->state == SITE_LIVE && s->nm.addr == nm->addr && s->nm.gen == nm->gen)
			return s;
	}
	return NULL;
}

static uint32_t take_slot(struct install *in)
{
	uint32_t slot = slot_take(&in->slots);

	if (slot == SLOT_NONE && slots_reclaim(&in->slots, in->rig->region) > 0)
		slot = slot_take(&in->slots);
	return slot;
}

static void set_owner(struct install *in, struct site *s)
{
	struct site *old = in->owner[s->slot];

	if (old) {
		site_free(in->former[old->gen % FORMER_MAX]);
		in->former[old->gen % FORMER_MAX] = old;
	}
	in->owner[s->slot] = s;
}

/* Steps 1 to 3: everything but the diversion. */
static int site_arm(struct install *in, struct site *s)
{
	uint8_t code[SLOT_CODE];
	struct hp_slot_spec *spec;
	size_t len;

	s->slot = take_slot(in);
	if (s->slot == SLOT_NONE)
		return -ENOSPC;
	if (!rig_slot_ready(in->rig, s->slot)) {
		slot_return(&in->slots, s->slot);
		return -ENOSPC;
	}
	s->gen = ++in->gen;
	len = s->kind->emit(s, &in->env, code);
	region_write_code(in->rig->region, s->slot, code, len);
	*region_slot_entry(in->rig->region, s->slot) =
		(struct region_slot){.addr = s->addr, .orig = s->orig, .divert = s->divert};

	struct hp_slot_spec want = {0};

	s->kind->spec(s, &want);
	want.gen = s->gen;
	want.flags |= HP_SLOT_LIVE | (in->opt.count_only ? HP_SLOT_COUNT : 0);
	spec = probe_bpf_slot(in->rig->bpf, s->slot);
	*spec = want;
	set_owner(in, s);
	return 0;
}

/* Undo site_arm() of a site that was never diverted, and forget it. */
static void site_disarm(struct install *in, struct site *s)
{
	probe_bpf_slot(in->rig->bpf, s->slot)->flags = 0;
	*region_slot_entry(in->rig->region, s->slot) = (struct region_slot){0};
	slot_return(&in->slots, s->slot);
	in->owner[s->slot] = NULL;
	site_free(s);
}

/*
 * The site is no longer led to: its slot rests. The site stays for records under way.
 * @why: NULL for one that was never told of.
 */
static void site_retire(struct install *in, struct site *s, enum site_state state, const char *why)
{
	s->state = state;
	in->nlive--;
	*region_slot_entry(in->rig->region, s->slot) = (struct region_slot){0};
	slot_rest(&in->slots, s->slot);
	if (why)
		in->ops->unprobed(in->arg, s, why);
}

static int patch(struct install *in, struct patch_op *ops, size_t n)
{
	uint64_t paused_ns = 0;
	int err;

	/* Its PID may be another's by now. */
	if (!target_alive(in->t))
		return -ESRCH;
	err = patch_apply(in->rig->region, ops, n, &paused_ns);
	in->fig.patch_paused_ns += paused_ns;
	in->fig.patches++;
	if (err && err != -ESRCH)
		log_err("cannot change code in PID %d: %s", in->t->id.pid, way_why(in->rig->way, err));
	return err;
}

static bool leads_to_slot(struct install *in, const struct site *s)
{
	uint64_t word;

	return !mem_read(in->t->mem, s->addr, &word, sizeof(word)) && word == s->divert;
}

/* Step 6. Return: true if the diversion and the uprobe behind it are both there. */
static bool site_verify(struct install *in, const struct site *s)
{
	uint64_t word;
	uint8_t first;
	struct mem_vec vec[] = {
		{.addr = s->addr, .buf = &word, .len = sizeof(word)},
		{.addr = region_slot_text(in->rig->region, s->slot), .buf = &first, .len = 1},
	};

	if (mem_readv(in->t->mem, vec, ARRAY_SIZE(vec)) || vec[0].err || vec[1].err)
		return false;
	return word == s->divert && (first == 0xcc || first == 0xe8);
}

/* --- many sites ------------------------------------------------------------------------------- */

/* Take the sites' words out again. Those HotSpot has overwritten meanwhile are gone anyway. */
static int restore(struct install *in, struct site **sites, size_t n, const char *why)
{
	struct patch_op *ops = calloc(n, sizeof(*ops));
	int err = 0;

	if (!ops)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		ops[i] = (struct patch_op){.addr = sites[i]->addr,
					   .expect = sites[i]->divert,
					   .desire = sites[i]->orig};
	for (size_t done = 0; done < n && err == 0; done += PATCH_BATCH_MAX) {
		size_t batch = MIN(n - done, (size_t)PATCH_BATCH_MAX);

		err = patch(in, ops + done, batch);
		for (size_t i = done; i < done + batch && err == 0; i++) {
			bool ours = ops[i].seen == ops[i].expect;

			site_retire(in, sites[i], ours ? SITE_RESTORED : SITE_GONE,
				    ours || !why ? why : "retired");
		}
	}
	free(ops);
	return err;
}

/* What was diverted but not read back. HotSpot may just have retired it, which is no news. */
static void take_back(struct install *in, struct site *s)
{
	if (leads_to_slot(in, s))
		in->ops->refused(in->arg, &s->nm, "no uprobe was found in its slot");
	restore(in, &s, 1, NULL);
}

/* Step 5 and 6 for armed sites. Return: how many are live now, or an error. */
static int divert(struct install *in, struct site **sites, size_t n)
{
	struct patch_op *ops = calloc(n, sizeof(*ops));
	int err, live = 0;

	if (!ops)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		ops[i] = (struct patch_op){.addr = sites[i]->addr,
					   .expect = sites[i]->orig,
					   .desire = sites[i]->divert};
	err = patch(in, ops, n);
	for (size_t i = 0; i < n; i++) {
		struct site *s = sites[i];

		/* After an error a word may or may not have been swapped: the site stays armed
		 * and counts as live, so that the removal tries it. */
		/* HotSpot retired it meanwhile: nothing was written, and it is no news. */
		if (err == 0 && ops[i].seen != ops[i].expect) {
			site_disarm(in, s);
			continue;
		}
		s->state = SITE_LIVE;
		in->nlive++;
		if (err) {
			if (err != -ESRCH && ops[i].seen != ops[i].expect)
				in->ops->refused(in->arg, &s->nm, way_why(in->rig->way, err));
			continue;
		}
		s->live_ns = clock_ns();
		if (site_verify(in, s)) {
			in->ops->probed(in->arg, s);
			live++;
		} else {
			take_back(in, s);
		}
	}
	free(ops);
	return err ? err : live;
}

/* Steps 1 to 3 for one nmethod. Return: 1 armed; 0 passed over, or refused; -ESRCH; -ENOMEM. */
static int arm_nmethod(struct install *in, const struct nmethod *nm, struct site **ret)
{
	char why[128] = "its code cannot be read";
	struct site *s;
	int err;

	if (nm->state != NMETHOD_IN_USE || !install_wants(in, nm) || find_live(in, nm))
		return 0;
	err = site_new(&site_compiled_entry, &in->env, nm, &s, why, sizeof(why));
	if (err == 0) {
		err = site_arm(in, s);
		if (err) {
			site_free(s);
			snprintf(why, sizeof(why), "all %u slots are in use", in->slots.count - 1);
		}
	}
	if (err == 0) {
		*ret = s;
		return 1;
	}
	if (err == -ESRCH || err == -ENOMEM)
		return err;
	if (err != -ESTALE)
		in->ops->refused(in->arg, nm, why);
	return 0;
}

int install_nmethods(struct install *in, const struct nmethod *const *nms, size_t n,
		     const uint64_t *registered_ns)
{
	struct site *batch[PATCH_BATCH_MAX];
	size_t nbatch = 0;
	int installed = 0, err = 0;

	for (size_t i = 0; i < n && err >= 0; i++) {
		err = arm_nmethod(in, nms[i], &batch[nbatch]);
		if (err == 1)
			batch[nbatch++]->registered_ns = registered_ns ? registered_ns[i] : 0;
		/* What is armed is diverted, whatever became of the others. */
		if (nbatch == PATCH_BATCH_MAX || (nbatch && (i + 1 == n || err < 0))) {
			int live = divert(in, batch, nbatch);

			installed += MAX(live, 0);
			err = MIN(err, live);
			nbatch = 0;
		}
	}
	return err < 0 ? err : installed;
}

void install_gone(struct install *in, const struct nmethod *nm, const char *why)
{
	struct site *s = find_live(in, nm);

	if (!s)
		return;
	/*
	 * A method that is unloaded with its class is freed without having been retired, and a map
	 * that is read while the target runs may miss one that lives: nothing may go on leading
	 * into a slot that rests. If this fails the site stays live for install_remove_all().
	 */
	if (leads_to_slot(in, s))
		restore(in, &s, 1, why);
	else
		site_retire(in, s, SITE_GONE, why);
}

int install_remove_all(struct install *in)
{
	struct site **sites = calloc(REGION_SLOTS, sizeof(struct site *));
	size_t n = 0;
	int err;

	if (!sites)
		return -ENOMEM;
	for (uint32_t slot = 1; slot < REGION_SLOTS; slot++) {
		if (in->owner[slot] && in->owner[slot]->state == SITE_LIVE)
			sites[n++] = in->owner[slot];
	}
	err = n ? restore(in, sites, n, "detached") : 0;
	free(sites);
	return err;
}

int install_close(struct install *in)
{
	int err;

	if (!in)
		return 0;
	/* A site that is still live leads into the region. */
	err = rig_close(in->rig, in->nlive > 0);
	for (uint32_t slot = 0; slot < REGION_SLOTS; slot++)
		site_free(in->owner[slot]);
	for (size_t i = 0; i < FORMER_MAX; i++)
		site_free(in->former[i]);
	insn_decoder_free(in->decoder);
	free(in);
	return err;
}

struct site *install_site(struct install *in, uint32_t slot, uint32_t gen)
{
	struct site *s = slot < REGION_SLOTS ? in->owner[slot] : NULL;

	if (!s || s->gen != gen)
		s = in->former[gen % FORMER_MAX];
	return s && s->slot == slot && s->gen == gen ? s : NULL;
}

size_t install_live(const struct install *in)
{
	return in->nlive;
}

struct probe_bpf *install_bpf(struct install *in)
{
	return in->rig->bpf;
}

void install_figures(const struct install *in, struct install_figures *ret)
{
	*ret = in->fig;
	ret->rig = in->rig->fig;
}

