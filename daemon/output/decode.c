// SPDX-License-Identifier: MIT
/*
 * decode.c - a record from a probe, and the method it hit, become typed argument values.
 *
 * The bytes come from the BPF program, but what it copied came out of a hostile target: nothing in
 * a record is believed before decode_check() has held it against the record's size.
 */
#include "base/utf8.h"
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
static int check_texts(const struct decode_view *v, size_t first, size_t size,
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

int decode_check(const struct hp_record *rec, size_t size, struct decode_view *ret)
{
	struct cursor c = {(const uint8_t *)rec, (const uint8_t *)rec + size};
	struct decode_view v = {.e = cursor_take(&c, sizeof(*v.e))};

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
static const char *place_word(const struct decode_view *v, const struct abi_place *place,
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
static uint32_t trim_text(const struct event_text *t, uint32_t array_len)
{
	uint32_t len = t->len & ~(uint32_t)t->coder;

	if (t->coder && len < array_len)
		len = (uint32_t)utf8_cut_utf16(t->s, len);
	return len;
}

/* A native image passes another word than 0 for null, which the BPF program knows: capture.bpf.h.
 */
static bool is_null(const struct decode_view *v, const struct capture *c)
{
	return c->null_in_status && c->ref >= 0 && c->ref < v->e->nrefs &&
	       v->refs[c->ref].status == HP_REF_NULL;
}

static void decode_text(const struct decode_view *v, int16_t index, struct value_ref *ret)
{
	const struct hp_ref *ref = &v->refs[index];

	ret->has_text = true;
	ret->array_len = ref->array_len;
	ret->text = (struct event_text){
		.s = v->texts[index] ? v->texts[index] : (const uint8_t *)"",
		.len = ref->text_len,
		.coder = ref->coder,
	};
	ret->text.len = trim_text(&ret->text, ref->array_len);
}

static void decode_ref(const struct decode_view *v, int16_t index, uint64_t addr, struct value *ret)
{
	const struct hp_ref *ref;

	ret->ref = (struct value_ref){.addr = addr};
	if (!addr)
		return;
	if (index < 0 || index >= v->e->nrefs) {
		ret->error = "too many objects in one call";
		return;
	}
	ref = &v->refs[index];
	ret->ref.known = ref->status == HP_REF_OK || ref->status == HP_REF_STALE ||
			 ref->status == HP_REF_TOO_MANY;
	ret->ref.klass_word = ref->klass_word;
	ret->error = ref_error(ref->status);
	if (!ret->error && ref->coder <= 1)
		decode_text(v, index, &ret->ref);
}

static void decode_word(uint64_t word, struct value *ret)
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

void decode_value(const struct decode_view *v, const struct capture *c, struct value *ret)
{
	uint64_t word = 0;

	*ret = (struct value){.tag = c ? c->tag : 'L', .type = c ? c->type : NULL};
	ret->error = c ? place_word(v, &c->place, &word) : "no such argument";
	if (ret->error)
		return;
	if (ret->tag == 'L' || ret->tag == '[')
		decode_ref(v, c->ref, is_null(v, c) ? 0 : word, ret);
	else
		decode_word(word, ret);
}

/* --- events ----------------------------------------------------------------------------------- */

void decode_fini(struct decode *d)
{
	names_fini(&d->threads);
	buf_fini(&d->klasses);
}

/* A native image's threads have the kernel's id only. */
static uint64_t thread_key(uint64_t java_tid, uint32_t tid)
{
	return java_tid ? java_tid : tid;
}

/* Is a value shown by its class? */
static bool has_klass(const struct value *v)
{
	return !v->error && (v->tag == 'L' || v->tag == '[') && v->ref.known && !v->ref.has_text;
}

/* Names are copied: asking for the next one may end the life of the one before. */
static void name_classes(struct decode *d, const struct probe *p, size_t n)
{
	size_t at = 0;

	d->klasses.len = 0;
	for (size_t i = 0; i < n; i++) {
		struct value_ref *ref = &d->values[i].ref;
		const char *name;

		if (!has_klass(&d->values[i]))
			continue;
		name = d->klass(d->klass_arg, p, ref->klass_word, &ref->unnamed);
		buf_add(&d->klasses, name ? name : "", name ? strlen(name) + 1 : 1);
	}
	for (size_t i = 0; i < n; i++) {
		struct value_ref *ref = &d->values[i].ref;

		if (!has_klass(&d->values[i]))
			continue;
		if (d->klasses.failed) {
			ref->unnamed = "hotprobe is out of memory";
			continue;
		}
		ref->klass = d->klasses.data[at] ? d->klasses.data + at : NULL;
		at += strlen(d->klasses.data + at) + 1;
	}
}

static void take_values(struct decode *d, const struct probe *p, const struct decode_view *v)
{
	const struct capture_list *l = p->captures;

	for (size_t i = 0; i < l->n; i++)
		decode_value(v, &l->v[i], &d->values[i]);
	name_classes(d, p, l->n);
}

void decode_call(struct decode *d, struct probe *p, const struct decode_view *v, struct event *ret)
{
	const struct hp_entry *rec = v->e;
	const struct name_entry *name = names_get(&d->threads, thread_key(rec->java_tid, rec->tid));

	ret->kind = EVENT_CALL;
	ret->ts_ns = rec->h.ts_ns + d->wall_offset_ns;
	ret->pid = d->pid ? d->pid : (pid_t)rec->tgid;
	ret->call.probe = p;
	ret->call.tid = rec->tid;
	ret->call.jthread = rec->jthread;
	ret->call.java_tid = rec->java_tid;
	ret->call.thread = name ? name->text : NULL;
	ret->call.values = p->captures ? d->values : NULL;
	if (p->captures) {
		take_values(d, p, v);
		return;
	}
	for (unsigned int i = 0; i < HP_GPR_ARGS; i++)
		ret->call.raw[i] = rec->gpr[abi_gpr(ABI_NATIVE_IMAGE, i)];
}

void decode_thread(struct decode *d, const struct hp_record *rec, size_t size)
{
	const struct hp_thread *t = (const struct hp_thread *)rec;
	struct event_text text;
	struct buf b = {0};

	if (size < sizeof(*t) || t->text_len > HP_THREAD_NAME_MAX)
		return;
	text = (struct event_text){.s = t->text, .len = t->text_len, .coder = t->coder};
	if (t->coder == HP_CODER_NONE)
		text.len = (uint32_t)strnlen((const char *)t->text, t->text_len);
	else
		text.len = trim_text(&text, t->name_len);
	text.cut = text.len < t->name_len;
	if (t->status == HP_REF_OK)
		encoder_thread(d->encoder, &b, &text);
	buf_add(&b, "", 1);
	names_put(&d->threads, thread_key(t->java_tid, t->tid),
		  t->status == HP_REF_OK && !b.failed ? b.data : NULL, rec->ts_ns);
	buf_fini(&b);
}
