/* SPDX-License-Identifier: MIT */
/*
 * text.h - builds one line of JSON, of at most LINE_MAX_BYTES.
 */
#ifndef HP_AGENT_TEXT_H
#define HP_AGENT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Three names of a class file take 65535 bytes each; hardly any line is longer than 4 KiB. */
#define LINE_MAX_BYTES 65536

/* A line has room for three names of this length, and for what else there is to say. */
#define NAME_TEXT_MAX 16384
#define NAME_CUT      2048

/* Zero-initialised is empty; text_fini() frees it. */
struct text {
	char *data;
	size_t len, cap;
	bool failed; /* out of memory or too long: what is there is incomplete */
	/* What text_name() did to names, for the line's end: */
	size_t replaced; /* U+FFFD that stand for what is no character */
	bool cut;	 /* some name is not whole */
};

void text_fini(struct text *t);

void text_add(struct text *t, const char *s, size_t len);
void text_str(struct text *t, const char *s);
void text_u64(struct text *t, uint64_t v);
void text_i64(struct text *t, int64_t v);
void text_hex(struct text *t, uint64_t v); /* "0x..." with the quotes */

/** text_rewind() - forget what was added since @t was as @then; a failure is undone. */
void text_rewind(struct text *t, const struct text *then);

/**
 * text_name() - a JSON string from modified UTF-8 as the JVM gives it, null for NULL.
 *
 * The result is valid UTF-8 and valid JSON whatever @s holds, and no command to a terminal: pairs
 * of encoded surrogates become the character they mean, a lone one U+FFFD, C0 80 is \u0000, other
 * bytes are U+FFFD; controls and what changes the direction of text are escaped. A name that would
 * take more than NAME_TEXT_MAX bytes is cut to NAME_CUT of its own. The same as daemon/base/json.c.
 * Source: Java Virtual Machine Specification, 4.4.7.
 */
void text_name(struct text *t, const char *s);

/** text_class() - "Lcom/shop/Cart;" as text_name() "com.shop.Cart"; changes @signature. */
void text_class(struct text *t, char *signature);

#endif
