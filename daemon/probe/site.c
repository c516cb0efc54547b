// SPDX-License-Identifier: MIT
/* site.c - what all kinds of sites have in common. See site.h. */
#include "arch/insn.h"
#include "probe/probe.h"
#include "probe/site.h"

struct site *site_new(const struct site_kind *kind, struct probe *p)
{
	struct site *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->kind = kind;
	probe_add(p, s);
	return s;
}

void site_free(struct site *s)
{
	if (!s)
		return;
	probe_drop(s->probe, s);
	free(s->own);
	free(s);
}

void site_slot_spec(const struct site *s, struct hp_slot_spec *ret)
{
	*ret = (struct hp_slot_spec){0};
	if (s->probe->captures)
		capture_slot_spec(s->probe->captures, ret);
	/* Nobody saved them: their arguments cannot be told. */
	if (!s->saves_fp)
		ret->flags &= ~HP_SLOT_FP;
	ret->depth = s->depth;
}

struct region_slot site_region_slot(const struct site *s)
{
	return (struct region_slot){.addr = s->addr, .orig = s->orig, .divert = s->divert};
}

/* Is the jump in @word, beside what others may have put there? */
static bool has_jump(const struct site *s, uint64_t word)
{
	uint64_t differ = s->divert ^ s->orig, mask = 0;

	for (int bit = 0; bit < 64; bit += 8)
		mask |= differ >> bit & 0xff ? 0xffULL << bit : 0;
	return !((word ^ s->divert) & mask);
}

bool site_verify_diverted(const struct site *s, const struct site_env *env)
{
	uint64_t word;
	uint8_t first;
	struct mem_vec vec[] = {
		{.addr = s->addr, .buf = &word, .len = sizeof(word)},
		{.addr = region_slot_text(s->region, s->slot), .buf = &first, .len = 1},
	};

	if (mem_readv(env->mem, vec, ARRAY_SIZE(vec)) || vec[0].err || vec[1].err)
		return false;
	/* What a uprobe is: a breakpoint, or the call that Linux 6.18 makes of the nop. */
	return (word == s->divert || (env->file_text && has_jump(s, word))) &&
	       (insn_is_trap(&first) || insn_is_call(&first));
}

struct hp_slot_stat site_stat_counted(const struct site *s, const struct site_env *env)
{
	struct hp_slot_stat now = probe_bpf_stat(env->bpf, s->slot);

	return (struct hp_slot_stat){.hits = now.hits - s->before.hits,
				     .lost = now.lost - s->before.lost};
}
