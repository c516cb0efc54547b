/* SPDX-License-Identifier: MIT */
/*
 * glob.h - the pattern language of a SPEC's names: `*` is any text without a '.', `**` any text.
 * `**.` at the beginning or behind a '.', with another '.' to come, is any packages, also none:
 * "**.Cart.add" is Cart.add too. What follows a GLOB_ESCAPE stands for itself.
 *
 * Runs in time proportional to the product of the lengths, whatever the pattern.
 */
#ifndef HP_GLOB_H
#define HP_GLOB_H

#include "base/util.h"

#define GLOB_ESCAPE  '\\'
#define GLOB_LEN_MAX 4096 /* bytes of a pattern; a longer one matches nothing */

/*
 * The places in the pattern where the rest of it could begin to match the rest of the text, in
 * rising order. All are followed at once, so nothing is ever tried twice.
 */
struct glob_places {
	size_t n;
	uint16_t at[GLOB_LEN_MAX + 1];
};

struct glob {
	const char *pattern;
	size_t last_dot; /* where @pattern has it; 0: nowhere that matters */
	struct glob_places sets[2], *now, *next;
};

/** glob_match() - does the whole of @text match? */
bool glob_match(const char *pattern, const char *text);

/**
 * The same for a text in pieces: glob_begin(), glob_feed() each piece, glob_end(). Each returns
 * false as soon as nothing can match any more. @pattern must outlive @g.
 */
bool glob_begin(struct glob *g, const char *pattern);
bool glob_feed(struct glob *g, const char *text);
bool glob_end(const struct glob *g);

#endif
