// SPDX-License-Identifier: MIT
/* encoder.c - what all forms of output have in common. See encoder.h. */
#include "output/encoder.h"

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
	}
	return e;
}

void encoder_free(struct encoder *e)
{
	free(e);
}

void encoder_event(struct encoder *e, const struct event *ev)
{
	e->ops->add[ev->kind](e, ev);
}

void encoder_text(const struct encoder *e, struct buf *b, const struct event_text *t)
{
	e->ops->text(b, t);
}

void encoder_head(const struct encoder *e, struct buf *b, struct probe *p)
{
	struct buf head = {0};

	if (!p->head) {
		e->ops->head(e, &head, p);
		if (head.failed) {
			buf_fini(&head);
			return;
		}
		p->head = head.data;
		p->head_len = head.len;
	}
	buf_add(b, p->head, p->head_len);
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
