/* SPDX-License-Identifier: MIT */
/* utf8.h - code points from UTF-8 and UTF-16, and to UTF-8. */
#ifndef HP_UTF8_H
#define HP_UTF8_H

#include "base/util.h"

#define UTF8_REPLACEMENT 0xfffdu /* stands for what is no code point */
#define UTF8_LEN_MAX	 4

/**
 * utf8_decode() - the sequence at @s. Shortest forms only, no surrogates, nothing above U+10FFFF
 * (Unicode 3.9, table 3-7). @len: at least 1.
 * Return: how many bytes it takes, @ret set; 0 when there is none.
 */
size_t utf8_decode(const uint8_t *s, size_t len, uint32_t *ret);

/**
 * utf8_from_utf16() - the character at @s, little-endian, of which there are @len bytes, at
 * least 2. A surrogate without its other half is given as it is. Return: how many bytes it takes.
 */
size_t utf8_from_utf16(const uint8_t *s, size_t len, uint32_t *ret);

static inline bool utf8_is_surrogate(uint32_t c)
{
	return c >= 0xd800 && c <= 0xdfff; /* Unicode 3.9, D71-D75 */
}

/** utf8_put() - write @c, which is no surrogate, at @p. Return: where it ends. */
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

#endif
