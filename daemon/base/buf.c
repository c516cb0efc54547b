// SPDX-License-Identifier: MIT
/* buf.c - a growing text, and numbers written into it. See buf.h. */
#include <stdarg.h>

#include "base/buf.h"

#define BUF_FIRST 4096

/* The longest number: "-9223372036854775808", with room to spare. */
#define INT_TEXT_MAX 24

void buf_fini(struct buf *b)
{
	free(b->data);
	*b = (struct buf){0};
}

char *buf_grow(struct buf *b, size_t n)
{
	if (b->failed || n > BUF_MAX || b->len + n > BUF_MAX)
		goto fail;

	size_t cap = b->cap ? b->cap : BUF_FIRST;

	while (cap < b->len + n)
		cap *= 2;

	char *data = realloc(b->data, cap);

	if (!data)
		goto fail;
	b->data = data;
	b->cap = cap;
	return b->data + b->len;
fail:
	b->failed = true;
	return NULL;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);

	char *p = n < 0 ? NULL : buf_reserve(b, (size_t)n + 1);

	if (!p)
		return;
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

/* Two digits a step: half the divisions. */
static const char digit_pairs[201] = "00010203040506070809"
				     "10111213141516171819"
				     "20212223242526272829"
				     "30313233343536373839"
				     "40414243444546474849"
				     "50515253545556575859"
				     "60616263646566676869"
				     "70717273747576777879"
				     "80818283848586878889"
				     "90919293949596979899";

char *buf_digits(char *end, uint64_t v)
{
	while (v >= 100) {
		end -= 2;
		memcpy(end, &digit_pairs[v % 100 * 2], 2);
		v /= 100;
	}
	if (v >= 10) {
		end -= 2;
		memcpy(end, &digit_pairs[v * 2], 2);
	} else {
		*--end = (char)('0' + v);
	}
	return end;
}

void buf_u64(struct buf *b, uint64_t v)
{
	char text[INT_TEXT_MAX];
	char *s = buf_digits(text + sizeof(text), v);

	buf_add(b, s, (size_t)(text + sizeof(text) - s));
}

void buf_i64(struct buf *b, int64_t v)
{
	char text[INT_TEXT_MAX];
	char *s = buf_digits(text + sizeof(text), v < 0 ? 0 - (uint64_t)v : (uint64_t)v);

	if (v < 0)
		*--s = '-';
	buf_add(b, s, (size_t)(text + sizeof(text) - s));
}

void buf_hex(struct buf *b, uint64_t v)
{
	char text[INT_TEXT_MAX];
	char *end = text + sizeof(text), *s = end;

	*--s = '"';
	do {
		*--s = "0123456789abcdef"[v & 15];
		v >>= 4;
	} while (v);
	*--s = 'x';
	*--s = '0';
	*--s = '"';
	buf_add(b, s, (size_t)(end - s));
}
