// SPDX-License-Identifier: MIT
/* json.c - JSON string literals from UTF-8 and from the two forms of a Java string. See json.h. */
#include "base/escape.h"
#include "base/json.h"

/* The letter behind the backslash, where there is one. */
static const char letters[128] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
				  ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\'};

/* @replaced grows where something else stands for what is no character. */
static ESCAPE_INLINE char *put(char *p, uint32_t c, char how _unused_, size_t *replaced)
{
	if (c < ARRAY_SIZE(letters) && letters[c]) {
		*p++ = '\\';
		*p++ = letters[c];
	} else if (utf8_is_command(c)) {
		*p++ = '\\';
		*p++ = 'u';
		p = utf8_put_hex(p, c, 4);
	} else if (c == UTF8_NOTHING || utf8_is_surrogate(c)) {
		p = utf8_put(p, UTF8_REPLACEMENT);
		++*replaced;
	} else {
		p = utf8_put(p, c);
	}
	return p;
}

static ESCAPE_INLINE size_t quoted(struct buf *b, const uint8_t *s, size_t len,
				   escape_next_fn *next, bool is_bytes)
{
	size_t replaced;

	buf_add(b, "\"", 1);
	replaced = escape_add(b, s, len, 0, next, is_bytes, put, 0);
	buf_add(b, "\"", 1);
	return replaced;
}

size_t json_str(struct buf *b, const char *s, size_t len)
{
	return quoted(b, (const uint8_t *)s, len, escape_next_utf8, true);
}

size_t json_latin1(struct buf *b, const uint8_t *s, size_t len)
{
	return quoted(b, s, len, escape_next_latin1, true);
}

size_t json_utf16(struct buf *b, const uint8_t *s, size_t len_bytes)
{
	return quoted(b, s, len_bytes & ~(size_t)1, utf8_from_utf16, false);
}

size_t json_char(struct buf *b, uint16_t c)
{
	const uint8_t unit[2] = {(uint8_t)c, (uint8_t)(c >> 8)};

	return json_utf16(b, unit, sizeof(unit));
}
