/* SPDX-License-Identifier: MIT */
/* test_agent_text.c - whatever a class is called, a line of the agent is valid JSON. */
#include <jansson.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "jvmagent/line.h"
#include "jvmagent/text.h"
#include "base/json.h"

/* What text_name() makes of @name, read back by a JSON parser; the literal itself in @literal. */
static json_t *read_back(const char *name, char **literal)
{
	struct text t = {0};
	json_t *ret;

	text_name(&t, name);
	assert_false(t.failed);
	ret = json_loadb(t.data, t.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	if (literal)
		*literal = strndup(t.data, t.len);
	text_fini(&t);
	return ret;
}

static void check_name(const char *name, const char *want)
{
	json_t *o = read_back(name, NULL);

	assert_non_null(o);
	assert_string_equal(json_string_value(o), want);
	json_decref(o);
}

/* Modified UTF-8 becomes UTF-8: pairs of surrogates are joined, quotes and controls escaped. */
static void text_name_modified_utf8(void **state _unused_)
{
	check_name("add", "add");
	check_name("", "");
	check_name("a\"b\\c/d", "a\"b\\c/d");
	check_name("\x01\x1f\x7f\t\n", "\x01\x1f\x7f\t\n");
	check_name("\xc3\x84pfel", "\xc3\x84pfel");
	check_name("\xe6\x9f\xbf", "\xe6\x9f\xbf");
	check_name("\xed\xa0\xbd\xed\xb8\x80!", "\xf0\x9f\x98\x80!");
	check_name("\xed\xaf\xbf\xed\xbf\xbf", "\xf4\x8f\xbf\xbf");
}

/* A NUL of modified UTF-8 is a character of the name, not its end. */
static void text_name_nul(void **state _unused_)
{
	json_t *o = read_back("a\xc0\x80z", NULL);

	assert_int_equal(json_string_length(o), 3);
	assert_memory_equal(json_string_value(o), "a\0z", 3);
	json_decref(o);
}

/* Half a pair of surrogates is no character, and readers of JSON refuse it even when escaped. */
static void text_name_lone_surrogates(void **state _unused_)
{
	static const struct {
		const char *name, *want;
		size_t replaced;
	} t[] = {
		{"\xed\xa0\xbd", "\"\uFFFD\"", 1},
		{"\xed\xb8\x80x", "\"\uFFFDx\"", 1},
		{"\xed\xa0\xbd\xed\xa0\xbd", "\"\uFFFD\uFFFD\"", 2},
		{"\xed\xb8\x80\xed\xa0\xbd", "\"\uFFFD\uFFFD\"", 2},
		{"\xed\xa0\xbd\xed\xa0\xbd\xed\xb8\x80", "\"\uFFFD\xf0\x9f\x98\x80\"", 1},
		{"\uFFFD", "\"\uFFFD\"", 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct text line = {0};

		text_name(&line, t[i].name);
		assert_int_equal(line.replaced, t[i].replaced);
		text_add(&line, "", 1);
		assert_string_equal(line.data, t[i].want);
		text_fini(&line);
	}
}

/*
 * Of every name up to U+FFFF of one character, and of some bytes, the agent and the daemon write
 * the same: they share no code.
 */
static void text_name_as_json_str(void **state _unused_)
{
	struct buf daemon = {0};
	struct text agent = {0};

	for (unsigned int c = 1; c < 0x10000; c++) {
		char name[4] = {(char)(0xe0 | c >> 12), (char)(0x80 | (c >> 6 & 0x3f)),
				(char)(0x80 | (c & 0x3f))};

		if (c < 0x80)
			snprintf(name, sizeof(name), "%c", (int)c);
		else if (c < 0x800)
			snprintf(name, sizeof(name), "%c%c", (int)(0xc0 | c >> 6),
				 (int)(0x80 | (c & 0x3f)));
		text_rewind(&agent, &(struct text){0});
		daemon.len = 0;
		text_name(&agent, name);
		assert_int_equal(agent.replaced, json_str(&daemon, name, strlen(name)));
		/* The daemon has a short form of a few. */
		if (!strchr("\b\t\n\f\r", (int)c) || c > 0x20) {
			assert_int_equal(agent.len, daemon.len);
			assert_memory_equal(agent.data, daemon.data, daemon.len);
		}
	}
	text_fini(&agent);
	buf_fini(&daemon);
}

/* Three names of any length have room in a line, which says that they are cut, at a character. */
static void text_name_too_long(void **state _unused_)
{
	enum { LONG = 65535 };
	char *name = malloc(LONG + 1);
	struct text t = {0};

	assert_non_null(name);
	memset(name, 'x', LONG);
	name[LONG] = '\0';
	name[NAME_TEXT_MAX / 2] = '\0';
	text_name(&t, name);
	assert_false(t.cut);
	assert_int_equal(t.len, NAME_TEXT_MAX / 2 + 2);
	name[NAME_TEXT_MAX / 2] = 'x';
	memcpy(name + NAME_CUT - 1, "\xe2\x82\xac", 3);
	text_rewind(&t, &(struct text){0});
	text_name(&t, name);
	assert_true(t.cut && !t.failed);
	assert_int_equal(t.len, 1 + NAME_CUT - 1 + 3 + 1);
	assert_memory_equal(t.data + NAME_CUT, "\xe2\x82\xac\"", 4);
	memset(name, 1, LONG);
	for (int i = 0; i < 3; i++)
		text_name(&t, name);
	assert_false(t.failed);
	assert_int_equal(t.len, 1 + NAME_CUT - 1 + 3 + 1 + 3 * (6 * NAME_CUT + 2));
	text_fini(&t);
	free(name);
}

/* Bytes that are no modified UTF-8, the string's end among them, become U+FFFD each. */
static void text_name_garbage(void **state _unused_)
{
	check_name("\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd");
	check_name("\x80", "\xef\xbf\xbd");
	check_name("\xc3", "\xef\xbf\xbd");
	check_name("\xe6\x9f", "\xef\xbf\xbd\xef\xbf\xbd");
	check_name("\xf0\x9f\x98\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	check_name("\xc3(", "\xef\xbf\xbd(");
}

/* Any bytes at all give a line that a strict parser accepts. */
static void text_name_random(void **state _unused_)
{
	unsigned int seed = (unsigned int)time(NULL);

	print_message("seed %u\n", seed);
	for (int i = 0; i < 20000; i++) {
		char name[16];
		_cleanup_free_ char *literal = NULL;
		json_t *o;

		for (size_t k = 0; k < sizeof(name); k++)
			name[k] = (char)(rand_r(&seed) % 3 ? 0xa0 | (rand_r(&seed) & 0x5f)
							   : rand_r(&seed));
		name[sizeof(name) - 1] = 0;
		o = read_back(name, &literal);
		if (!o)
			fail_msg("%s", literal);
		json_decref(o);
	}
}

static void check_class(const char *signature, const char *want)
{
	_cleanup_free_ char *copy = signature ? strdup(signature) : NULL;
	struct text t = {0};

	text_class(&t, copy);
	text_add(&t, "", 1);
	assert_string_equal(t.data, want);
	text_fini(&t);
}

/* A class has the name that Java gives it, a hidden one too; what is unknown is null. */
static void text_class_as_java(void **state _unused_)
{
	check_class("Lcom/shop/Cart;", "\"com.shop.Cart\"");
	check_class("LCart;", "\"Cart\"");
	check_class("Lcom/shop/Cart$$Lambda.0x7f00;", "\"com.shop.Cart$$Lambda/0x7f00\"");
	check_class("I", "\"I\"");
	check_class("", "\"\"");
	check_class(NULL, "null");
}

/* Numbers at their ends. */
static void text_numbers(void **state _unused_)
{
	struct text t = {0};

	text_u64(&t, 0);
	text_str(&t, " ");
	text_u64(&t, UINT64_MAX);
	text_str(&t, " ");
	text_i64(&t, INT64_MIN);
	text_str(&t, " ");
	text_i64(&t, -1);
	text_hex(&t, 0);
	text_hex(&t, UINT64_MAX);
	text_add(&t, "", 1);
	assert_string_equal(t.data, "0 18446744073709551615 -9223372036854775808 -1"
				    "\"0x0\"\"0xffffffffffffffff\"");
	text_fini(&t);
}

/* A line never grows over its bound; what was there before can be gone back to. */
static void text_add_too_long(void **state _unused_)
{
	_cleanup_free_ char *big = calloc(1, LINE_MAX_BYTES);
	struct text t = {0};

	text_str(&t, "head");
	text_add(&t, big, LINE_MAX_BYTES - 4);
	assert_false(t.failed);
	text_str(&t, "x");
	assert_true(t.failed);
	assert_int_equal(t.len, LINE_MAX_BYTES);
	text_rewind(&t, &(struct text){.len = 4});
	assert_false(t.failed);
	text_add(&t, "", 1);
	assert_string_equal(t.data, "head");
	text_fini(&t);
}

/* The line about lost lines is one whole line of JSON. */
static void line_dropped_is_json(void **state _unused_)
{
	struct text t = {0};
	json_t *o;

	line_dropped(&t, 17);
	assert_int_equal(t.data[t.len - 1], '\n');
	o = json_loadb(t.data, t.len, 0, NULL);
	assert_non_null(o);
	assert_string_equal(json_string_value(json_object_get(o, "event")), "dropped");
	assert_int_equal(json_integer_value(json_object_get(o, "count")), 17);
	assert_true(json_integer_value(json_object_get(o, "ts")) > 1700000000000000000);
	json_decref(o);
	text_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_name_modified_utf8),
		cmocka_unit_test(text_name_nul),
		cmocka_unit_test(text_name_lone_surrogates),
		cmocka_unit_test(text_name_as_json_str),
		cmocka_unit_test(text_name_too_long),
		cmocka_unit_test(text_name_garbage),
		cmocka_unit_test(text_name_random),
		cmocka_unit_test(text_class_as_java),
		cmocka_unit_test(text_numbers),
		cmocka_unit_test(text_add_too_long),
		cmocka_unit_test(line_dropped_is_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
