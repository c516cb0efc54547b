// SPDX-License-Identifier: MIT
/* guess.c - "did you mean" for a SPEC whose class is not there. See guess.h. */
#include <stdarg.h>

#include "probe/guess.h"

/* How a class's name is the one that was written, the best first. */
enum {
	SAME_TAIL = 1, /* all that was written; the package before it is missing */
	SAME_SIMPLE,   /* behind the package */
	SAME_FOLDED,   /* the same but for upper and lower case */
	SAME_NOT,
};

static const char *simple_name(const char *klass)
{
	const char *dot = strrchr(klass, '.'), *dollar;

	klass = dot ? dot + 1 : klass;
	dollar = strrchr(klass, '$');
	return dollar && dollar[1] ? dollar + 1 : klass;
}

/* Are they equal but that @from stands for @to? */
static bool equal_but(const char *a, const char *b, char from, char to)
{
	for (; *a && *b; a++, b++)
		if (*a != *b && !(*a == from && *b == to))
			return false;
	return *a == *b;
}

void guess_init(struct guess *g, const struct spec *spec)
{
	const char *method = spec_method_at(spec);
	size_t len;

	*g = (struct guess){.spec = spec, .method = method ? method : "", .kind = SAME_NOT};
	if (spec_names_class(spec, &len) && len <= NEAREST_LEN_MAX) {
		memcpy(g->klass, spec_pattern(spec), len);
		g->exact = true;
	}
	g->simple = simple_name(g->klass);
	g->wanted = guess_is_constructor(g->klass, g->method) ? "<init>" : g->method;
	g->similar_mistakes = SIZE_MAX;
	nearest_init(&g->near, g->klass);
	nearest_init(&g->without, g->klass);
	g->without.best = 2; /* its name is all that speaks for it: one mistake */
	nearest_init(&g->near_simple, g->simple);
}

static int same_kind(const struct guess *g, const char *klass)
{
	size_t n = strlen(g->klass), len = strlen(klass);
	const char *tail = klass + len - n;

	if (n < len && (tail[-1] == '.' || tail[-1] == '$') && equal_but(g->klass, tail, '.', '$'))
		return SAME_TAIL;
	if (!strcmp(g->simple, simple_name(klass)))
		return SAME_SIMPLE;
	return strcasecmp(g->simple, simple_name(klass)) ? SAME_NOT : SAME_FOLDED;
}

static void offer_same(struct guess *g, const char *klass, int kind)
{
	if (kind > g->kind)
		return;
	if (kind < g->kind)
		g->nsame = 0;
	g->kind = kind;
	if (g->nsame < GUESS_MAX)
		snprintf(g->same[g->nsame++], sizeof(g->same[0]), "%s", klass);
}

static bool simple_is_better(const struct guess *g, const char *klass)
{
	return g->simple == g->klass && strlen(g->simple) > 2 &&
	       nearest_better(&g->near_simple, simple_name(klass));
}

/* It has such a method. */
static void offer_with(struct guess *g, const char *klass, int kind)
{
	if (kind != SAME_NOT)
		offer_same(g, klass, kind);
	if (simple_is_better(g, klass)) {
		nearest_offer(&g->near_simple, simple_name(klass));
		snprintf(g->of_simple, sizeof(g->of_simple), "%s", klass);
	}
	nearest_offer(&g->near, klass);
}

/* It has none; @like: the nearest of those that it has, or NULL. */
static void offer_without(struct guess *g, const char *klass, int kind, const struct nearest *like)
{
	size_t far = nearest_distance(g->klass, klass, g->without.max);
	size_t mistakes =
		like->best + (far <= g->without.max ? far : g->without.max + (size_t)kind);

	if (nearest_found(like) && mistakes < g->similar_mistakes &&
	    (kind != SAME_NOT || far <= g->without.max)) {
		snprintf(g->similar, sizeof(g->similar), "%s.%s", klass, nearest_found(like));
		g->similar_mistakes = mistakes;
	}
	nearest_offer(&g->without, klass);
}

void guess_offer(struct guess *g, const char *klass, guess_has *has, void *arg)
{
	struct nearest like;
	int kind;

	if (!g->exact || strnlen(klass, NEAREST_LEN_MAX + 1) > NEAREST_LEN_MAX)
		return;
	g->is_class |= !strcmp(klass, spec_pattern(g->spec));
	if (strchr(g->klass, '/') && equal_but(g->klass, klass, '/', '.'))
		snprintf(g->slashes, sizeof(g->slashes), "%s", klass);
	if (strchr(klass, '$') && equal_but(g->klass, klass, '.', '$'))
		snprintf(g->nested, sizeof(g->nested), "%s", klass);
	kind = same_kind(g, klass);
	if (kind == SAME_NOT && !nearest_better(&g->near, klass) &&
	    !nearest_better(&g->without, klass) && !simple_is_better(g, klass))
		return;
	nearest_init(&like, g->wanted);
	if (has(arg, g->wanted, &like))
		offer_with(g, klass, kind);
	else
		offer_without(g, klass, kind, &like);
}

const char *guess_mistake(const struct guess *g)
{
	if (g->is_class)
		return "that is a class: a SPEC is CLASS.METHOD";
	if (*g->slashes)
		return "class names are written with dots";
	return *g->nested ? "a nested class is written with '$'" : NULL;
}

_printf_(3, 4) static void mean(char *buf, size_t size, const char *fmt, ...)
{
	size_t len = strlen(buf);
	va_list ap;

	if (len)
		len += (size_t)snprintf(buf + len, size - len, ", ");
	if (len >= size)
		return;
	va_start(ap, fmt);
	vsnprintf(buf + len, size - len, fmt, ap);
	va_end(ap);
}

/* Classes that have the method: the one that is nearly what was written, then others. */
static void mean_with(const struct guess *g, char *buf, size_t size)
{
	const char *near = nearest_found(&g->near);

	if (near)
		mean(buf, size, "%s.%s", near, g->wanted);
	for (size_t i = 0; i < MIN(g->nsame, (size_t)GUESS_MAX - (near != NULL)); i++)
		if (!near || strcmp(near, g->same[i]))
			mean(buf, size, "%s.%s", g->same[i], g->wanted);
	if (!*buf && *g->of_simple)
		mean(buf, size, "%s.%s", g->of_simple, g->wanted);
}

void guess_mean(const struct guess *g, char *buf, size_t size)
{
	buf[0] = '\0';
	if (g->is_class)
		mean(buf, size, "%s.*", spec_pattern(g->spec));
	else if (*g->slashes || *g->nested)
		mean(buf, size, "%s.%s", *g->slashes ? g->slashes : g->nested, g->wanted);
	else
		mean_with(g, buf, size);
	if (!*buf && *g->similar)
		mean(buf, size, "%s", g->similar);
	if (!*buf && nearest_found(&g->without))
		mean(buf, size, "%s.*", nearest_found(&g->without));
}

bool guess_is_constructor(const char *klass, const char *method)
{
	return !strcmp(method, "new") || !strcmp(method, simple_name(klass));
}
