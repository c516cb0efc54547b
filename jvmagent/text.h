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

/* Zero-initialised is empty; text_fini() frees it. */
struct text {
	char *data;
	size_t len, cap;
	bool failed; /* out of memory or too long: what is there is incomplete */
};

void text_fini(struct text *t);

void text_add(struct text *t, const char *s, size_t len);
void text_str(struct text *t, const char *s);
void text_u64(struct text *t, uint64_t v);
void text_i64(struct text *t, int64_t v);
void text_hex(struct text *t, uint64_t v); /* "0x..." with the quotes */

/** text_rewind() - forget what was added since @t had @len bytes; a failure is undone. */
void text_rewind(struct text *t, size_t len);

/**
 * text_name() - a JSON string from modified UTF-8 as the JVM gives it, null for NULL.
 *
 * The result is valid UTF-8 and valid JSON whatever @s holds: pairs of encoded surrogates become
 * the character they mean, a lone one is escaped, C0 80 is \u0000, other bytes are U+FFFD.
 * Source: Java Virtual Machine Specification, 4.4.7.
 */
void text_name(struct text *t, const char *s);

/** text_class() - "Lcom/shop/Cart;" as text_name() "com.shop.Cart"; changes @signature. */
void text_class(struct text *t, char *signature);

#endif
