// SPDX-License-Identifier: MIT
/* printable.c - text of a target's for a terminal. See printable.h. */
#include "base/printable.h"
#include "base/utf8.h"

/* "\x1b" for one code point. */
#define ESCAPE_LEN 4

/* Bytes looked at per room asked for. */
#define CHUNK 4096

/* U+0080 to U+009F are commands to a terminal too. */
static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

static char *put_control(char *p, uint32_t c)
{
	static const char hex[] = "0123456789abcdef";

	*p++ = '\\';
	if (c == '\n') {
		*p++ = 'n';
		return p;
	}
	*p++ = 'x';
	*p++ = hex[c >> 4];
	*p++ = hex[c & 15];
	return p;
}

/* Return: where it ends; @columns grows by what it takes. */
static char *put(char *p, uint32_t c, char quote, size_t *columns)
{
	char *first = p;

	if (is_control(c)) {
		p = put_control(p, c);
		*columns += (size_t)(p - first);
		return p;
	}
	if (quote && (c == (unsigned char)quote || c == '\\')) {
		*p++ = '\\';
		++*columns;
	}
	++*columns;
	return utf8_put(p, utf8_is_surrogate(c) ? UTF8_REPLACEMENT : c);
}

typedef size_t next_fn(const uint8_t *s, size_t len, uint32_t *ret);

static size_t next_utf8(const uint8_t *s, size_t len, uint32_t *ret)
{
	size_t n = utf8_decode(s, len, ret);

	if (!n)
		*ret = UTF8_REPLACEMENT;
	return n ? n : 1;
}

static size_t next_latin1(const uint8_t *s, size_t len _unused_, uint32_t *ret)
{
	*ret = *s;
	return 1;
}

/* @next is known where this is inlined. */
static inline __attribute__((always_inline)) size_t add(struct buf *b, const uint8_t *s, size_t len,
							char quote, next_fn *next)
{
	const uint8_t *end = s + len;
	size_t columns = 0;

	while (s < end) {
		const uint8_t *stop = s + MIN(CHUNK, end - s);
		char *p = buf_reserve(b, (size_t)(stop - s) * ESCAPE_LEN);
		char *first = p;

		if (!p)
			break;
		while (s < stop) {
			uint32_t c;

			s += next(s, (size_t)(end - s), &c);
			p = put(p, c, quote, &columns);
		}
		b->len += (size_t)(p - first);
	}
	return columns;
}

size_t printable_str(struct buf *b, const char *s, size_t len, char quote)
{
	return add(b, (const uint8_t *)s, len, quote, next_utf8);
}

size_t printable_latin1(struct buf *b, const uint8_t *s, size_t len, char quote)
{
	return add(b, s, len, quote, next_latin1);
}

size_t printable_utf16(struct buf *b, const uint8_t *s, size_t len_bytes, char quote)
{
	return add(b, s, len_bytes & ~(size_t)1, quote, utf8_from_utf16);
}

void printable_column(struct buf *b, const char *s, size_t width)
{
	for (size_t n = printable_str(b, s, strlen(s), 0); n < width; n++)
		buf_add(b, " ", 1);
}
