// SPDX-License-Identifier: MIT
/* printable.c - text of a target's for a terminal. See printable.h. */
#include "base/escape.h"
#include "base/printable.h"

/* How a backslash stays one, in place of a quotation mark. */
#define PROSE '.'

static char *put_command(char *p, uint32_t c)
{
	*p++ = '\\';
	if (c == '\n') {
		*p++ = 'n';
		return p;
	}
	*p++ = c < 0x100 ? 'x' : 'u';
	return utf8_put_hex(p, c, c < 0x100 ? 2 : 4);
}

/* @columns grows by what it takes. */
static ESCAPE_INLINE char *put(char *p, uint32_t c, char quote, size_t *columns)
{
	char *first = p;

	if (c != UTF8_NOTHING && (utf8_is_command(c) || utf8_is_surrogate(c))) {
		p = put_command(p, c);
		*columns += (size_t)(p - first);
		return p;
	}
	if (quote != PROSE && (c == '\\' || (quote && c == (unsigned char)quote))) {
		*p++ = '\\';
		++*columns;
	}
	++*columns;
	return utf8_put(p, c == UTF8_NOTHING ? UTF8_REPLACEMENT : c);
}

size_t printable_str(struct buf *b, const char *s, size_t len, char quote)
{
	return escape_add(b, (const uint8_t *)s, len, quote, escape_next_utf8, true, put, 1);
}

size_t printable_latin1(struct buf *b, const uint8_t *s, size_t len, char quote)
{
	return escape_add(b, s, len, quote, escape_next_latin1, true, put, 1);
}

size_t printable_utf16(struct buf *b, const uint8_t *s, size_t len_bytes, char quote)
{
	return escape_add(b, s, len_bytes & ~(size_t)1, quote, utf8_from_utf16, false, put, 1);
}

void printable_message(struct buf *b, const char *s)
{
	printable_str(b, s, strlen(s), PROSE);
}

void printable_column(struct buf *b, const char *s, size_t width)
{
	for (size_t n = printable_str(b, s, strlen(s), 0); n < width; n++)
		buf_add(b, " ", 1);
}
