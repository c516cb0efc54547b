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

/*
 * Names of classes lie far apart, so those of many classes are read together: so many, and of each
 * Symbol so much. A longer one is read by itself.
 */
#define BATCH_MAX  512
#define FRONT_SIZE 112

/* The clock is looked at after so many steps. */
#define CLOCK_EVERY 256

struct waiting {
	struct class_entry c;
	uint64_t symbol;
	uint8_t front[FRONT_SIZE];
};

struct walk {
	struct mem *m, *paged; /* the same; names are read by the first one */
	const struct layout *l;
	uint64_t deadline_ns;
	uint32_t left; /* of CLASSES_MAX: loaders count too, so that a circle of lists ends */
	int (*fn)(void *arg, const struct class_entry *c);
	void *arg;
	size_t n;
	struct waiting batch[BATCH_MAX];
	struct mem_vec vec[BATCH_MAX];
	char name[KLASS_NAME_MAX + 1];
};

/* From the JVM's text to Java's. Return: its length; -ENOENT: an array; -errno. */
static int name_decode(struct mem *m, const struct layout *l, uint64_t klass, const char *internal,
		       size_t len, char *name)
{
	int hidden;

	if (internal[0] == '[')
		return -ENOENT;
	hidden = klass_is_hidden(m, l, klass, internal, len);
	if (hidden < 0)
		return hidden;
	return (int)klass_external_name(internal, len, hidden, name, KLASS_NAME_MAX + 1);
}

static int name_read(struct mem *m, const struct layout *l, uint64_t klass, uint64_t symbol,
		     char *name)
{
	_cleanup_free_ char *internal = malloc(SYMBOL_MAX + 1);
	int len = internal ? symbol_read(m, l, symbol, internal) : -ENOMEM;

	return len < 0 ? len : name_decode(m, l, klass, internal, (size_t)len, name);
}

/* Everything but the name. */
static int entry_read(struct mem *m, const struct layout *l, uint64_t klass,
		      struct class_entry *ret, uint64_t *symbol, uint64_t *next)
{
	const struct layout_code *c = l->code;
	uint8_t raw[KLASS_SPAN_MAX];
	int err = klass % 8 ? -EPROTO : mem_read(m, klass, raw, c->klass_span);

	if (err)
		return err;
	*next = field_get(raw, c->klass_link);
	*symbol = field_get(raw, c->klass_name);
	*ret = (struct class_entry){
		.klass = klass,
		.super = field_exists(c->klass_super) ? field_get(raw, c->klass_super) : 0,
		.methods = field_get(raw, c->klass_methods),
		.state = (uint8_t)field_get(raw, c->klass_state),
	};
	return 0;
}

/* An array's state is whatever stands there. */
static int entry_name(struct class_entry *c, const char *name, int len)
{
	if (len <= 0)
		return len ? len : -EPROTO;
	c->name = name;
	c->len = (size_t)len;
	return c->state > CLASS_FAILED ? -EPROTO : c->state == CLASS_ALLOCATED ? -ENOENT : 0;
}

int class_read(struct mem *m, const struct layout *l, uint64_t klass, char *name,
	       struct class_entry *ret)
{
	uint64_t symbol, next;
	int err = entry_read(m, l, klass, ret, &symbol, &next);

	return err ? err : entry_name(ret, name, name_read(m, l, klass, symbol, name));
}

/* --- all -------------------------------------------------------------------------------------- */

/* By the front of its Symbol, if that holds all of it. */
static int waiting_name(struct walk *w, const struct waiting *c, const struct mem_vec *v)
{
	const struct layout_code *lc = w->l->code;
	char internal[FRONT_SIZE + 1];
	uint64_t len = v->err ? UINT64_MAX : field_get(c->front, lc->symbol_length);
	int n;

	if (len == 0 || len >= FRONT_SIZE || lc->symbol_body.off + len > FRONT_SIZE)
		return name_read(w->paged, w->l, c->c.klass, c->symbol, w->name);
	memcpy(internal, c->front + lc->symbol_body.off, len);
	n = symbol_check(internal, len);
	if (n < 0)
		return n;
	internal[n] = '\0';
	return name_decode(w->paged, w->l, c->c.klass, internal, (size_t)n, w->name);
}

/* One step along a list. A circle ends here, as does what takes too long. */
static int step(struct walk *w)
{
	if (!w->left--)
		return -EPROTO;
	if (w->left % CLOCK_EVERY)
		return 0;
	return stop_asked() ? -ECANCELED : clock_ns() > w->deadline_ns ? -ETIMEDOUT : 0;
}

/* What does not read is being unloaded. */
static int flush(struct walk *w)
{
	int err;

	for (size_t i = 0; i < w->n; i++)
		w->vec[i] = (struct mem_vec){w->batch[i].symbol, w->batch[i].front, FRONT_SIZE, 0};
	err = mem_readv(w->m, w->vec, w->n);
	for (size_t i = 0; i < w->n && !err; i++) {
		struct class_entry *c = &w->batch[i].c;

		err = entry_name(c, w->name, waiting_name(w, &w->batch[i], &w->vec[i]));
		if (!err)
			err = w->fn(w->arg, c);
		else if (err == -ENOENT || err == -EPROTO || err == -EFAULT)
			err = 0;
	}
	w->n = 0;
	return err;
}

/* What does not read has been unloaded meanwhile, and the rest of its loader's list with it. */
static int loader_walk(struct walk *w, uint64_t klass)
{
	int err = 0;

	while (!err && klass) {
		struct waiting *c = &w->batch[w->n];
		uint64_t next = 0;

		err = step(w);
		if (err)
			break;
		err = entry_read(w->paged, w->l, klass, &c->c, &c->symbol, &next);
		if (!err && ++w->n == BATCH_MAX)
			err = flush(w);
		else if (err == -EPROTO || err == -EFAULT)
			err = 0;
		klass = next;
	}
	return err;
}

static int walk_all(struct walk *w)
{
	const struct layout_code *c = w->l->code;
	uint64_t cld, klasses;
	int err = mem_read_u64(w->m, c->cld_head, &cld);

	while (!err && cld) {
		err = step(w);
		if (err)
			break;
		err = cld % 8 ? -EPROTO : field_read(w->m, cld, c->cld_klasses, &klasses);
		if (!err)
			err = loader_walk(w, klasses);
		if (!err)
			err = field_read(w->m, cld, c->cld_next, &cld);
	}
	return err ? err : flush(w);
}

int classes_walk(struct mem *m, struct mem *paged, const struct layout *l, uint64_t deadline_ns,
		 int (*fn)(void *arg, const struct class_entry *c), void *arg)
{
	struct walk *w = malloc(sizeof(*w));
	int err;

	if (!w)
		return -ENOMEM;
	w->m = m;
	w->paged = paged;
	w->l = l;
	w->deadline_ns = deadline_ns;
	w->left = CLASSES_MAX;
	w->fn = fn;
	w->arg = arg;
	w->n = 0;
	err = l->missing[CAP_COVERAGE] ? -EPROTO : walk_all(w);
	free(w);
	return err;
}

/* --- one -------------------------------------------------------------------------------------- */

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
