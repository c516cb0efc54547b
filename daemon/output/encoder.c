// SPDX-License-Identifier: MIT
/* encoder.c - what all forms of output have in common. See encoder.h. */
#include "base/utf8.h"
#include "output/encoder.h"

/* A longer head is not kept: there are thousands of probes, and a target may name its methods. */
#define HEAD_KEPT_MAX 16384

static const struct encoder_ops *const forms[] = {&encoder_json, &encoder_text_lines};

static const struct encoder_ops *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (strcmp(forms[i]->name, name) == 0)
			return forms[i];
	return NULL;
}

struct encoder *encoder_new(const char *name, const struct encoder_options *opt, struct buf *out)
{
	const struct encoder_ops *ops = find(name);
	struct encoder *e;

	if (!ops) {
		errno = EINVAL;
		return NULL;
	}
	e = calloc(1, sizeof(*e) + ops->own_size);
	if (e) {
		e->ops = ops;
		e->opt = *opt;
		e->out = out;
		e->text_max = SIZE_MAX;
	}
	return e;
}

void encoder_free(struct encoder *e)
{
	free(e);
}

void encoder_event(struct encoder *e, const struct event *ev)
{
	size_t first = e->out->len;

	e->ops->add[ev->kind](e, ev);
	if (e->out->len - first <= ENCODER_LINE_MAX)
		return;
	e->out->len = first;
	e->text_max = ENCODER_TEXT_CUT;
	e->ops->add[ev->kind](e, ev);
	e->text_max = SIZE_MAX;
}

void encoder_thread(const struct encoder *e, struct buf *b, const struct event_text *t)
{
	e->ops->thread(b, t);
}

/* Of what was written since @out had @first bytes. */
static void keep_head(const struct buf *out, size_t first, struct probe *p)
{
	size_t len = out->len - first;

	if (out->failed || !len || len > HEAD_KEPT_MAX)
		return;
	p->head = malloc(len);
	if (!p->head)
		return;
	memcpy(p->head, out->data + first, len);
	p->head_len = len;
}

void encoder_head(struct encoder *e, struct probe *p)
{
	bool whole = e->text_max == SIZE_MAX;
	size_t first = e->out->len;

	if (p->head && whole) {
		buf_add(e->out, p->head, p->head_len);
		return;
	}
	e->ops->head(e, p);
	if (whole)
		keep_head(e->out, first, p);
}

uint32_t encoder_cut(const struct encoder *e, const struct event_text *t)
{
	if (t->len <= e->text_max)
		return t->len;
	if (t->coder == HP_CODER_NONE)
		return (uint32_t)utf8_cut((const char *)t->s, t->len, e->text_max);
	return (uint32_t)(t->coder ? utf8_cut_utf16(t->s, e->text_max) : e->text_max);
}

void encoder_method(struct buf *b, const struct method *m)
{
	struct jsignature sig;

	buf_str(b, m->klass);
	buf_str(b, *m->klass ? "." : "");
	buf_str(b, m->name);
	if (!*m->desc || jsignature_parse(m->desc, &sig))
		return;
	buf_str(b, "(");
	for (int i = 0; i < sig.nparams; i++) {
		size_t len = jtype_name(&sig, &sig.params[i], NULL, 0);
		char *name = malloc(len + 1);

		if (!name)
			return;
		jtype_name(&sig, &sig.params[i], name, len + 1);
		buf_str(b, i ? ", " : "");
		buf_str(b, name);
		free(name);
	}
	buf_str(b, ")");
}

void encoder_title(struct buf *b, const struct probe *p)
{
	const struct capture_list *l = p->captures;

	buf_str(b, p->method.klass);
	buf_str(b, ".");
	buf_str(b, p->method.name);
	if (!l)
		return;
	for (int i = 0; i < capture_nargs(l); i++) {
		buf_str(b, i ? ", " : "(");
		buf_str(b, capture_arg(l, i)->type);
	}
	buf_str(b, capture_nargs(l) ? ")" : "()");
}

const char *encoder_coverage(enum coverage_state state)
{
	static const char *const names[COVERAGE_STATES] = {
		[COVERAGE_SEEN] = "seen",
		[COVERAGE_PARTLY] = "seen in part",
		[COVERAGE_NOT_THIS_WAY] = "not seen this way",
		[COVERAGE_NOT_YET] = "not yet",
		[COVERAGE_NEVER] = "never",
	};

	return names[state];
}
