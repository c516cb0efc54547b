/* SPDX-License-Identifier: MIT */
/*
 * utf8.h - code points from UTF-8 and UTF-16, and to UTF-8; and which of them must not reach a
 * reader as they are.
 */
#ifndef HP_UTF8_H
#define HP_UTF8_H

#include "base/util.h"

#define UTF8_REPLACEMENT 0xfffdu /* stands for what is no code point */
#define UTF8_LEN_MAX	 4
#define UTF8_PAIR_LEN	 6	    /* of two surrogates in modified UTF-8 */
#define UTF8_NOTHING	 UINT32_MAX /* a byte that belongs to none */

/**
 * utf8_decode() - the sequence at @s, of UTF-8 (Unicode 3.9, table 3-7: shortest forms only,
 * nothing above U+10FFFF) or of the JVM's modified UTF-8, in which NUL is C0 80 and a character
 * above U+FFFF is its two surrogates, three bytes each (JVMS 4.4.7). A surrogate without its other
 * half is given as it is. @len: at least 1.
 * Return: how many bytes it takes, @ret set; 0 when there is none.
 */
size_t utf8_decode(const uint8_t *s, size_t len, uint32_t *ret);

/**
 * utf8_from_utf16() - the character at @s, little-endian, of which there are @len bytes, at
 * least 2. A surrogate without its other half is given as it is. Return: how many bytes it takes.
 */
size_t utf8_from_utf16(const uint8_t *s, size_t len, uint32_t *ret);

/** utf8_cut() - at most @max of the @len bytes at @s, so that no character is cut. */
size_t utf8_cut_long(const char *s, size_t max);
static inline size_t utf8_cut(const char *s, size_t len, size_t max)
{
	return len <= max ? len : utf8_cut_long(s, max);
}

/** utf8_mark_cut() - @buf holds as much of a text as there was room for: "..." is its end. */
void utf8_mark_cut(char *buf, size_t size);

/** utf8_cut_utf16() - at most @max of the bytes at @s, where there are more: no pair is cut. */
size_t utf8_cut_utf16(const uint8_t *s, size_t max);

/* Unicode 3.9, D71-D75. */
static inline bool utf8_is_high(uint32_t c)
{
	return c >= 0xd800 && c <= 0xdbff;
}

static inline bool utf8_is_low(uint32_t c)
{
	return c >= 0xdc00 && c <= 0xdfff;
}

static inline bool utf8_is_surrogate(uint32_t c)
{
	return c >= 0xd800 && c <= 0xdfff;
}

/** utf8_join() - the character that two surrogates mean. */
static inline uint32_t utf8_join(uint32_t high, uint32_t low)
{
	return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

/**
 * utf8_is_command() - does @c tell a terminal, or whatever shows a line, to do something? Controls
 * (C0, DEL, C1), line and paragraph separators, and what changes the direction of the text around
 * it (Unicode 9.0, UAX #9, 2.1 to 2.6).
 */
static inline bool utf8_is_command(uint32_t c)
{
	if (c < 0xa0)
		return c < 0x20 || c >= 0x7f;
	if (c < 0x2000)
		return c == 0x061c;
	return c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

/** utf8_put() - write @c at @p, at most UTF8_LEN_MAX bytes. Return: where it ends. */
static inline char *utf8_put(char *p, uint32_t c)
{
	if (c < 0x80) {
		*p++ = (char)c;
		return p;
	}
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

/** utf8_put_hex() - write the @n last hexadecimal digits of @c at @p. Return: where they end. */
static inline char *utf8_put_hex(char *p, uint32_t c, int n)
{
	while (n--)
		*p++ = "0123456789abcdef"[c >> 4 * n & 15];
	return p;
}

#endif
