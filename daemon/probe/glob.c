// SPDX-License-Identifier: MIT
/* glob.c - patterns of names. See glob.h. */
#include "probe/glob.h"

/* Add place @at and, since a star also stands for nothing, what is behind the star there. */
static void reach(struct glob_places *set, const char *pattern, size_t at)
{
	for (;;) {
		if (!set->n || set->at[set->n - 1] < at)
			set->at[set->n++] = (uint16_t)at;
		if (pattern[at] != '*')
			return;
		at += strspn(pattern + at, "*");
	}
}

bool glob_begin(struct glob *g, const char *pattern)
{
	if (strnlen(pattern, GLOB_LEN_MAX + 1) > GLOB_LEN_MAX)
		return false;
	g->pattern = pattern;
	g->now = &g->sets[0];
	g->next = &g->sets[1];
	g->now->n = 0;
	reach(g->now, pattern, 0);
	return true;
}

static void glob_step(struct glob *g, char c)
{
	struct glob_places *now = g->now, *next = g->next;

	next->n = 0;
	for (size_t i = 0; i < now->n; i++) {
		size_t at = now->at[i];

		if (g->pattern[at] == '*') {
			if (c != '.' || g->pattern[at + 1] == '*')
				reach(next, g->pattern, at);
		} else if (g->pattern[at] == c) {
			reach(next, g->pattern, at + 1);
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
