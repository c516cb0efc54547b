// SPDX-License-Identifier: MIT
/*
 * decode.c - a record from a probe, and the method it hit, become typed argument values.
 *
 * The bytes come from the BPF program, but what it copied came out of a hostile target: nothing in
 * a record is believed before entry_check() has held it against the record's size.
 */
#include "output/decode.h"

/* --- records ---------------------------------------------------------------------------------- */

/* Takes the next @len bytes of a record; NULL when it has not so many. */
struct cursor {
	const uint8_t *at, *end;
};

static const void *cursor_take(struct cursor *c, size_t len)
{
	if (len > (size_t)(c->end - c->at))
		return NULL;

	const void *p = c->at;

	c->at += len;
	return p;
}

/* Texts lie behind the references, which end at @first. */
static int check_texts(const struct entry_view *v, size_t first, size_t size,
		       const uint8_t *texts[static HP_REFS_MAX])
{
	const uint8_t *rec = (const uint8_t *)v->e;

	for (size_t i = 0; i < v->e->nrefs; i++) {
		const struct hp_ref *ref = &v->refs[i];

		if (!ref->text_len)
			continue;
		if (ref->status != HP_REF_OK || ref->coder > 1)
			return -EPROTO;
		if (ref->text_len > HP_TEXT_MAX || ref->text_len > ref->array_len)
			return -EPROTO;
		if (!range_inside(ref->text_off, ref->text_len, first, size))
			return -EPROTO;
		texts[i] = rec + ref->text_off;
	}
	return 0;
}

int entry_check(const struct hp_record *rec, size_t size, struct entry_view *ret)
{
	struct cursor c = {(const uint8_t *)rec, (const uint8_t *)rec + size};
	struct entry_view v = {.e = cursor_take(&c, sizeof(*v.e))};

	if (!v.e || v.e->h.size != size || v.e->h.kind != HP_ENTRY)
		return -EPROTO;
	if (v.e->nstack > HP_STACK_WORDS_MAX || v.e->nrefs > HP_REFS_MAX)
		return -EPROTO;
	if (v.e->flags & HP_SLOT_FP) {
		v.fp = cursor_take(&c, HP_FP_ARGS * sizeof(*v.fp));
		if (!v.fp)
			return -EPROTO;
	}
	v.stack = cursor_take(&c, v.e->nstack * sizeof(*v.stack));
	if (!v.stack)
		return -EPROTO;
	v.refs = cursor_take(&c, v.e->nrefs * sizeof(*v.refs));
	if (!v.refs || check_texts(&v, (size_t)(c.at - (const uint8_t *)rec), size, v.texts))
		return -EPROTO;
	*ret = v;
	return 0;
}

/* --- values ----------------------------------------------------------------------------------- */

/* The raw word at @place. Return: NULL, or why there is none. */
static const char *place_word(const struct entry_view *v, const struct abi_place *place,
			      uint64_t *ret)
{
	switch (place->kind) {
	case ABI_GPR:
		if (place->index >= HP_GPR_ARGS)
			return "the record does not fit the method";
		*ret = v->e->gpr[place->index];
		return NULL;
	case ABI_FP:
		if (!v->fp || place->index >= HP_FP_ARGS)
			return "the slot did not save the floating-point registers";
		*ret = v->fp[place->index];
		return NULL;
	case ABI_STACK:
		if (place->index / 8u >= v->e->nstack)
			return "the record does not fit the method";
		if (v->e->stack_err)
			return "the stack could not be read";
		*ret = v->stack[place->index / 8u];
		return NULL;
	}
	return "unknown place";
}

static const char *ref_error(uint8_t status)
{
	switch (status) {
	case HP_REF_OK:
		return NULL;
	case HP_REF_FAULT:
		return "its memory could not be read at the call";
	case HP_REF_STALE:
		return "the collector was moving it at the call";
	case HP_REF_TOO_MANY:
		return "too many strings in one call";
	default:
		return "the record does not fit the method";
	}
}

/* A text that was cut between the halves of a surrogate pair, or of a code unit, loses the half. */
static uint32_t trim_text(const struct ref_value *ref)
{
	uint32_t len = ref->text_len & ~(uint32_t)ref->coder;

	if (ref->coder && len >= 2 && len < ref->array_len && (ref->text[len - 1] & 0xfc) == 0xd8)
		len -= 2;
	return len;
}

/* A native image passes another word than 0 for null, which the BPF program knows: capture.bpf.h.
 */
static bool is_null(const struct entry_view *v, const struct capture *c)
{
	return c->null_in_status && c->ref >= 0 && c->ref < v->e->nrefs &&
	       v->refs[c->ref].status == HP_REF_NULL;
}

static void decode_ref(const struct entry_view *v, int16_t index, uint64_t addr,
		       struct ref_value *ret)
{
	*ret = (struct ref_value){.addr = addr, .coder = HP_CODER_NONE};
	if (!addr)
		return;
	if (index < 0 || index >= v->e->nrefs) {
		ret->error = "too many objects in one call";
		return;
	}

	const struct hp_ref *ref = &v->refs[index];

	ret->known = ref->status == HP_REF_OK || ref->status == HP_REF_STALE ||
		     ref->status == HP_REF_TOO_MANY;
	ret->klass_word = ref->klass_word;
	ret->error = ref_error(ref->status);
	if (ret->error || ref->coder > 1)
		return;
	ret->has_text = true;
	ret->coder = ref->coder;
	ret->text = v->texts[index] ? v->texts[index] : (const uint8_t *)"";
	ret->text_len = ref->text_len;
	ret->array_len = ref->array_len;
	ret->text_len = trim_text(ret);
}

static void decode_word(uint64_t word, struct arg_value *ret)
{
	uint32_t low = (uint32_t)word;

	switch (ret->tag) {
	case 'Z':
		ret->z = word & 1;
		break;
	case 'B':
		ret->i = (int8_t)word;
		break;
	case 'S':
		ret->i = (int16_t)word;
		break;
	case 'C':
		ret->c = (uint16_t)word;
		break;
	case 'I':
		ret->i = (int32_t)word;
		break;
	case 'J':
		ret->j = (int64_t)word;
		break;
	case 'F':
		memcpy(&ret->f, &low, sizeof(ret->f));
		break;
	case 'D':
		memcpy(&ret->d, &word, sizeof(ret->d));
		break;
	default:
		ret->error = "unknown type";
	}
}

void entry_value(const struct entry_view *v, const struct capture *c, struct arg_value *ret)
{
	uint64_t word = 0;

	*ret = (struct arg_value){.tag = c ? c->tag : 'L'};
	ret->error = c ? place_word(v, &c->place, &word) : "no such argument";
	if (ret->error)
		return;
	if (ret->tag == 'L' || ret->tag == '[')
		decode_ref(v, c->ref, is_null(v, c) ? 0 : word, &ret->ref);
	else
		decode_word(word, ret);
}
