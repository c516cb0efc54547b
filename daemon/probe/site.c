// SPDX-License-Identifier: MIT
/* site.c - what is known of one site before it gets a slot. See site.h. */
#include "probe/site.h"
#include "runtime/hotspot/codeheap.h"

/* Java access flag. Source: JVMS 4.6, table 4.6-A. */
#define ACC_STATIC 0x0008

void site_free(struct site *s)
{
	if (!s)
		return;
	free(s->call);
	free(s->types);
	free(s->json_head);
	free(s->own);
	free(s);
}

/* The part of an event that only depends on the site. */
static int make_head(struct site *s)
{
	const struct nmethod *nm = &s->nm;
	struct buf b = {0};
	char name[4096];
	size_t len;

	if (s->call)
		len = jsignature_name(&s->call->sig, nm->m.klass, nm->m.name, name, sizeof(name));
	else
		len = (size_t)snprintf(name, sizeof(name), "%s.%s", nm->m.klass, nm->m.name);
	buf_str(&b, ",\"method\":");
	json_str(&b, name, MIN(len, sizeof(name) - 1));
	buf_str(&b, ",\"class\":");
	json_str(&b, nm->m.klass, strlen(nm->m.klass));
	buf_str(&b, ",\"name\":");
	json_str(&b, nm->m.name, strlen(nm->m.name));
	buf_str(&b, ",\"descriptor\":");
	if (*nm->m.desc)
		json_str(&b, nm->m.desc, strlen(nm->m.desc));
	else
		buf_str(&b, "null");
	buf_printf(&b, ",\"level\":%d,\"compile_id\":%u", nm->level, nm->compile_id);
	if (s->kind->head)
		s->kind->head(s, &b);
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

int site_know_call(struct site *s, enum call_convention convention, const char *desc,
		   bool is_static)
{
	s->call = calloc(1, sizeof(*s->call));
	return s->call ? call_layout_init(convention, desc, is_static, s->call) : -ENOMEM;
}

int site_finish(struct site *s)
{
	int err = s->call ? make_types(s) : 0;

	return err ? err : make_head(s);
}

struct site *site_alloc(const struct site_kind *kind, const struct nmethod *nm)
{
	struct site *s = calloc(1, sizeof(*s));

	if (s)
		*s = (struct site){.kind = kind, .nm = *nm};
	return s;
}

int site_new(const struct site_kind *kind, const struct site_env *env, const struct nmethod *nm,
	     struct site **ret, char *why, size_t size)
{
	struct site *s = site_alloc(kind, nm);
	uint32_t flags;
	int err;

	if (!s)
		return -ENOMEM;
	err = method_flags(env->mem, env->layout, nm->method_addr, &flags);
	if (err == 0) {
		err = site_know_call(s, CALL_HOTSPOT, nm->m.desc, flags & ACC_STATIC);
		if (err == -EPROTO)
			snprintf(why, size, "its descriptor %s does not parse", nm->m.desc);
	}
	if (err == 0)
		err = kind->plan(s, env, why, size);
	if (err == 0)
		err = site_finish(s);
	if (err) {
		site_free(s);
		return err;
	}
	*ret = s;
	return 0;
}
