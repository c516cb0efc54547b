// SPDX-License-Identifier: MIT
/* json.c - JSON string literals from UTF-8 and from the two forms of a Java string. See json.h. */
#include "base/json.h"
#include "base/utf8.h"

/* The longest forms: "\u001f" for a byte or a code unit. */
#define ESCAPE_LEN 6

/* Bytes written per room asked for, so that a long text does not ask for six times its length. */
#define CHUNK 4096

/* What JSON wants escaped below 0x80: 0 no, 'u' by number, else the letter after the backslash. */
static const char escapes[128] = {
	[0 ... 7] = 'u', ['\b'] = 'b',	    ['\t'] = 't', ['\n'] = 'n',	 [11] = 'u',  ['\f'] = 'f',
	['\r'] = 'r',	 [14 ... 31] = 'u', ['"'] = '"',  ['\\'] = '\\', [127] = 'u',
};

#define EACH_BYTE(x) (0x0101010101010101u * (x))

/* Some bit set if a byte of @w is zero. ("Bit Twiddling Hacks", S. E. Anderson: haszero) */
static uint64_t zero_byte(uint64_t w)
{
	return (w - EACH_BYTE(0x01)) & ~w & EACH_BYTE(0x80);
}

/* How many bytes from @s on are ASCII that needs no escape; most texts are nothing else. */
static size_t plain_run(const uint8_t *s, size_t len)
{
	size_t i = 0;

	for (; len - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
		uint64_t w;

		memcpy(&w, s + i, sizeof(w));
		if (((w - EACH_BYTE(0x20)) | w) & EACH_BYTE(0x80) ||
		    zero_byte(w ^ EACH_BYTE('"')) | zero_byte(w ^ EACH_BYTE('\\')) |
			    zero_byte(w ^ EACH_BYTE(0x7f)))
			break;
	}
	while (i < len && s[i] < 0x80 && !escapes[s[i]])
		i++;
	return i;
}

static char *put_number(char *p, uint32_t unit)
{
	static const char hex[] = "0123456789abcdef";

	*p++ = '\\';
	*p++ = 'u';
	for (int shift = 12; shift >= 0; shift -= 4)
		*p++ = hex[unit >> shift & 15];
	return p;
}

static char *put_ascii(char *p, uint8_t c)
{
	if (!escapes[c]) {
		*p++ = (char)c;
		return p;
	}
	if (escapes[c] == 'u')
		return put_number(p, c);
	*p++ = '\\';
	*p++ = escapes[c];
	return p;
}

/* @c is no surrogate. */
static char *put_code_point(char *p, uint32_t c)
{
	return c < 0x80 ? put_ascii(p, (uint8_t)c) : utf8_put(p, c);
}

void json_str(struct buf *b, const char *text, size_t len)
{
	const uint8_t *s = (const uint8_t *)text, *end = s + len;

	buf_add(b, "\"", 1);
	while (s < end) {
		const uint8_t *stop = s + MIN(CHUNK, end - s);
		char *p = buf_reserve(b, (size_t)(stop - s) * ESCAPE_LEN);
		char *first = p;

		if (!p)
			return;
		while (s < stop) {
			size_t run = plain_run(s, (size_t)(stop - s));

			p = mempcpy(p, s, run);
			s += run;
			if (s == stop)
				break;

			uint32_t c = UTF8_REPLACEMENT;
			size_t n = utf8_decode(s, (size_t)(end - s), &c);

			p = put_code_point(p, c);
			s += n ? n : 1;
		}
		b->len += (size_t)(p - first);
	}
	buf_add(b, "\"", 1);
}

void json_latin1(struct buf *b, const uint8_t *s, size_t len)
{
	const uint8_t *end = s + len;

	buf_add(b, "\"", 1);
	while (s < end) {
		const uint8_t *stop = s + MIN(CHUNK, end - s);
		char *p = buf_reserve(b, (size_t)(stop - s) * ESCAPE_LEN);
		char *first = p;

		if (!p)
			return;
		while (s < stop) {
			size_t run = plain_run(s, (size_t)(stop - s));

			p = mempcpy(p, s, run);
			s += run;
			if (s < stop)
				p = put_code_point(p, *s++);
		}
		b->len += (size_t)(p - first);
	}
	buf_add(b, "\"", 1);
}

/* One character at @s, which has @len bytes, at least two; @taken tells how many it took. */
static char *put_utf16(char *p, const uint8_t *s, size_t len, size_t *taken)
{
	uint32_t c;

	*taken = utf8_from_utf16(s, len, &c);
	return utf8_is_surrogate(c) ? put_number(p, c) : put_code_point(p, c);
}

void json_utf16(struct buf *b, const uint8_t *s, size_t len_bytes)
{
	const uint8_t *end = s + (len_bytes & ~(size_t)1);

	buf_add(b, "\"", 1);
	while (s < end) {
		const uint8_t *stop = s + MIN(CHUNK, end - s);
		char *p = buf_reserve(b, (size_t)(stop - s) / 2 * ESCAPE_LEN);
		char *first = p;

		if (!p)
			return;
		while (s < stop) {
			size_t taken;

			p = put_utf16(p, s, (size_t)(end - s), &taken);
			s += taken;
		}
		b->len += (size_t)(p - first);
	}
	buf_add(b, "\"", 1);
}

void json_char(struct buf *b, uint16_t c)
{
	const uint8_t unit[2] = {(uint8_t)c, (uint8_t)(c >> 8)};

	json_utf16(b, unit, sizeof(unit));
}
