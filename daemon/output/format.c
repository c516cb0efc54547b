// SPDX-License-Identifier: MIT
/*
 * format.c - a growing text, and numbers written into it. See format.h.
 *
 * Strings are in json.c, argument values in json_arg.c.
 */
#include <float.h>
#include <math.h>
#include <stdarg.h>

#include "output/format.h"

#define BUF_FIRST 4096

/* The longest numbers: "-9223372036854775808", and a double by %.17g, with room to spare. */
#define INT_TEXT_MAX   24
#define FLOAT_TEXT_MAX 40

void buf_fini(struct buf *b)
{
	free(b->data);
	*b = (struct buf){0};
}

static char *buf_grow(struct buf *b, size_t n)
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

char *buf_reserve(struct buf *b, size_t n)
{
	if (b->data && n <= b->cap - b->len && !b->failed)
		return b->data + b->len;
	return buf_grow(b, n);
}

void buf_add(struct buf *b, const char *s, size_t len)
{
	char *p = buf_reserve(b, len);

	if (!p)
		return;
	memcpy(p, s, len);
	b->len += len;
}

void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
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

/* Write @v so that it ends before @end; returns where it begins. */
static char *u64_digits(char *end, uint64_t v)
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
	char *s = u64_digits(text + sizeof(text), v);

	buf_add(b, s, (size_t)(text + sizeof(text) - s));
}

void buf_i64(struct buf *b, int64_t v)
{
	char text[INT_TEXT_MAX];
	char *s = u64_digits(text + sizeof(text), v < 0 ? 0 - (uint64_t)v : (uint64_t)v);

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

/* --- floating point ----------------------------------------------------------------------------
 */

/*
 * Most floating-point numbers that programs handle are short decimals: @units / 10^@places. When
 * both are exact in the type, the division is correctly rounded, so that the decimal reads back as
 * the quotient; the first number of places for which the quotient is the value gives the shortest
 * text. (Clinger, "How to read floating point numbers accurately", 1990, section 5.)
 */
#define DECIMAL_PLACES_MAX 9

static const double pow10_table[DECIMAL_PLACES_MAX + 1] = {1e0, 1e1, 1e2, 1e3, 1e4,
							   1e5, 1e6, 1e7, 1e8, 1e9};

#define DOUBLE_EXACT_MAX 9007199254740992.0 /* 2^53 */
#define FLOAT_EXACT_MAX	 16777216.0	    /* 2^24 */

/* Integers beyond this are shorter with an exponent. */
#define DECIMAL_MAX 1e15

static void add_decimal(struct buf *b, bool negative, uint64_t units, int places)
{
	char text[FLOAT_TEXT_MAX];
	char *end = text + sizeof(text), *s = end;
	uint64_t scale = 1;

	for (int i = 0; i < places; i++)
		scale *= 10;

	uint64_t fraction = units % scale;

	if (!places)
		*--s = '0';
	for (int i = 0; i < places; i++) {
		*--s = (char)('0' + fraction % 10);
		fraction /= 10;
	}
	*--s = '.';
	s = u64_digits(s, units / scale);
	if (negative)
		*--s = '-';
	buf_add(b, s, (size_t)(end - s));
}

static bool add_special(struct buf *b, double v)
{
	if (isnan(v))
		buf_str(b, "\"NaN\"");
	else if (isinf(v))
		buf_str(b, v < 0 ? "\"-Infinity\"" : "\"Infinity\"");
	else
		return false;
	return true;
}

static bool reads_back(const char *text, double v, bool single)
{
	return single ? strtof(text, NULL) == (float)v : strtod(text, NULL) == v;
}

/* The general way: as few digits as read back the same. Their shape is valid JSON but for a comma.
 */
static void add_digits(struct buf *b, double v, bool single)
{
	char text[FLOAT_TEXT_MAX];
	bool subnormal = fabs(v) < (single ? (double)FLT_MIN : DBL_MIN);
	int first = single ? FLT_DIG : DBL_DIG; /* so many survive a round trip, unless subnormal */
	int last = single ? FLT_DECIMAL_DIG : DBL_DECIMAL_DIG; /* always enough */

	for (int digits = subnormal ? 1 : first; digits <= last; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, v);
		if (digits == last || reads_back(text, v, single))
			break;
	}
	for (char *s = text; *s; s++) /* the point of another locale */
		if (!strchr("0123456789+-e", *s))
			*s = '.';
	buf_str(b, text);
}

static bool add_short_decimal(struct buf *b, double v, bool single)
{
	double abs = fabs(v), exact_max = single ? FLOAT_EXACT_MAX : DOUBLE_EXACT_MAX;

	if (abs >= DECIMAL_MAX)
		return false;
	for (int places = 0; places <= DECIMAL_PLACES_MAX; places++) {
		double scale = pow10_table[places], scaled = abs * scale;

		if (scaled > exact_max)
			return false;

		uint64_t units = (uint64_t)(scaled + 0.5);
		double back =
			single ? (double)((float)units / (float)scale) : (double)units / scale;

		if (back == abs) {
			add_decimal(b, signbit(v), units, places);
			return true;
		}
	}
	return false;
}

static void add_float(struct buf *b, double v, bool single)
{
	if (!add_special(b, v) && !add_short_decimal(b, v, single))
		add_digits(b, v, single);
}

void json_float(struct buf *b, float v)
{
	add_float(b, (double)v, true);
}

void json_double(struct buf *b, double v)
{
	add_float(b, v, false);
}
