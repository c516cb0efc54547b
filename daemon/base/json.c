// SPDX-License-Identifier: MIT
/* json.c - JSON string literals from UTF-8 and from the two forms of a Java string. See json.h. */
#include "base/json.h"

/* The longest forms: "\u001f" for a byte or a code unit. */
#define ESCAPE_LEN 6

/* Bytes written per room asked for, so that a long text does not ask for six times its length. */
#define CHUNK 4096

#define HIGH_FIRST 0xd800u /* surrogates, Unicode 3.9 D71-D75 */
#define LOW_FIRST  0xdc00u
#define LOW_LAST   0xdfffu

#define REPLACEMENT 0xfffdu

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
	if (c < 0x80)
		return put_ascii(p, (uint8_t)c);
	if (c < 0x800) {
		*p++ = (char)(0xc0 | c >> 6);
	} else {
		if (c < 0x10000) {
			*p++ = (char)(0xe0 | c >> 12);
		} else {
			*p++ = (char)(0xf0 | c >> 18);
			*p++ = (char)(0x80 | (c >> 12 & 0x3f));
		}
		*p++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*p++ = (char)(0x80 | (c & 0x3f));
	return p;
}

/*
 * Length and value of the UTF-8 sequence at @s; 0 when there is none. Shortest forms only, no
 * surrogates, nothing above U+10FFFF (Unicode 3.9, table 3-7).
 */
static size_t utf8_decode(const uint8_t *s, size_t len, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc0 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if (!n || n > len || s[0] > 0xf4)
		return 0;

	uint32_t c = n == 1 ? s[0] : s[0] & (0x7fu >> n);

	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= HIGH_FIRST && c <= LOW_LAST))
		return 0;
	*ret = c;
	return n;
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

			uint32_t c = REPLACEMENT;
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

static uint32_t utf16_unit(const uint8_t *s)
{
	return s[0] | (uint32_t)s[1] << 8; /* byte order of the machine: x86-64 is little-endian */
}

/* One character at @s, which has @len bytes, at least two; @taken tells how many it took. */
static char *put_utf16(char *p, const uint8_t *s, size_t len, size_t *taken)
{
	uint32_t unit = utf16_unit(s);

	*taken = 2;
	if (unit < HIGH_FIRST || unit > LOW_LAST)
		return put_code_point(p, unit);
	if (unit < LOW_FIRST && len >= 4) {
		uint32_t low = utf16_unit(s + 2);

		if (low >= LOW_FIRST && low <= LOW_LAST) {
			*taken = 4;
			return put_code_point(p, 0x10000 + ((unit - HIGH_FIRST) << 10) +
							 (low - LOW_FIRST));
		}
	}
	return put_number(p, unit);
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
