// SPDX-License-Identifier: MIT
/* test_json.c - values become JSON text. */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/json.h"

static struct buf out;

static int teardown(void **state)
{
	(void)state;
	buf_fini(&out);
	return 0;
}

/* What was written since the last call, as a string. */
static const char *taken(void)
{
	buf_add(&out, "", 1);
	assert_false(out.failed);
	out.len = 0;
	return out.data;
}

/* The same, after a JSON parser that is not ours has read it. */
static json_t *parsed(void)
{
	json_error_t err;
	json_t *json = json_loads(taken(), JSON_DECODE_ANY | JSON_ALLOW_NUL, &err);

	if (!json)
		fail_msg("%s: %s", out.data, err.text);
	return json;
}

/* Integers of every length and sign come out as printf would write them. */
static void buf_i64_extremes(void **state)
{
	static const int64_t values[] = {0,   1,    -1,	  9,	10,	   99,	      100,
					 101, -999, 1000, 9999, INT32_MIN, INT64_MAX, INT64_MIN};
	char want[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		snprintf(want, sizeof(want), "%" PRId64, values[i]);
		buf_i64(&out, values[i]);
		assert_string_equal(taken(), want);
	}
	buf_u64(&out, UINT64_MAX);
	assert_string_equal(taken(), "18446744073709551615");
}

/* Addresses are quoted, in hex, without leading zeros. */
static void buf_hex_extremes(void **state)
{
	(void)state;
	buf_hex(&out, 0);
	assert_string_equal(taken(), "\"0x0\"");
	buf_hex(&out, 0x69c800358);
	assert_string_equal(taken(), "\"0x69c800358\"");
	buf_hex(&out, UINT64_MAX);
	assert_string_equal(taken(), "\"0xffffffffffffffff\"");
}

/* A text longer than the buffer makes it grow, and nothing of it is lost. */
static void buf_printf_grows(void **state)
{
	(void)state;
	buf_printf(&out, "%0*d|", 100000, 7);
	assert_int_equal(out.len, 100001);
	assert_int_equal(out.data[99999], '7');
	assert_int_equal(out.data[100000], '|');
}

/* Beyond BUF_MAX the buffer fails for good instead of growing, and says so. */
static void buf_reserve_beyond_max(void **state)
{
	(void)state;
	buf_str(&out, "x");
	assert_null(buf_reserve(&out, BUF_MAX));
	assert_true(out.failed);
	assert_null(buf_reserve(&out, 1));
	assert_null(buf_reserve(&out, SIZE_MAX));
	assert_int_equal(out.len, 1);
}

/* Control characters, quotes and backslashes are escaped; a parser reads back the same bytes. */
static void json_str_escapes(void **state)
{
	char text[0x80];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)i;
	json_str(&out, text, sizeof(text));

	json_t *json = parsed();

	assert_int_equal(json_string_length(json), sizeof(text));
	assert_memory_equal(json_string_value(json), text, sizeof(text));
	json_decref(json);
	json_str(&out, "a\n\"\\\x1f", 5);
	assert_string_equal(taken(), "\"a\\n\\\"\\\\\\u001f\"");
}

/* What a terminal, or a reader of lines, would take for a command is escaped, beyond ASCII too. */
static void json_str_lets_no_command_through(void **state)
{
	static const char text[] =
		"\x7f\xc2\x80\xc2\x9b\xc2\x9f\u00a0\u061c\u200e\u2028\u2029\u202e\u2069";

	(void)state;
	assert_int_equal(json_str(&out, text, sizeof(text) - 1), 0);
	assert_string_equal(taken(),
			    "\"\\u007f\\u0080\\u009b\\u009f\u00a0\\u061c\\u200e\\u2028\\u2029"
			    "\\u202e\\u2069\"");
	json_utf16(&out, (const uint8_t *)"\x9b\0\x2e\x20", 4);
	assert_string_equal(taken(), "\"\\u009b\\u202e\"");
	json_latin1(&out, (const uint8_t *)"\x9b", 1);
	assert_string_equal(taken(), "\"\\u009b\"");
}

/* Names are modified UTF-8: NUL is C0 80, a character above U+FFFF two surrogates. */
static void json_str_modified_utf8(void **state)
{
	static const char text[] = "a\xc0\x80\xed\xa0\xbd\xed\xb8\x80\xed\xb8\x80\xed\xa0\xbd";

	(void)state;
	assert_int_equal(json_str(&out, text, sizeof(text) - 1), 2);
	assert_string_equal(taken(), "\"a\\u0000\xf0\x9f\x98\x80\xef\xbf\xbd\xef\xbf\xbd\"");
}

/* Valid UTF-8 of every length passes unchanged. */
static void json_str_utf8(void **state)
{
	static const char text[] = "\x7e\xc2\xa0\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xef\xbf\xbf"
				   "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf";

	(void)state;
	json_str(&out, text, sizeof(text) - 1);

	json_t *json = parsed();

	assert_string_equal(json_string_value(json), text);
	json_decref(json);
}

/* Bytes that are no UTF-8 (stray, cut short, overlong, surrogate, too large) become U+FFFD. */
static void json_str_not_utf8(void **state)
{
	static const char *const bad[] = {"\x80",	  "\xc3",	  "\xc0\xaf",
					  "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
					  "\xff",	  "\xf0\x9f\x98"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_true(json_str(&out, bad[i], strlen(bad[i])) > 0);

		json_t *json = parsed();

		assert_memory_equal(json_string_value(json), "\xef\xbf\xbd", 3);
		json_decref(json);
	}
	json_str(&out, "a\xffz", 3);
	assert_string_equal(taken(), "\"a\xef\xbf\xbdz\"");
}

/* All 256 Latin-1 characters come out as the same code points. */
static void json_latin1_all(void **state)
{
	uint8_t text[256];
	char want[512], *w = want;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++) {
		text[i] = (uint8_t)i;
		if (i < 0x80) {
			*w++ = (char)i;
		} else {
			*w++ = (char)(0xc0 | i >> 6);
			*w++ = (char)(0x80 | (i & 0x3f));
		}
	}
	json_latin1(&out, text, sizeof(text));

	json_t *json = parsed();

	assert_int_equal(json_string_length(json), w - want);
	assert_memory_equal(json_string_value(json), want, (size_t)(w - want));
	json_decref(json);
}

/* Texts longer than one chunk of output are whole, and pairs across its edge stay together. */
static void json_utf16_long(void **state)
{
	enum { PAIRS = 5000 };
	static uint8_t text[2 + PAIRS * 4];

	(void)state;
	text[0] = 'x';
	for (size_t i = 0; i < PAIRS; i++)
		memcpy(text + 2 + i * 4, "\x3d\xd8\x00\xde", 4); /* U+1F600 */
	json_utf16(&out, text, sizeof(text));

	json_t *json = parsed();

	assert_int_equal(json_string_length(json), 1 + PAIRS * 4);
	assert_memory_equal(json_string_value(json), "x\xf0\x9f\x98\x80", 5);
	assert_memory_equal(json_string_value(json) + 1 + (PAIRS - 1) * 4, "\xf0\x9f\x98\x80", 4);
	json_decref(json);
}

/* Code units of every UTF-8 length are encoded; half a pair of surrogates is replaced. */
static void json_utf16_units(void **state)
{
	(void)state;
	json_utf16(&out, (const uint8_t *)"A\0\xe9\0\xac\x20\x3d\xd8\x00\xde", 10);
	assert_string_equal(taken(), "\"A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
	assert_int_equal(json_utf16(&out,
				    (const uint8_t *)"\x3d\xd8"
						     "B\0",
				    4),
			 1);
	assert_string_equal(taken(), "\"\xef\xbf\xbd"
				     "B\"");
	assert_int_equal(json_utf16(&out, (const uint8_t *)"\x00\xde\x3d\xd8", 4), 2);
	assert_string_equal(taken(), "\"\xef\xbf\xbd\xef\xbf\xbd\"");
	/* That character itself is none that was replaced. */
	assert_int_equal(json_utf16(&out, (const uint8_t *)"\xfd\xff", 2), 0);
	assert_string_equal(taken(), "\"\xef\xbf\xbd\"");
	json_utf16(&out, (const uint8_t *)"A\0Z", 3); /* half a unit is no unit */
	assert_string_equal(taken(), "\"A\"");
	json_utf16(&out, (const uint8_t *)"", 0);
	assert_string_equal(taken(), "\"\"");
}

/* A char is a one-character string, whatever it holds. */
static void json_char_kinds(void **state)
{
	static const struct {
		uint16_t c;
		const char *want;
	} cases[] = {{'x', "\"x\""},
		     {'"', "\"\\\"\""},
		     {0, "\"\\u0000\""},
		     {0xe9, "\"\xc3\xa9\""},
		     {0xd83d, "\"\xef\xbf\xbd\""},
		     {0xffff, "\"\xef\xbf\xbf\""}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_char(&out, cases[i].c);
		assert_string_equal(taken(), cases[i].want);
	}
}

/* Doubles print as the shortest decimal; what JSON has no number for is a string. */
static void json_double_forms(void **state)
{
	static const struct {
		double v;
		const char *want;
	} cases[] = {
		{0.0, "0.0"},
		{-0.0, "-0.0"},
		{1.0, "1.0"},
		{-2.5, "-2.5"},
		{0.1, "0.1"},
		{19.99, "19.99"},
		{123456.789, "123456.789"},
		{0.1 + 0.2, "0.30000000000000004"},
		{1.0 / 3, "0.3333333333333333"},
		{1e-10, "1e-10"},
		{1e22, "1e+22"},
		{999999999999999.0, "999999999999999.0"},
		{1e15, "1e+15"},
		{5e-324, "5e-324"},
		{DBL_MAX, "1.7976931348623157e+308"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_double(&out, cases[i].v);
		assert_string_equal(taken(), cases[i].want);
	}
	json_double(&out, NAN);
	assert_string_equal(taken(), "\"NaN\"");
	json_double(&out, INFINITY);
	assert_string_equal(taken(), "\"Infinity\"");
	json_double(&out, -INFINITY);
	assert_string_equal(taken(), "\"-Infinity\"");
}

/* A float is as short as a float needs, not as the double nearest to it does. */
static void json_float_forms(void **state)
{
	static const struct {
		float v;
		const char *want;
	} cases[] = {{0.1f, "0.1"},
		     {-1.5f, "-1.5"},
		     {3.14159274f, "3.1415927"},
		     {16777216.0f, "16777216.0"},
		     {1e-45f, "1e-45"},
		     {FLT_MAX, "3.4028235e+38"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_float(&out, cases[i].v);
		assert_string_equal(taken(), cases[i].want);
	}
}

/* Any bit pattern reads back as the same number, and no text is longer than 17 (9) digits. */
static void json_double_random(void **state)
{
	unsigned int seed = (unsigned int)time(NULL);

	(void)state;
	print_message("seed %u\n", seed);
	srandom(seed);
	for (int i = 0; i < 50000; i++) {
		uint64_t bits =
			(uint64_t)random() << 42 ^ (uint64_t)random() << 21 ^ (uint64_t)random();
		uint32_t bits32 = (uint32_t)bits;
		double d, cents = (double)(random() % 10000000) / 100;
		float f;

		memcpy(&d, &bits, sizeof(d));
		memcpy(&f, &bits32, sizeof(f));
		json_double(&out, d);
		assert_true(strtod(taken(), NULL) == d || !isfinite(d));
		json_double(&out, cents);
		assert_true(strtod(taken(), NULL) == cents);
		assert_true(strlen(out.data) <= 9);
		json_float(&out, f);
		assert_true(strtof(taken(), NULL) == f || !isfinite(f));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(buf_i64_extremes, teardown),
		cmocka_unit_test_teardown(buf_hex_extremes, teardown),
		cmocka_unit_test_teardown(buf_printf_grows, teardown),
		cmocka_unit_test_teardown(buf_reserve_beyond_max, teardown),
		cmocka_unit_test_teardown(json_str_escapes, teardown),
		cmocka_unit_test_teardown(json_str_lets_no_command_through, teardown),
		cmocka_unit_test_teardown(json_str_modified_utf8, teardown),
		cmocka_unit_test_teardown(json_str_utf8, teardown),
		cmocka_unit_test_teardown(json_str_not_utf8, teardown),
		cmocka_unit_test_teardown(json_latin1_all, teardown),
		cmocka_unit_test_teardown(json_utf16_long, teardown),
		cmocka_unit_test_teardown(json_utf16_units, teardown),
		cmocka_unit_test_teardown(json_char_kinds, teardown),
		cmocka_unit_test_teardown(json_double_forms, teardown),
		cmocka_unit_test_teardown(json_float_forms, teardown),
		cmocka_unit_test_teardown(json_double_random, teardown),
	};

	return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
