/* SPDX-License-Identifier: MIT */
/*
 * names.h - short-lived knowledge: what a number in a record was called when we last looked.
 */
#ifndef HP_NAMES_H
#define HP_NAMES_H

#include "base/util.h"

/* A table that grew to this is emptied: what is still in use comes back by itself. */
#define NAMES_MAX	65536
#define NAMES_BYTES_MAX (64u << 20) /* of texts: the same */

struct name_entry {
	uint64_t key;	/* never 0 */
	char *text;	/* may be NULL */
	uint64_t ts_ns; /* when it was put in */
};

/* Zero-initialised is empty. Texts are copies: a target may rename its threads for ever. */
struct names {
	struct name_entry *entries;
	size_t n, cap, bytes;
};

void names_fini(struct names *t);
#define _cleanup_names_ _cleanup_(names_fini)

/** names_get() - the entry of @key, or NULL; valid until the next names_put(). */
const struct name_entry *names_get(const struct names *t, uint64_t key);

/** names_put() - remember @text (NULL: it has none) for @key. Out of memory it is not remembered.
 */
void names_put(struct names *t, uint64_t key, const char *text, uint64_t ts_ns);

#endif
