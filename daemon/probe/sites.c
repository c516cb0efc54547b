// SPDX-License-Identifier: MIT
/*
 * sites.c - probes on a target: sites become live, and are taken out again. See sites.h.
 *
 * A probe is installed in this order, and removed in the exact reverse (activate last, deactivate
 * first):
 *
 *   1. a slot is taken; the site's kind looks at the code and writes the slot's code
 *   2. the region's table remembers which word is going to change, and what it was
 *   3. the BPF program is told what to copy (a plain store: its map is mapped here)
 *   4. the uprobe on the slot is there already: one link covers all slots since attachment_open()
 *   5. the entry's first word is swapped, by a thread of the target, if it still is what it was
 *   6. the word and the slot's first byte are read back: 0xcc is a breakpoint, 0xe8 the call the
 *      kernel (6.18+) makes of a nop5 after its first hit. Anything else would be a probe that
 *      never fires, and is taken out again
 *
 * HotSpot may retire or free the method at any moment. Before step 5 the swap then fails; after
 * it HotSpot's own store wins: it never asks what was there (NativeJump::patch_verified_entry). In
 * neither case does a retired method come back to life. The slot rests until every thread was
 * seen outside (probe/slot.h).
 *
 * A site in place has no slot's code, and steps 4 and 5 are one: the kernel puts the uprobe on the
 * method's own code, in its file.
 */
#include "probe/sites.h"
#include "region/patch.h"
#include "base/log.h"
#include "probe/slot.h"

/*
 * Records of a slot's former user may still wait in the ring when the slot gets its next one. So
 * many former users are kept; a power of two.
 */
#define FORMER_MAX 4096
/* So often a word in a file's text may change while it is put back. */
#define RESTORE_ROUNDS 8

struct sites {
	struct sites_options opt;
	const struct site_ops *ops;
	void *arg;

	struct attachment *attachment;
	struct insn_decoder *decoder;
	struct site_env env;
	struct slots slots;
	struct site *owner[REGION_SLOTS]; /* last user of each slot, until its next one */
	struct site *former[FORMER_MAX];  /* those before, by gen % FORMER_MAX */
	uint32_t gen;
	size_t nlive;
	struct sites_figures fig;
};

/* --- opening ---------------------------------------------------------------------------------- */

int sites_open(const struct sites_options *opt, const struct site_ops *ops, void *arg,
	       struct sites **ret)
{
	struct sites *in = calloc(1, sizeof(*in));
	int err = -ENOMEM;

	if (!in)
		return -ENOMEM;
	*in = (struct sites){.opt = *opt, .ops = ops, .arg = arg};
	in->decoder = insn_decoder_new();
	if (in->decoder)
		err = attachment_open(&opt->attachment, ops->record, arg, &in->attachment);
	if (err) {
		sites_close(in);
		return err;
	}
	/* Without uprobe_multi a slot of the region costs a uprobe of its own. */
	slots_init(&in->slots,
		   in->attachment->fig.multi ? REGION_SLOTS : ATTACHMENT_SINGLE_MAX + 1);
	in->env = (struct site_env){.mem = opt->attachment.target.mem,
				    .decoder = in->decoder,
				    .region = in->attachment->region};
	*ret = in;
	return 0;
}

struct site_env *sites_env(struct sites *in)
{
	return &in->env;
}

/* --- one site --------------------------------------------------------------------------------- */

struct site *sites_find(struct sites *in, uint64_t addr, uint32_t gen)
{
	for (uint32_t slot = 1; slot < REGION_SLOTS; slot++) {
		struct site *s = in->owner[slot];

		if (s && s->state == SITE_LIVE && s->nm.addr == addr && s->nm.gen == gen)
			return s;
	}
	return NULL;
}

static uint32_t take_slot(struct sites *in)
{
	uint32_t slot = slot_take(&in->slots);

	if (slot == SLOT_NONE && in->attachment->region &&
	    slots_reclaim(&in->slots, in->attachment->region) > 0)
		slot = slot_take(&in->slots);
	return slot;
}

static void set_owner(struct sites *in, struct site *s)
{
	struct site *old = in->owner[s->slot];

	if (old) {
		site_free(in->former[old->gen % FORMER_MAX]);
		in->former[old->gen % FORMER_MAX] = old;
	}
	in->owner[s->slot] = s;
}

static struct region_slot slot_entry(const struct site *s)
{
	return (struct region_slot){.addr = s->addr, .orig = s->orig, .divert = s->divert};
}

/* Step 1 and 2 of a site that is diverted. */
static int write_slot(struct sites *in, struct site *s)
{
	uint8_t code[SLOT_CODE];
	size_t len;

	if (!attachment_slot_ready(in->attachment, s->slot))
		return -ENOSPC;
	len = s->kind->emit(s, &in->env, code);
	if (!len)
		return -EOPNOTSUPP;
	region_write_code(in->attachment->region, s->slot, code, len);
	*region_slot_entry(in->attachment->region, s->slot) = slot_entry(s);
	return 0;
}

int sites_arm(struct sites *in, struct site *s)
{
	struct hp_slot_spec want = {0};
	int err;

	s->slot = take_slot(in);
	if (s->slot == SLOT_NONE)
		return -ENOSPC;
	err = s->kind->in_place ? 0 : write_slot(in, s);
	if (err) {
		slot_return(&in->slots, s->slot);
		return err;
	}
	s->gen = ++in->gen;
	s->kind->spec(s, &want);
	want.gen = s->gen;
	want.flags |= HP_SLOT_LIVE | (in->opt.count_only ? HP_SLOT_COUNT : 0);
	*probe_bpf_slot(in->attachment->bpf, s->slot) = want;
	set_owner(in, s);
	return 0;
}

static void forget_entry(struct sites *in, const struct site *s)
{
	if (!s->kind->in_place)
		*region_slot_entry(in->attachment->region, s->slot) = (struct region_slot){0};
}

/* Undo sites_arm() of a site that was never diverted, and forget it. */
static void site_disarm(struct sites *in, struct site *s)
{
	probe_bpf_slot(in->attachment->bpf, s->slot)->flags = 0;
	forget_entry(in, s);
	slot_return(&in->slots, s->slot);
	in->owner[s->slot] = NULL;
	site_free(s);
}

void sites_disarm(struct sites *in)
{
	for (uint32_t slot = 1; slot < REGION_SLOTS; slot++)
		if (in->owner[slot] && in->owner[slot]->state == SITE_NEW)
			site_disarm(in, in->owner[slot]);
}

/*
 * The site is no longer led to: its slot rests. The site stays for records under way.
 * @why: NULL for one that was never told of.
 */
static void site_retire(struct sites *in, struct site *s, enum site_state state, const char *why)
{
	s->state = state;
	in->nlive--;
	forget_entry(in, s);
	slot_rest(&in->slots, s->slot);
	if (why)
		in->ops->unprobed(in->arg, s, why);
}

static int patch(struct sites *in, struct patch_op *ops, size_t n)
{
	uint64_t paused_ns = 0;
	int err;

	/* Its PID may be another's by now. */
	if (!proc_alive(in->attachment->t.id))
		return -ESRCH;
	err = patch_apply(in->attachment->region, ops, n, &paused_ns);
	in->fig.patch_paused_ns += paused_ns;
	in->fig.patches++;
	if (err && err != -ESRCH && err != -EACCES)
		log_err("cannot change code in PID %d: %s", in->attachment->t.id->pid,
			remote_why(in->attachment->t.remote, err));
	return err;
}

/* @op puts back what of the word @seen is the site's. Return: false when there is nothing to be
 * done. */
static bool plan_back(struct sites *in, const struct site *s, uint64_t seen, struct patch_op *op)
{
	const struct region_slot e = slot_entry(s);

	*op = (struct patch_op){.addr = s->addr, .expect = seen};
	return region_word_back(in->attachment->region, &e, seen, &op->desire);
}

static bool leads_to_slot(struct sites *in, const struct site *s)
{
	struct patch_op op;
	uint64_t word;

	return !mem_read(in->attachment->t.mem, s->addr, &word, sizeof(word)) &&
	       plan_back(in, s, word, &op);
}

/* Is the jump in @word, beside what others may have put there? */
static bool has_jump(const struct site *s, uint64_t word)
{
	uint64_t differ = s->divert ^ s->orig, mask = 0;

	for (int bit = 0; bit < 64; bit += 8)
		mask |= differ >> bit & 0xff ? 0xffULL << bit : 0;
	return !((word ^ s->divert) & mask);
}

/* Step 6. Return: true if the diversion and the uprobe behind it are both there. */
static bool site_verify(struct sites *in, const struct site *s)
{
	uint64_t word;
	uint8_t first;
	struct mem_vec vec[] = {
		{.addr = s->addr, .buf = &word, .len = sizeof(word)},
		{.addr = region_slot_text(in->attachment->region, s->slot),
		 .buf = &first,
		 .len = 1},
	};

	if (mem_readv(in->attachment->t.mem, vec, ARRAY_SIZE(vec)) || vec[0].err || vec[1].err)
		return false;
	return (word == s->divert || (in->attachment->t.file_text && has_jump(s, word))) &&
	       (first == 0xcc || first == 0xe8);
}

/* --- many sites ------------------------------------------------------------------------------- */

/*
 * Put @sites' words back, at most PATCH_BATCH_MAX. @ours: which of them were the sites' up to then.
 * In text of a file a word may still be, though it is not what it was made: then once more.
 */
static int restore_batch(struct sites *in, struct site **sites, size_t n, bool *ours)
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

		err = patch(in, ops, left);
		for (size_t i = 0; i < left && !err; i++) {
			size_t k = which[i];

			ours[k] = ops[i].seen == ops[i].expect;
			if (ours[k] || !plan_back(in, sites[k], ops[i].seen, &ops[again]))
				continue;
			which[again++] = k;
		}
		left = err ? left : again;
	}
	return err ? err : left ? -EBUSY : 0;
}

/* Take the sites' words out again. Those HotSpot has overwritten meanwhile are gone anyway. */
static int restore(struct sites *in, struct site **sites, size_t n, const char *why)
{
	bool ours[PATCH_BATCH_MAX];
	int err = 0;

	for (size_t done = 0; done < n && err == 0; done += PATCH_BATCH_MAX) {
		size_t batch = MIN(n - done, (size_t)PATCH_BATCH_MAX);

		err = restore_batch(in, sites + done, batch, ours);
		for (size_t i = 0; i < batch && err == 0; i++)
			site_retire(in, sites[done + i], ours[i] ? SITE_RESTORED : SITE_GONE,
				    ours[i] || !why ? why : "retired");
	}
	return err;
}

/* What was diverted but not read back. HotSpot may just have retired it, which is no news. */
static void take_back(struct sites *in, struct site *s)
{
	if (leads_to_slot(in, s))
		in->ops->refused(in->arg, &s->nm, "no uprobe was found in its slot");
	restore(in, &s, 1, NULL);
}

/* Step 5 and 6. */
int sites_divert(struct sites *in, struct site **sites, size_t n)
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

		if (err == -EACCES) {
			site_disarm(in, s);
			continue;
		}

		/* After an error a word may or may not have been swapped: the site stays armed
		 * and counts as live, so that the removal tries it. */
		/* HotSpot retired it meanwhile: nothing was written, and it is no news. */
		if (err == 0 && ops[i].seen != ops[i].expect) {
			if (in->attachment->t.file_text)
				in->ops->refused(in->arg, &s->nm,
						 "somebody else is changing its code");
			site_disarm(in, s);
			continue;
		}
		s->state = SITE_LIVE;
		in->nlive++;
		if (err) {
			if (err != -ESRCH && ops[i].seen != ops[i].expect)
				in->ops->refused(in->arg, &s->nm,
						 remote_why(in->attachment->t.remote, err));
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

/* --- in place --------------------------------------------------------------------------------- */

/* One the kernel refuses fails them all: halves are tried until the culprits are alone. */
static void attach_some(struct sites *in, pid_t pid, const char *path, struct site **sites,
			struct probe_place *places, size_t n)
{
	int err = probe_bpf_attach(in->attachment->bpf, pid, path, places, n);

	if (!err) {
		for (size_t i = 0; i < n; i++) {
			sites[i]->state = SITE_LIVE;
			sites[i]->live_ns = clock_ns();
			in->nlive++;
			in->ops->probed(in->arg, sites[i]);
		}
	} else if (n == 1) {
		in->ops->refused(in->arg, &sites[0]->nm, strerror(-err));
		site_disarm(in, sites[0]);
	} else {
		attach_some(in, pid, path, sites, places, n / 2);
		attach_some(in, pid, path, sites + n / 2, places + n / 2, n - n / 2);
	}
}

int sites_attach(struct sites *in, pid_t pid, const char *path, struct site **sites, size_t n)
{
	_cleanup_free_ struct probe_place *places = calloc(n + 1, sizeof(*places));
	size_t before = in->nlive;

	if (!places)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		places[i] = (struct probe_place){.offset = sites[i]->file_offset,
						 .slot = sites[i]->slot};
	if (n)
		attach_some(in, pid, path, sites, places, n);
	return (int)(in->nlive - before);
}

/* --- removing --------------------------------------------------------------------------------- */

void sites_gone(struct sites *in, struct site *s, const char *why)
{
	/*
	 * A method that is unloaded with its class is freed without having been retired, and a map
	 * that is read while the target runs may miss one that lives: nothing may go on leading
	 * into a slot that rests. If this fails the site stays live for sites_remove_all().
	 */
	if (leads_to_slot(in, s))
		restore(in, &s, 1, why);
	else
		site_retire(in, s, SITE_GONE, why);
}

int sites_remove_all(struct sites *in)
{
	_cleanup_free_ struct site **diverted = calloc(REGION_SLOTS, sizeof(struct site *));
	size_t n = 0;

	if (!diverted)
		return -ENOMEM;
	for (uint32_t slot = 1; slot < REGION_SLOTS; slot++) {
		struct site *s = in->owner[slot];

		if (!s || s->state != SITE_LIVE)
			continue;
		if (!s->kind->in_place) {
			diverted[n++] = s;
			continue;
		}
		/* The uprobe goes with the others, in sites_close(); it is not heard of any more.
		 */
		probe_bpf_slot(in->attachment->bpf, slot)->flags = 0;
		site_retire(in, s, SITE_RESTORED, "detached");
	}
	return n ? restore(in, diverted, n, "detached") : 0;
}

int sites_close(struct sites *in)
{
	int err;

	if (!in)
		return 0;
	/* A site that is still live leads into the region. */
	err = attachment_close(in->attachment, in->nlive > 0);
	for (uint32_t slot = 0; slot < REGION_SLOTS; slot++)
		site_free(in->owner[slot]);
	for (size_t i = 0; i < FORMER_MAX; i++)
		site_free(in->former[i]);
	insn_decoder_free(in->decoder);
	free(in);
	return err;
}

/* --- asking ----------------------------------------------------------------------------------- */

struct site *sites_at(struct sites *in, uint32_t slot, uint32_t gen)
{
	struct site *s = slot < REGION_SLOTS ? in->owner[slot] : NULL;

	if (!s || s->gen != gen)
		s = in->former[gen % FORMER_MAX];
	return s && s->slot == slot && s->gen == gen ? s : NULL;
}

size_t sites_live(const struct sites *in)
{
	return in->nlive;
}

size_t sites_max(const struct sites *in)
{
	return in->slots.count - 1;
}

struct probe_bpf *sites_bpf(struct sites *in)
{
	return in->attachment->bpf;
}

void sites_figures(const struct sites *in, struct sites_figures *ret)
{
	*ret = in->fig;
	ret->attachment = in->attachment->fig;
}
