// SPDX-License-Identifier: MIT
/*
 * json_arg.c - one argument as a JSON object. See json_arg.h, and docs/protocol.md for the form.
 *
 * What a value is not known to be is never printed: it becomes {"type":..,"error":"why"}.
 */
#include "output/json_arg.h"

#define add_literal(b, s) buf_add(b, s, sizeof(s) - 1)

static const char string_type[] = "java.lang.String";

static void add_text(struct buf *b, const char *type, const struct ref_value *ref)
{
	add_literal(b, "\"value\":");
	if (ref->coder)
		json_utf16(b, ref->text, ref->text_len);
	else
		json_latin1(b, ref->text, ref->text_len);
	add_literal(b, ",\"length\":");
	buf_u64(b, ref->array_len >> (ref->coder ? 1 : 0));
	if (ref->text_len < ref->array_len)
		add_literal(b, ",\"truncated\":true");
	else
		add_literal(b, ",\"truncated\":false");
	if (!type || strcmp(type, string_type) != 0)
		add_literal(b, ",\"class\":\"java.lang.String\"");
}

static void add_ref(struct buf *b, const char *type, const struct ref_value *ref,
		    klass_name_fn *klass, void *arg)
{
	if (!ref->addr) {
		add_literal(b, "\"value\":null");
		return;
	}
	if (ref->has_text) {
		add_text(b, type, ref);
		return;
	}

	const char *name = ref->known ? klass(arg, ref->klass_word) : NULL;

	add_literal(b, "\"class\":");
	if (name)
		json_str(b, name, strlen(name));
	else
		add_literal(b, "null");
	add_literal(b, ",\"addr\":");
	buf_hex(b, ref->addr);
}

static void add_primitive(struct buf *b, const struct arg_value *v)
{
	add_literal(b, "\"value\":");
	switch (v->tag) {
	case 'Z':
		if (v->z)
			add_literal(b, "true");
		else
			add_literal(b, "false");
		break;
	case 'C':
		json_char(b, v->c);
		break;
	case 'J':
		buf_i64(b, v->j);
		break;
	case 'F':
		json_float(b, v->f);
		break;
	case 'D':
		json_double(b, v->d);
		break;
	default:
		buf_i64(b, v->i);
	}
}

static bool is_ref(const struct arg_value *v)
{
	return v->tag == 'L' || v->tag == '[';
}

void json_arg(struct buf *b, const char *type, const struct arg_value *v, klass_name_fn *klass,
	      void *arg)
{
	const char *error = v->error ? v->error : is_ref(v) ? v->ref.error : NULL;

	add_literal(b, "{");
	if (type) {
		add_literal(b, "\"type\":");
		json_str(b, type, strlen(type));
		add_literal(b, ",");
	}
	if (error) {
		add_literal(b, "\"error\":");
		json_str(b, error, strlen(error));
	} else if (is_ref(v)) {
		add_ref(b, type, &v->ref, klass, arg);
	} else {
		add_primitive(b, v);
	}
	add_literal(b, "}");
}
