/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_FIRST_BYTES 512

void text_fini(struct text *t)
{
	free(t->data);
	*t = (struct text){0};
}

static bool text_grow(struct text *t, size_t more)
{
	size_t cap = t->cap ? t->cap : TEXT_FIRST_BYTES;
	char *data;

	if (t->failed || more > LINE_MAX_BYTES - t->len)
		return false;
	while (cap < t->len + more)
		cap *= 2;
	data = realloc(t->data, cap);
	if (!data)
		return false;
	t->data = data;
	t->cap = cap;
	return true;
}

void text_add(struct text *t, const char *s, size_t len)
{
	if (t->failed || (len > t->cap - t->len && !text_grow(t, len))) {
		t->failed = true;
		return;
	}
	memcpy(t->data + t->len, s, len);
	t->len += len;
}

void text_str(struct text *t, const char *s)
{
	text_add(t, s, strlen(s));
}

void text_u64(struct text *t, uint64_t v)
{
	char digits[20], *p = digits + sizeof(digits);

	do
		*--p = (char)('0' + v % 10);
	while (v /= 10);
	text_add(t, p, (size_t)(digits + sizeof(digits) - p));
}

void text_i64(struct text *t, int64_t v)
{
	if (v < 0)
		text_str(t, "-");
	text_u64(t, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

/* The digits of @v, at least @width, without a prefix. */
static void text_digits(struct text *t, uint64_t v, int width)
{
	char digits[16], *end = digits + sizeof(digits), *p = end;

	do
		*--p = "0123456789abcdef"[v & 15];
	while ((v >>= 4) || end - p < width);
	text_add(t, p, (size_t)(end - p));
}

void text_hex(struct text *t, uint64_t v)
{
	text_str(t, "\"0x");
	text_digits(t, v, 1);
	text_str(t, "\"");
}

void text_rewind(struct text *t, const struct text *then)
{
	t->len = then->len;
	t->failed = then->failed;
	t->replaced = then->replaced;
	t->cut = then->cut;
}

static bool is_tail(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/*
 * Take one UTF-16 unit off @s; the NUL at its end stops every look ahead.
 * Return: the unit, or -1 for a byte that is none.
 */
static int unit_next(const unsigned char **s)
{
	const unsigned char *p = *s;

	*s += 1;
	if (p[0] < 0x80)
		return p[0];
	if ((p[0] & 0xe0) == 0xc0 && is_tail(p[1])) {
		*s += 1;
		return (p[0] & 0x1f) << 6 | (p[1] & 0x3f);
	}
	if ((p[0] & 0xf0) == 0xe0 && is_tail(p[1]) && is_tail(p[2])) {
		*s += 2;
		return (p[0] & 0x0f) << 12 | (p[1] & 0x3f) << 6 | (p[2] & 0x3f);
	}
	return -1;
}

static void text_escape(struct text *t, int unit)
{
	text_str(t, "\\u");
	text_digits(t, (uint64_t)unit, 4);
}

/* A character above ASCII as UTF-8. */
static void text_utf8(struct text *t, int c)
{
	char out[4];
	size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n - 1; i; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(0xf00 >> n | c);
	text_add(t, out, n);
}

#define REPLACEMENT 0xfffd

/*
 * A command to a terminal, or to whatever shows a line: controls, separators of lines, and what
 * changes the direction of text (Unicode UAX #9). The same as utf8_is_command() of the daemon.
 */
static bool is_command(int c)
{
	if (c < 0xa0)
		return c < 0x20 || c >= 0x7f;
	return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

static void text_replaced(struct text *t)
{
	text_utf8(t, REPLACEMENT);
	t->replaced++;
}

static void text_char(struct text *t, int c, const unsigned char **next)
{
	const unsigned char *peek = *next;
	int low;

	if (c < 0) {
		text_replaced(t);
	} else if (is_command(c)) {
		text_escape(t, c);
	} else if (c < 0x80) {
		if (c == '"' || c == '\\')
			text_str(t, "\\");
		text_add(t, &(char){(char)c}, 1);
	} else if ((c & 0xf800) != 0xd800) {
		text_utf8(t, c);
	} else if (c < 0xdc00 && (low = unit_next(&peek)) >= 0xdc00 && low < 0xe000) {
		*next = peek;
		text_utf8(t, 0x10000 + ((c & 0x3ff) << 10 | (low & 0x3ff)));
	} else {
		text_replaced(t);
	}
}

/* What begins before @end; the NUL at the end of @p may come earlier. Return: where it stopped. */
static const unsigned char *text_quoted(struct text *t, const unsigned char *p,
					const unsigned char *end)
{
	size_t first = t->len;

	text_str(t, "\"");
	while (*p && p < end && !t->failed && t->len - first < NAME_TEXT_MAX) {
		int c = unit_next(&p);

		text_char(t, c, &p);
	}
	text_str(t, "\"");
	return p;
}

void text_name(struct text *t, const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	const struct text before = *t;

	if (!s) {
		text_str(t, "null");
		return;
	}
	if (!*text_quoted(t, p, p + strlen(s)))
		return;
	text_rewind(t, &before);
	text_quoted(t, p, p + NAME_CUT);
	t->cut = true;
}

/*
 * A hidden class is "Lcom/shop/Cart.0x1234;" here and com.shop.Cart/0x1234 in Java: both marks are
 * exchanged. Source: JVM Tool Interface, GetClassSignature; java.lang.Class.getName().
 */
void text_class(struct text *t, char *signature)
{
	size_t len = signature ? strlen(signature) : 0;

	if (len > 2 && signature[0] == 'L' && signature[len - 1] == ';') {
		signature[len - 1] = 0;
		signature++;
	}
	for (char *p = signature; p && *p; p++)
		*p = *p == '/' ? '.' : *p == '.' ? '/' : *p;
	text_name(t, signature);
}
