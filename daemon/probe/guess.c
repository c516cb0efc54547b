// SPDX-License-Identifier: MIT
/* guess.c - "did you mean" for a SPEC whose class is not there. See guess.h. */
#include <stdarg.h>

#include "probe/guess.h"

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

	*g = (struct guess){.spec = spec, .method = method ? method : ""};
	if (spec_names_class(spec, &len) && len <= NEAREST_LEN_MAX) {
		memcpy(g->klass, spec_pattern(spec), len);
		g->exact = true;
	}
	g->simple = simple_name(g->klass);
	nearest_init(&g->near, g->klass);
}

/* A class of that simple name, in another package. */
static void offer_same(struct guess *g, const char *klass, bool has)
{
	if (!has)
		snprintf(g->without, sizeof(g->without), "%s", klass);
	else if (g->nsame < GUESS_SAME_MAX)
		snprintf(g->same[g->nsame++], sizeof(g->same[0]), "%s", klass);
}

void guess_offer(struct guess *g, const char *klass, bool (*has)(void *arg, const char *method),
		 void *arg)
{
	if (!g->exact || strnlen(klass, NEAREST_LEN_MAX + 1) > NEAREST_LEN_MAX)
		return;
	g->is_class |= !strcmp(klass, spec_pattern(g->spec));
	if (strchr(g->klass, '/') && equal_but(g->klass, klass, '/', '.'))
		snprintf(g->slashes, sizeof(g->slashes), "%s", klass);
	if (strchr(klass, '$') && equal_but(g->klass, klass, '.', '$'))
		snprintf(g->nested, sizeof(g->nested), "%s", klass);
	if (!strcmp(g->simple, simple_name(klass)))
		offer_same(g, klass, has(arg, g->method));
	else if (nearest_better(&g->near, klass) && has(arg, g->method))
		nearest_offer(&g->near, klass);
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

void guess_mean(const struct guess *g, char *buf, size_t size)
{
	const char *near = nearest_found(&g->near);

	buf[0] = '\0';
	if (g->is_class)
		mean(buf, size, "%s.*", spec_pattern(g->spec));
	else if (*g->slashes || *g->nested)
		mean(buf, size, "%s.%s", *g->slashes ? g->slashes : g->nested, g->method);
	else if (!g->nsame && *g->without)
		mean(buf, size, "%s.*", g->without);
	else if (!g->nsame && near)
		mean(buf, size, "%s.%s", near, g->method);
	else
		for (size_t i = 0; i < g->nsame; i++)
			mean(buf, size, "%s.%s", g->same[i], g->method);
}
