// SPDX-License-Identifier: MIT
/*
 * image_site.c - a method of a native image as a site. See image_site.h.
 *
 * Never a uretprobe: its return address is no frame the image knows, and the image aborts when it
 * next walks that stack. The return instructions are found here, for probes on each of them.
 */
#include "runtime/image/image_site.h"
#include "arch/emit.h"

/* Of a site, in one piece. */
struct image_code {
	enum image_place place;
	bool at_start;		 /* the probe goes on the first instruction */
	uint64_t entry;		 /* in the process */
	uint64_t file_offset;	 /* of the entry */
	struct method_code code; /* without what it owns */
	size_t nexits, ncode;
	uint32_t exits[];
	/* then @ncode bytes of the method: as far as planning looks at them */
};

static uint8_t *code_of(struct image_code *c)
{
	return (uint8_t *)(c->exits + c->nexits);
}

/* --- diverted --------------------------------------------------------------------------------- */

/* The word as the process has it must be as the file has it: else somebody else's uprobe is there.
 */
static int diverted_plan(struct site *s, const struct site_env *env, struct fail *f _unused_)
{
	struct image_code *c = s->own;
	const struct entry_point *at = &c->code.divert;
	uint64_t addr = (c->entry + at->off) & ~(sizeof(uint64_t) - 1), off = addr - c->entry;
	uint8_t word[sizeof(uint64_t)];

	/* Not in the word that the method begins with: the first instruction is for others'
	 * uprobes. */
	if (!at->len || !at->off || addr <= c->entry ||
	    !range_inside(addr, sizeof(word), env->region->code_low, env->region->code_high) ||
	    !range_inside(off, sizeof(word), 0, c->ncode) ||
	    mem_read(env->mem, addr, word, sizeof(word)) ||
	    memcmp(word, code_of(c) + off, sizeof(word)))
		return -EOPNOTSUPP;
	s->addr = addr;
	memcpy(&s->orig, word, sizeof(s->orig));
	s->depth = at->depth;
	s->saves_fp = s->probe->captures && s->probe->captures->uses_fp;
	c->place = IMAGE_DIVERTED;
	return 0;
}

static int diverted_emit(struct site *s, const struct site_env *env _unused_,
			 uint8_t code[static SLOT_CODE], size_t *len_ret)
{
	struct image_code *c = s->own;
	uint64_t at = region_slot_code(s->region, s->slot), target;
	uint8_t *p = code, word[sizeof(uint64_t)];
	uint64_t jump = c->entry + c->code.divert.off;
	size_t len;

	target = region_slot_text(s->region, s->slot);
	emit_traps(code, SLOT_CODE);
	if (s->saves_fp)
		p = emit_add_sp(p, HP_FP_FRAME);
	len = method_code_move(&c->code, c->entry, code_of(c), at + (uint64_t)(p - code), p,
			       EMIT_PROLOGUE_OFF - (size_t)(p - code));
	if (!len)
		return -EOPNOTSUPP;
	p += len;
	if (s->saves_fp) {
		p = emit_fp_prologue(code + EMIT_PROLOGUE_OFF, at + EMIT_PROLOGUE_OFF, target);
		target = at + EMIT_PROLOGUE_OFF;
	}
	memcpy(word, &s->orig, sizeof(word));
	emit_jump(word + jump % sizeof(word), jump, target);
	memcpy(&s->divert, word, sizeof(s->divert));
	*len_ret = (size_t)(p - code);
	return 0;
}

static const struct site_kind image_diverted = {
	.name = "native-image",
	.plan = diverted_plan,
	.emit = diverted_emit,
	.verify = site_verify_diverted,
	.stat = site_stat_counted,
};

/* --- in place --------------------------------------------------------------------------------- */

/* Has the process that instruction as its file, or a uprobe on it? Else it is diverted. */
static bool is_as_in_file(const struct site_env *env, struct image_code *c,
			  const struct entry_point *at)
{
	uint8_t now[INSN_LEN_MAX];

	if (!env->mem)
		return true;
	return range_inside(at->off, at->len, 0, c->ncode) && at->len <= sizeof(now) &&
	       !mem_read(env->mem, c->entry + at->off, now, at->len) &&
	       (insn_is_trap(now) || now[0] == code_of(c)[at->off]) &&
	       !memcmp(now + 1, code_of(c) + at->off + 1, at->len - 1u);
}

static int in_place_plan(struct site *s, const struct site_env *env, struct fail *f _unused_)
{
	struct image_code *c = s->own;
	bool emulated = c->code.emulated && c->code.probe.len && !c->at_start &&
			is_as_in_file(env, c, &c->code.probe);

	c->place = emulated ? IMAGE_EMULATED : IMAGE_STEPPED;
	s->depth = emulated ? c->code.probe.depth : 0;
	s->file_offset = c->file_offset + (emulated ? c->code.probe.off : 0);
	return 0;
}

static int in_place_emit(struct site *s _unused_, const struct site_env *env _unused_,
			 uint8_t code[static SLOT_CODE] _unused_, size_t *len_ret)
{
	*len_ret = 0;
	return 0;
}

/* The kernel has taken its uprobe: in processes still to come there is nothing to be read. */
static bool in_place_verify(const struct site *s _unused_, const struct site_env *env _unused_)
{
	return true;
}

static const struct site_kind image_in_place = {
	.name = "native-image",
	.in_place = true,
	.plan = in_place_plan,
	.emit = in_place_emit,
	.verify = in_place_verify,
	.stat = site_stat_counted,
};

/* --- planning --------------------------------------------------------------------------------- */

static size_t end_of(const struct entry_point *at)
{
	return at->len ? at->off + at->len : 0;
}

/* So much of the code planning may look at: the words that the instructions of interest are in. */
static size_t code_kept(const struct image_site_plan *plan, const struct method_code *code)
{
	size_t want = MAX(end_of(&code->divert), end_of(&code->probe)) + sizeof(uint64_t);

	return MIN(want, (size_t)(plan->method.end - plan->method.entry));
}

static struct image_code *keep(const struct image_site_plan *plan, const struct method_code *code,
			       bool at_start)
{
	size_t ncode = code_kept(plan, code);
	struct image_code *c = malloc(sizeof(*c) + code->nreturns * sizeof(*code->exits) + ncode);

	if (!c)
		return NULL;
	*c = (struct image_code){.at_start = at_start,
				 .entry = plan->bias + plan->method.entry,
				 .file_offset = plan->file_offset,
				 .code = *code,
				 .nexits = code->nreturns,
				 .ncode = ncode};
	c->code.returns = c->code.exits = c->code.tail_jumps = NULL;
	if (code->nreturns)
		memcpy(c->exits, code->exits, code->nreturns * sizeof(*code->exits));
	memcpy(code_of(c), plan->code, ncode);
	return c;
}

/* How many general registers pass arguments that matter, as far as anybody knows. */
static unsigned int registers_of(const struct capture_list *l, bool count_only)
{
	if (count_only)
		return 0;
	return l ? capture_ngpr(l) : HP_GPR_ARGS;
}

static int look_at_code(struct site *s, const struct image_site_plan *plan,
			const struct site_env *env, bool at_start)
{
	struct method_code code;
	int err = method_code_read_args(env->decoder, plan->bias + plan->method.entry, plan->code,
					plan->method.end - plan->method.entry,
					registers_of(s->probe->captures, plan->count_only), &code);

	if (err)
		return err;
	s->own = keep(plan, &code, at_start);
	method_code_fini(&code);
	return s->own ? 0 : -ENOMEM;
}

static int new_probe(const struct image_site_plan *plan, struct probe **ret)
{
	struct probe *p = probe_new(&plan->method, plan->method.entry, 0);
	int err = 0;

	if (!p)
		return -ENOMEM;
	p->kind = "native-image";
	p->overloads = plan->overloads;
	if (plan->desc) {
		p->types = plan->desc_by_spec ? TYPES_OF_SPEC : TYPES_OF_RUNTIME;
		err = capture_list_new(ABI_NATIVE_IMAGE, plan->desc, plan->is_static, &p->captures);
	}
	if (err)
		probe_free(p);
	else
		*ret = p;
	return err;
}

int image_site_probe(const struct image_site_plan *plan, const struct site_env *env, bool divert,
		     bool at_start, struct probe **ret)
{
	struct probe *p;
	struct site *s;
	int err = new_probe(plan, &p);

	if (err)
		return err;
	s = site_new(&image_diverted, p);
	if (!s) {
		probe_free(p);
		return -ENOMEM;
	}
	err = look_at_code(s, plan, env, at_start);
	if (err) {
		site_free(s);
		return err;
	}
	if (!divert || s->kind->plan(s, env, NULL)) {
		s->kind = &image_in_place;
		s->kind->plan(s, env, NULL);
	}
	*ret = p;
	return 0;
}

enum image_place image_site_place(const struct site *s)
{
	const struct image_code *c = s->own;

	return c->place;
}

size_t image_site_exits(const struct site *s, const uint32_t **ret, bool *complete)
{
	const struct image_code *c = s->own;

	*ret = c->exits;
	*complete = c->code.complete && !c->code.nunseen;
	return c->nexits;
}
