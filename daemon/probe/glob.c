// SPDX-License-Identifier: MIT
/* glob.c - patterns of names. See glob.h. */
#include "probe/glob.h"

/*
 * Add place @at and, since a star also stands for nothing, what is behind the star there; behind
 * its '.' too where the star stands for packages, and for none so far (@none). What lies before the
 * last place added is in the set already, with all that can be reached from there.
 */
static void reach(const struct glob *g, struct glob_places *set, size_t at, bool none)
{
	const char *p = g->pattern;

	while (!set->n || set->at[set->n - 1] < at) {
		size_t dot = at + strspn(p + at, "*");
		bool packages = none && dot - at > 1 && dot < g->last_dot && p[dot] == '.' &&
				(!at || p[at - 1] == '.');

		set->at[set->n++] = (uint16_t)at;
		if (dot == at)
			return;
		if (packages)
			set->at[set->n++] = (uint16_t)dot++;
		at = dot;
	}
}

bool glob_begin(struct glob *g, const char *pattern)
{
	if (strnlen(pattern, GLOB_LEN_MAX + 1) > GLOB_LEN_MAX)
		return false;
	g->pattern = pattern;
	g->last_dot = strrchr(pattern, '.') ? (size_t)(strrchr(pattern, '.') - pattern) : 0;
	g->now = &g->sets[0];
	g->next = &g->sets[1];
	g->now->n = 0;
	reach(g, g->now, 0, true);
	return true;
}

/* @at is no star: does it stand for @c? */
static void step_literal(struct glob *g, size_t at, char c)
{
	size_t escaped = g->pattern[at] == GLOB_ESCAPE;

	if (g->pattern[at + escaped] == c)
		reach(g, g->next, at + escaped + 1, true);
}

static void glob_step(struct glob *g, char c)
{
	struct glob_places *now = g->now, *next = g->next;

	next->n = 0;
	for (size_t i = 0; i < now->n; i++) {
		size_t at = now->at[i];

		if (g->pattern[at] == '*') {
			if (c != '.' || g->pattern[at + 1] == '*')
				reach(g, next, at, false);
		} else {
			step_literal(g, at, c);
		}
	}
	g->now = next;
	g->next = now;
}

bool glob_feed(struct glob *g, const char *text)
{
	for (; *text && g->now->n; text++)
		glob_step(g, *text);
	return g->now->n;
}

bool glob_end(const struct glob *g)
{
	return g->now->n && !g->pattern[g->now->at[g->now->n - 1]];
}

bool glob_match(const char *pattern, const char *text)
{
	struct glob g;

	return glob_begin(&g, pattern) && glob_feed(&g, text) && glob_end(&g);
}
