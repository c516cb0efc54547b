// SPDX-License-Identifier: MIT
/* json_float.c - floating-point numbers as JSON text. See json.h. */
#include <float.h>
#include <math.h>

#include "base/json.h"

/* A double by %.17g, with room to spare. */
#define FLOAT_TEXT_MAX 40

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
	s = buf_digits(s, units / scale);
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
