/* SPDX-License-Identifier: MIT */
/*
 * escape.h - the loop by which json.c and printable.c take a text of the target's apart. Every such
 * text goes through it, a million a second: it is inlined, with the functions that differ.
 */
#ifndef HP_ESCAPE_H
#define HP_ESCAPE_H

#include "base/buf.h"
#include "base/utf8.h"

/* The longest form of what one byte, or one UTF-16 unit, becomes: "\u001f". */
#define ESCAPE_LEN 6

/* Bytes taken per room asked for, so that a long text does not ask for six times its length. */
#define ESCAPE_CHUNK 4096

#define ESCAPE_INLINE inline __attribute__((always_inline))

/* One character at @s; @len: at least what the shortest takes. Return: how many bytes it took. */
typedef size_t escape_next_fn(const uint8_t *s, size_t len, uint32_t *ret);

/*
 * Write @c, a code point, a surrogate without its other half or UTF8_NOTHING. @how: the caller's;
 * @count: what the caller counts. Return: where it ends, at most ESCAPE_LEN bytes on.
 */
typedef char *escape_put_fn(char *p, uint32_t c, char how, size_t *count);

static ESCAPE_INLINE size_t escape_next_utf8(const uint8_t *s, size_t len, uint32_t *ret)
{
	size_t n = utf8_decode(s, len, ret);

	if (!n)
		*ret = UTF8_NOTHING;
	return n ? n : 1;
}

static ESCAPE_INLINE size_t escape_next_latin1(const uint8_t *s, size_t len _unused_, uint32_t *ret)
{
	*ret = *s;
	return 1;
}

#define ESCAPE_EACH_BYTE(x) (0x0101010101010101u * (x))

/* Some bit set if a byte of @w is zero. ("Bit Twiddling Hacks", S. E. Anderson: haszero) */
static ESCAPE_INLINE uint64_t escape_zero_byte(uint64_t w)
{
	return (w - ESCAPE_EACH_BYTE(0x01)) & ~w & ESCAPE_EACH_BYTE(0x80);
}

/* Printable ASCII that no form escapes. A quotation mark that only one form escapes is none. */
static ESCAPE_INLINE bool escape_is_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\'' && c != '\\';
}

/* How many bytes from @s on are that; most texts are nothing else. */
static ESCAPE_INLINE size_t escape_plain_run(const uint8_t *s, size_t len)
{
	size_t i = 0;

	for (; len - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
		uint64_t w;

		memcpy(&w, s + i, sizeof(w));
		if (((w - ESCAPE_EACH_BYTE(0x20)) | w) & ESCAPE_EACH_BYTE(0x80) ||
		    escape_zero_byte(w ^ ESCAPE_EACH_BYTE('"')) |
			    escape_zero_byte(w ^ ESCAPE_EACH_BYTE('\'')) |
			    escape_zero_byte(w ^ ESCAPE_EACH_BYTE('\\')) |
			    escape_zero_byte(w ^ ESCAPE_EACH_BYTE(0x7f)))
			break;
	}
	while (i < len && escape_is_plain(s[i]))
		i++;
	return i;
}

/**
 * escape_add() - write the @len bytes at @s.
 * @next: reads a character; @is_bytes: ASCII is one byte each, as in all but UTF-16.
 * @run_count: what each character that needs no escape adds to the count.
 * Return: the count.
 */
static ESCAPE_INLINE size_t escape_add(struct buf *b, const uint8_t *s, size_t len, char how,
				       escape_next_fn *next, bool is_bytes, escape_put_fn *put,
				       size_t run_count)
{
	const uint8_t *end = s + len;
	size_t count = 0;

	while (s < end) {
		const uint8_t *stop = s + MIN(ESCAPE_CHUNK, end - s);
		char *p = buf_reserve(b, (size_t)(stop - s) * ESCAPE_LEN);
		char *first = p;

		if (!p)
			break;
		while (s < stop) {
			uint32_t c;

			if (is_bytes && escape_is_plain(*s)) {
				size_t run = escape_plain_run(s, (size_t)(stop - s));

				p = mempcpy(p, s, run);
				s += run;
				count += run * run_count;
				continue;
			}
			s += next(s, (size_t)(end - s), &c);
			p = put(p, c, how, &count);
		}
		b->len += (size_t)(p - first);
	}
	return count;
}

#endif
