// SPDX-License-Identifier: MIT
/* site.c - what is known of one site before it gets a slot. See site.h. */
#include "probe/site.h"
#include "output/format.h"
#include "target/codeheap.h"

/* Java access flag. Source: JVMS 4.6, table 4.6-A. */
#define ACC_STATIC 0x0008

void site_free(struct site *s)
{
	if (!s)
		return;
	free(s->call);
	free(s->types);
	free(s->json_head);
	free(s);
}

/* The part of an event that only depends on the site. */
static int make_head(struct site *s)
{
	const struct nmethod *nm = &s->nm;
	struct buf b = {0};
	char name[4096];
	size_t len;

	len = jsignature_name(&s->call->sig, nm->klass, nm->name, name, sizeof(name));
	buf_str(&b, ",\"method\":");
	json_str(&b, name, MIN(len, sizeof(name) - 1));
	buf_str(&b, ",\"class\":");
	json_str(&b, nm->klass, strlen(nm->klass));
	buf_str(&b, ",\"name\":");
	json_str(&b, nm->name, strlen(nm->name));
	buf_str(&b, ",\"descriptor\":");
	json_str(&b, nm->desc, strlen(nm->desc));
	buf_printf(&b, ",\"level\":%d,\"compile_id\":%u", nm->level, nm->compile_id);
	if (b.failed) {
		buf_fini(&b);
		return -ENOMEM;
	}
	s->json_head = b.data;
	s->json_head_len = b.len;
	return 0;
}

/* Source form of each parameter's type: one block, the pointers first. */
static int make_types(struct site *s)
{
	const struct jsignature *sig = &s->call->sig;
	size_t n = sig->nparams, text = 0;
	char *p;

	for (size_t i = 0; i < n; i++)
		text += jtype_name(sig, &sig->params[i], NULL, 0) + 1;
	s->types = malloc(n * sizeof(*s->types) + text + 1);
	if (!s->types)
		return -ENOMEM;
	p = (char *)(s->types + n);
	for (size_t i = 0; i < n; i++) {
		s->types[i] = p;
		p += jtype_name(sig, &sig->params[i], p, text) + 1;
	}
	return 0;
}

int site_new(const struct site_kind *kind, const struct site_env *env, const struct nmethod *nm,
	     struct site **ret, char *why, size_t size)
{
	struct site *s = calloc(1, sizeof(*s));
	uint32_t flags;
	int err;

	if (!s)
		return -ENOMEM;
	s->kind = kind;
	s->nm = *nm;
	s->call = calloc(1, sizeof(*s->call));
	err = s->call ? method_flags(env->mem, env->layout, nm->method, &flags) : -ENOMEM;
	if (err == 0) {
		err = call_layout_init(nm->desc, flags & ACC_STATIC, s->call);
		if (err)
			snprintf(why, size, "its descriptor %s does not parse", nm->desc);
	}
	if (err == 0)
		err = s->kind->plan(s, env, why, size);
	if (err == 0)
		err = make_types(s);
	if (err == 0)
		err = make_head(s);
	if (err) {
		site_free(s);
		return err;
	}
	*ret = s;
	return 0;
}

