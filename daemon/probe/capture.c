// SPDX-License-Identifier: MIT
/* capture.c - what is taken at a hit. See capture.h. */
#include "probe/capture.h"

static bool is_string(const struct jsignature *sig, const struct jtype *type)
{
	static const char string_desc[] = "Ljava/lang/String;";

	return type->len == sizeof(string_desc) - 1 &&
	       memcmp(sig->desc + type->off, string_desc, type->len) == 0;
}

/* The next value, of a type with this @tag. */
static struct capture *add(struct capture_list *l, struct abi_placing *p, char tag)
{
	bool is_ref = tag == 'L' || tag == '[';
	struct capture *c = &l->v[l->n++];

	*c = (struct capture){
		.place = abi_place_next(p, tag == 'F' || tag == 'D'),
		.tag = tag,
		.null_in_status = l->convention == ABI_NATIVE_IMAGE,
		.ref = is_ref && l->nrefs < HP_REFS_MAX ? (int16_t)l->nrefs++ : -1,
	};
	return c;
}

static size_t types_size(const struct jsignature *sig)
{
	size_t size = 0;

	for (size_t i = 0; i < sig->nparams; i++)
		size += jtype_name(sig, &sig->params[i], NULL, 0) + 1;
	return size;
}

static void fill(struct capture_list *l, const struct jsignature *sig, char *text, size_t size)
{
	struct abi_placing p = {.convention = l->convention};

	if (l->has_this)
		add(l, &p, 'L');
	for (size_t i = 0; i < sig->nparams; i++) {
		struct capture *c = add(l, &p, sig->params[i].tag);

		c->text = is_string(sig, &sig->params[i]);
		c->type = text;
		text += jtype_name(sig, &sig->params[i], text, size) + 1;
	}
	l->uses_fp = p.fp > 0;
	l->nstack = p.stack;
}

int capture_list_new(enum abi_convention convention, const char *desc, bool is_static,
		     struct capture_list **ret)
{
	struct jsignature sig;
	struct capture_list *l;
	size_t n, size;
	int err = jsignature_parse(desc, &sig);

	if (err)
		return err;
	n = sig.nparams + (is_static ? 0u : 1u);
	size = types_size(&sig);
	l = calloc(1, sizeof(*l) + n * sizeof(*l->v) + size);
	if (!l)
		return -ENOMEM;
	l->convention = convention;
	l->has_this = !is_static;
	fill(l, &sig, (char *)(l->v + n), size);
	*ret = l;
	return 0;
}

const struct capture *capture_arg(const struct capture_list *l, int i)
{
	if (i < -1 || i >= capture_nargs(l) || (i == -1 && !l->has_this))
		return NULL;
	return &l->v[i + l->has_this];
}

int capture_nargs(const struct capture_list *l)
{
	return l->n - l->has_this;
}

unsigned int capture_ngpr(const struct capture_list *l)
{
	unsigned int n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += l->v[i].place.kind == ABI_GPR;
	return n;
}

static void add_ref_spec(const struct capture_list *l, const struct capture *c,
			 struct hp_slot_spec *spec)
{
	uint16_t loc = c->place.index;

	if (c->ref < 0)
		return;
	if (c->place.kind == ABI_STACK)
		loc = (uint16_t)(HP_LOC_STACK | (abi_stack_off(l->convention) + loc));
	spec->refs[c->ref] = (struct hp_ref_spec){.loc = loc, .text = c->text};
	spec->ntexts = (uint8_t)(spec->ntexts + c->text);
}

void capture_slot_spec(const struct capture_list *l, struct hp_slot_spec *ret)
{
	*ret = (struct hp_slot_spec){
		.flags = l->uses_fp ? HP_SLOT_FP : 0,
		.nstack = l->nstack,
		.nrefs = (uint8_t)l->nrefs,
	};
	for (size_t i = 0; i < l->n; i++)
		add_ref_spec(l, &l->v[i], ret);
}
