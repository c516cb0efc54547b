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
	uint64_t entry;		 /* in the process */
	struct method_code code; /* without what it owns */
	const char *symbol;
	uint32_t overloads;
	bool typed, by_spec;
	size_t nexits, ncode;
	uint32_t exits[];
	/* then @ncode bytes: the method up to the end of the instruction that is displaced */
};

static uint8_t *code_of(struct image_code *c)
{
	return (uint8_t *)(c->exits + c->nexits);
}

/* --- events ----------------------------------------------------------------------------------- */

static void image_head(const struct site *s, struct buf *b)
{
	const struct image_code *c = s->own;

	buf_str(b, ",\"kind\":\"native-image\",\"symbol\":");
	if (*c->symbol)
		json_str(b, c->symbol, strlen(c->symbol));
	else
		buf_str(b, "null");
	buf_printf(b, ",\"overloads\":%u,\"signature\":%s", c->overloads,
		   !c->typed	? "null"
		   : c->by_spec ? "\"spec\""
				: "\"image\"");
}

static void image_spec(const struct site *s, struct hp_slot_spec *ret)
{
	const struct image_code *c = s->own;

	*ret = (struct hp_slot_spec){0};
	if (s->call)
		call_layout_slot_spec(s->call, ret);
	if (c->place == IMAGE_DIVERTED) {
		ret->depth = c->code.divert.depth;
		return;
	}
	ret->flags &= ~HP_SLOT_FP; /* nobody saved them: their arguments cannot be told */
	ret->depth = c->place == IMAGE_EMULATED ? c->code.probe.depth : 0;
}

/* --- diverted --------------------------------------------------------------------------------- */

static size_t image_emit(struct site *s, const struct site_env *env, uint8_t code[static SLOT_CODE])
{
	struct image_code *c = s->own;
	uint64_t at = region_slot_code(env->region, s->slot), target;
	bool fp = s->call && s->call->uses_fp;
	uint8_t *p = code, word[sizeof(uint64_t)];
	uint64_t jump = c->entry + c->code.divert.off;
	size_t len;

	target = region_slot_text(env->region, s->slot);
	memset(code, 0xcc, SLOT_CODE);
	if (fp)
		p = emit_lea_rsp(p, HP_FP_FRAME);
	len = method_code_move(&c->code, c->entry, code_of(c), at + (uint64_t)(p - code), p,
			       EMIT_PROLOGUE_OFF - (size_t)(p - code));
	if (!len)
		return 0;
	p += len;
	if (fp) {
		p = emit_fp_prologue(code + EMIT_PROLOGUE_OFF, at + EMIT_PROLOGUE_OFF, target);
		target = at + EMIT_PROLOGUE_OFF;
	}
	memcpy(word, &s->orig, sizeof(word));
	emit_jmp(word + jump % sizeof(word), jump, target);
	memcpy(&s->divert, word, sizeof(s->divert));
	return (size_t)(p - code);
}

static const struct site_kind site_image_diverted = {
	.name = "native-image",
	.emit = image_emit,
	.spec = image_spec,
	.head = image_head,
};

static const struct site_kind site_image_in_place = {
	.name = "native-image",
	.in_place = true,
	.spec = image_spec,
	.head = image_head,
};

/* --- planning --------------------------------------------------------------------------------- */

static struct image_code *keep(const struct image_site_plan *plan, const struct method_code *code)
{
	size_t ncode = code->divert.len ? code->divert.off + code->divert.len : 0;
	struct image_code *c = malloc(sizeof(*c) + code->nreturns * sizeof(*code->exits) + ncode);

	if (!c)
		return NULL;
	*c = (struct image_code){.entry = plan->bias + plan->nm.m.entry,
				 .code = *code,
				 .symbol = plan->symbol,
				 .overloads = plan->overloads,
				 .typed = plan->desc,
				 .by_spec = plan->desc_by_spec,
				 .nexits = code->nreturns,
				 .ncode = ncode};
	c->code.returns = c->code.exits = c->code.tail_jumps = NULL;
	if (code->nreturns)
		memcpy(c->exits, code->exits, code->nreturns * sizeof(*code->exits));
	memcpy(code_of(c), plan->code, ncode);
	return c;
}

/* The word as the process has it must be as the file has it: else somebody else's uprobe is there.
 */
static bool plan_divert(struct site *s, const struct image_site_plan *plan,
			const struct site_env *env)
{
	struct image_code *c = s->own;
	const struct entry_point *at = &c->code.divert;
	uint64_t size = plan->nm.m.end - plan->nm.m.entry, off;
	uint8_t word[sizeof(uint64_t)];

	if (!at->len || !at->off)
		return false;
	s->addr = (c->entry + at->off) & ~(sizeof(uint64_t) - 1);
	/* Not in the word that the method begins with: the first instruction is for others'
	 * uprobes. */
	if (s->addr <= c->entry ||
	    !range_inside(s->addr, sizeof(word), env->region->code_low, env->region->code_high))
		return false;
	off = s->addr - c->entry;
	if (!range_inside(off, sizeof(word), 0, size) ||
	    mem_read(env->mem, s->addr, word, sizeof(word)) ||
	    memcmp(word, plan->code + off, sizeof(word)))
		return false;
	memcpy(&s->orig, word, sizeof(s->orig));
	s->kind = &site_image_diverted;
	c->place = IMAGE_DIVERTED;
	return true;
}

/* Has the process that instruction as its file, or a uprobe on it? Else it is diverted. */
static bool is_as_in_file(const struct image_site_plan *plan, const struct site_env *env,
			  const struct image_code *c, const struct entry_point *at)
{
	uint8_t now[INSN_LEN_MAX];

	if (!env->mem)
		return true;
	return at->len <= sizeof(now) && !mem_read(env->mem, c->entry + at->off, now, at->len) &&
	       (now[0] == 0xcc || now[0] == plan->code[at->off]) &&
	       !memcmp(now + 1, plan->code + at->off + 1, at->len - 1u);
}

static void plan_in_place(struct site *s, const struct image_site_plan *plan,
			  const struct site_env *env, bool at_start)
{
	struct image_code *c = s->own;
	bool emulated = c->code.emulated && c->code.probe.len && !at_start &&
			is_as_in_file(plan, env, c, &c->code.probe);

	c->place = emulated ? IMAGE_EMULATED : IMAGE_STEPPED;
	s->file_offset = plan->file_offset + (emulated ? c->code.probe.off : 0);
}

/* How many general registers pass arguments that matter, as far as anybody knows. */
static unsigned int registers_of(const struct site *s, const struct image_site_plan *plan)
{
	unsigned int n = 0;

	if (plan->count_only)
		return 0;
	if (!s->call)
		return HP_GPR_ARGS;
	if (!s->call->is_static)
		n += s->call->self.kind == ARG_GPR;
	for (int i = 0; i < s->call->sig.nparams; i++)
		n += s->call->args[i].kind == ARG_GPR;
	return n;
}

static int look_at_code(struct site *s, const struct image_site_plan *plan,
			const struct site_env *env)
{
	struct method_code code;
	int err = method_code_read_args(env->decoder, plan->bias + plan->nm.m.entry, plan->code,
					plan->nm.m.end - plan->nm.m.entry, registers_of(s, plan),
					&code);

	if (err)
		return err;
	s->own = keep(plan, &code);
	method_code_fini(&code);
	return s->own ? 0 : -ENOMEM;
}

int image_site_new(const struct image_site_plan *plan, const struct site_env *env, bool divert,
		   bool at_start, struct site **ret)
{
	struct site *s = site_alloc(&site_image_in_place, &plan->nm);
	int err;

	if (!s)
		return -ENOMEM;
	err = plan->desc ? site_know_call(s, CALL_NATIVE_IMAGE, plan->desc, plan->is_static) : 0;
	if (!err)
		err = look_at_code(s, plan, env);
	if (!err)
		err = site_finish(s);
	if (err) {
		site_free(s);
		return err;
	}
	if (!divert || !plan_divert(s, plan, env))
		plan_in_place(s, plan, env, at_start);
	*ret = s;
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
