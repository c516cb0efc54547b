/* SPDX-License-Identifier: MIT */
/*
 * buf.h - a growing text, and numbers written into it.
 */
#ifndef HP_BUF_H
#define HP_BUF_H

#include "base/util.h"

/* A growing text. Zero-initialised is empty; buf_fini() frees it. Grows to BUF_MAX. */
#define BUF_MAX (64u << 20)

struct buf {
	char *data;
	size_t len, cap;
	bool failed; /* out of memory or over BUF_MAX: what is there is incomplete */
};

void buf_fini(struct buf *b);
#define _cleanup_buf_ _cleanup_(buf_fini)

/** buf_grow() - for buf_reserve(), where there is no room. */
char *buf_grow(struct buf *b, size_t n);

/* These are most of what an event costs, so they are inlined. */

/** buf_reserve() - make room for @n more bytes and return where they go; NULL when failed. */
static inline char *buf_reserve(struct buf *b, size_t n)
{
	if (b->data && n <= b->cap - b->len && !b->failed)
		return b->data + b->len;
	return buf_grow(b, n);
}

static inline void buf_add(struct buf *b, const char *s, size_t len)
{
	char *p = buf_reserve(b, len);

	if (!p)
		return;
	memcpy(p, s, len);
	b->len += len;
}

static inline void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_printf(struct buf *b, const char *fmt, ...) _printf_(2, 3);
/** buf_digits() - write @v in decimal so that it ends before @end, at most 20 bytes. Return: where
 * it begins. */
char *buf_digits(char *end, uint64_t v);
void buf_u64(struct buf *b, uint64_t v);
void buf_i64(struct buf *b, int64_t v);
void buf_hex(struct buf *b, uint64_t v); /* "0x..." with the quotes */

#endif
