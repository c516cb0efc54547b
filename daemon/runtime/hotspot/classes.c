// SPDX-License-Identifier: MIT
/*
 * classes.c - every class that a JVM has loaded. See classes.h.
 *
 *   ClassLoaderDataGraph::_head -> ClassLoaderData -> _next -> ...
 *                                   |
 *                                   _klasses -> Klass -> _next_link -> ...
 *
 * Each hidden class has a ClassLoaderData of its own. Array classes stand among the others. Both
 * lists grow at their heads, and what is on them stays linked until a safepoint takes it off.
 */
#include "base/stop.h"
#include "runtime/hotspot/classes.h"
#include "runtime/hotspot/klass.h"
#include "runtime/hotspot/layout_code.h"
#include "runtime/hotspot/symbol.h"

/* The clock is looked at after so many. */
#define CLOCK_EVERY 64

struct walk {
	struct mem *m;
	const struct layout *l;
	uint64_t deadline_ns;
	uint32_t left; /* of CLASSES_MAX: loaders count too, so that a circle of lists ends */
	int (*fn)(void *arg, const struct class_entry *c);
	void *arg;
	char name[KLASS_NAME_MAX + 1];
};

/* The class's name as Java writes it. Return: its length; -ENOENT: an array; -errno. */
static int name_read(struct mem *m, const struct layout *l, uint64_t klass, uint64_t symbol,
		     char *name)
{
	char internal[SYMBOL_MAX + 1];
	int hidden, len = symbol_read(m, l, symbol, internal);

	if (len < 0)
		return len;
	if (internal[0] == '[')
		return -ENOENT;
	hidden = klass_is_hidden(m, l, klass, internal, (size_t)len);
	if (hidden < 0)
		return hidden;
	return (int)klass_external_name(internal, (size_t)len, hidden, name, KLASS_NAME_MAX + 1);
}

int class_read(struct mem *m, const struct layout *l, uint64_t klass, char *name,
	       struct class_entry *ret, uint64_t *next)
{
	const struct layout_code *c = l->code;
	uint8_t raw[KLASS_SPAN_MAX];
	int err = klass % 8 ? -EPROTO : mem_read(m, klass, raw, c->klass_span);

	if (err)
		return err;
	*next = field_get(raw, c->klass_link);
	err = name_read(m, l, klass, field_get(raw, c->klass_name), name);
	if (err < 0)
		return err;
	*ret = (struct class_entry){
		.klass = klass,
		.super = field_exists(c->klass_super) ? field_get(raw, c->klass_super) : 0,
		.methods = field_get(raw, c->klass_methods),
		.state = (uint8_t)field_get(raw, c->klass_state),
		.name = name,
		.len = (size_t)err,
	};
	return err == 0 || ret->state > CLASS_FAILED ? -EPROTO
	       : ret->state == CLASS_ALLOCATED	     ? -ENOENT
						     : 0;
}

static int step(struct walk *w)
{
	if (!w->left--)
		return -EPROTO;
	if (w->left % CLOCK_EVERY)
		return 0;
	return stop_asked() ? -ECANCELED : clock_ns() > w->deadline_ns ? -ETIMEDOUT : 0;
}

/* What does not read has been unloaded meanwhile, and the rest of its loader's list with it. */
static int loader_walk(struct walk *w, uint64_t klass)
{
	struct class_entry c;
	uint64_t next;
	int err = 0;

	while (!err && klass) {
		next = 0;
		err = class_read(w->m, w->l, klass, w->name, &c, &next);
		if (!err)
			err = w->fn(w->arg, &c);
		else if (err == -ENOENT || err == -EPROTO || err == -EFAULT)
			err = 0;
		klass = next;
		if (!err)
			err = step(w);
	}
	return err;
}

static int walk_all(struct walk *w)
{
	const struct layout_code *c = w->l->code;
	uint64_t cld, klasses;
	int err = mem_read_u64(w->m, c->cld_head, &cld);

	while (!err && cld) {
		err = cld % 8 ? -EPROTO : field_read(w->m, cld, c->cld_klasses, &klasses);
		if (!err)
			err = loader_walk(w, klasses);
		if (!err)
			err = field_read(w->m, cld, c->cld_next, &cld);
		if (!err)
			err = step(w);
	}
	return err;
}

int classes_walk(struct mem *m, const struct layout *l, uint64_t deadline_ns,
		 int (*fn)(void *arg, const struct class_entry *c), void *arg)
{
	struct walk *w = malloc(sizeof(*w));
	int err;

	if (!w)
		return -ENOMEM;
	w->m = m;
	w->l = l;
	w->deadline_ns = deadline_ns;
	w->left = CLASSES_MAX;
	w->fn = fn;
	w->arg = arg;
	err = l->missing[CAP_COVERAGE] ? -EPROTO : walk_all(w);
	free(w);
	return err;
}

int class_methods(struct mem *m, const struct layout *l, uint64_t array, uint64_t **ret)
{
	_cleanup_free_ uint64_t *list = NULL;
	uint32_t n;
	int err = mem_read_u32(m, array, &n);

	if (err)
		return err;
	if (n > CLASS_METHODS_MAX)
		return -EPROTO;
	list = calloc(n + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	err = mem_read(m, array + l->code->methods_data.off, list, n * sizeof(*list));
	if (err)
		return err;
	*ret = take_ptr(list);
	return (int)n;
}
