/* SPDX-License-Identifier: MIT */
/*
 * format.h - values become JSON text, fast and without allocation.
 *
 * Events come a million a second; a JSON library's tree per event would be most of their cost, so
 * events are written straight into a buffer. Requests and replies use jansson.
 */
#ifndef HP_FORMAT_H
#define HP_FORMAT_H

#include "output/decode.h"
#include "util.h"

/* A growing text. Zero-initialised is empty; buf_fini() frees it. Grows to BUF_MAX. */
#define BUF_MAX (64u << 20)

struct buf {
	char *data;
	size_t len, cap;
	bool failed; /* out of memory or over BUF_MAX: what is there is incomplete */
};

void buf_fini(struct buf *b);
/** buf_reserve() - make room for @n more bytes and return where they go; NULL when failed. */
char *buf_reserve(struct buf *b, size_t n);
void buf_add(struct buf *b, const char *s, size_t len);
void buf_str(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) _printf_(2, 3);
void buf_u64(struct buf *b, uint64_t v);
void buf_i64(struct buf *b, int64_t v);
void buf_hex(struct buf *b, uint64_t v); /* "0x..." with the quotes */

/** json_str() - a JSON string literal; @s is UTF-8, bytes that are not become U+FFFD. */
void json_str(struct buf *b, const char *s, size_t len);

/** json_latin1() / json_utf16() - the same from a Java string's bytes; a lone surrogate is escaped. */
void json_latin1(struct buf *b, const uint8_t *s, size_t len);
void json_utf16(struct buf *b, const uint8_t *s, size_t len_bytes);

/** json_float() / json_double() - shortest text that reads back the same; "NaN", "Infinity" quoted. */
void json_float(struct buf *b, float v);
void json_double(struct buf *b, double v);

/** json_char() - one UTF-16 code unit as a one-character string. */
void json_char(struct buf *b, uint16_t c);

/* How klass words become names: returns NULL when it cannot be known. */
typedef const char *klass_name_fn(void *arg, uint64_t klass_word);

/** json_arg() - {"type":..,"value":..}, as in docs/protocol.md. @type: source form of the declared type;
 * NULL for `this`, which has none. */
void json_arg(struct buf *b, const char *type, const struct arg_value *v, klass_name_fn *klass,
	      void *arg);

#endif
