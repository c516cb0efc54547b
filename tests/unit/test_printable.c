// SPDX-License-Identifier: MIT
/* test_printable.c - text of a target's on somebody's terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/printable.h"

static struct buf out;

static int teardown(void **state _unused_)
{
	buf_fini(&out);
	return 0;
}

/* What was written since the last call, as a string. */
static const char *taken(void)
{
	buf_add(&out, "", 1);
	out.len = 0;
	return out.data;
}

/* No text of a target's is a command to the terminal it is shown on; other text is as it was. */
static void printable_str_lets_no_command_through(void **state _unused_)
{
	static const char text[] = "a\x1b[2J\n\r\x7f\xc2\x9b\xc3\xa4'\\z";
	size_t columns;

	columns = printable_str(&out, text, sizeof(text) - 1, 0);
	printable_column(&out, "\xc3\xa4", 3);
	assert_string_equal(taken(), "a\\x1b[2J\\n\\x0d\\x7f\\x9b\xc3\xa4'\\\\z\xc3\xa4  ");
	assert_int_equal(columns, 1 + 4 + 3 + 2 + 4 + 4 + 4 + 1 + 4);
	printable_str(&out, "it's \\", 6, '\'');
	assert_string_equal(taken(), "it\\'s \\\\");
}

/* What turns the direction of text, or ends a line of it, is a command too: each of them. */
static void printable_str_lets_no_direction_through(void **state _unused_)
{
	static const struct {
		const char *text, *want;
	} cases[] = {{"\u061c", "\\u061c"},  {"\u200e", "\\u200e"}, {"\u200f", "\\u200f"},
		     {"\u2028", "\\u2028"},  {"\u2029", "\\u2029"}, {"\u202a", "\\u202a"},
		     {"\u202b", "\\u202b"},  {"\u202c", "\\u202c"}, {"\u202d", "\\u202d"},
		     {"\u202e", "\\u202e"},  {"\u2066", "\\u2066"}, {"\u2067", "\\u2067"},
		     {"\u2068", "\\u2068"},  {"\u2069", "\\u2069"}, {"\u061b\u200d", NULL},
		     {"\u2027\u202f", NULL}, {"\u2065\u206a", NULL}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		printable_str(&out, cases[i].text, strlen(cases[i].text), 0);
		assert_string_equal(taken(), cases[i].want ? cases[i].want : cases[i].text);
	}
}

/* Names are modified UTF-8: NUL is C0 80, a character above U+FFFF two surrogates. */
static void printable_str_modified_utf8(void **state _unused_)
{
	static const char text[] = "a\xc0\x80\xed\xa0\xbd\xed\xb8\x80\xed\xb8\x80\xed\xa0\xbd";

	assert_int_equal(printable_str(&out, text, sizeof(text) - 1, 0), 1 + 4 + 1 + 6 + 6);
	assert_string_equal(taken(), "a\\x00\xf0\x9f\x98\x80\\ude00\\ud83d");
}

/* A message may show a SPEC: only its backslashes are left alone. */
static void printable_message_keeps_backslashes(void **state _unused_)
{
	printable_message(&out, "p.My\\ Class \x9b\xc2\x9b\u202e'\"\n");
	assert_string_equal(taken(), "p.My\\ Class \xef\xbf\xbd\\x9b\\u202e'\"\\n");
}

/* The same of Java's own forms; half a pair of surrogates is no character. */
static void printable_java_lets_no_command_through(void **state _unused_)
{
	assert_int_equal(printable_latin1(&out, (const uint8_t *)"\x1b\x9b\xe4\"", 4, '"'), 11);
	assert_string_equal(taken(), "\\x1b\\x9b\xc3\xa4\\\"");
	printable_utf16(&out, (const uint8_t *)"A\0\x9b\0\xac\x20\x3d\xd8\x00\xde\x3d\xd8", 12,
			'"');
	assert_string_equal(taken(), "A\\x9b\xe2\x82\xac\xf0\x9f\x98\x80\\ud83d");
	printable_utf16(&out, (const uint8_t *)"\x00\xde\n\0x", 5, 0);
	assert_string_equal(taken(), "\\ude00\\n");
}

/* Bytes that are no UTF-8 become U+FFFD, one each; NUL is a character like others. */
static void printable_str_not_utf8(void **state _unused_)
{
	assert_int_equal(printable_str(&out, "a\xff\xc3\0z", 5, 0), 8);
	assert_string_equal(taken(), "a\xef\xbf\xbd\xef\xbf\xbd\\x00z");
}

/* Texts longer than one chunk of output are whole. */
static void printable_long(void **state _unused_)
{
	static char text[20000];

	memset(text, '\x01', sizeof(text));
	assert_int_equal(printable_str(&out, text, sizeof(text), 0), 4 * sizeof(text));
	assert_int_equal(out.len, 4 * sizeof(text));
	assert_memory_equal(out.data + out.len - 4, "\\x01", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(printable_str_lets_no_command_through, teardown),
		cmocka_unit_test_teardown(printable_str_lets_no_direction_through, teardown),
		cmocka_unit_test_teardown(printable_str_modified_utf8, teardown),
		cmocka_unit_test_teardown(printable_message_keeps_backslashes, teardown),
		cmocka_unit_test_teardown(printable_java_lets_no_command_through, teardown),
		cmocka_unit_test_teardown(printable_str_not_utf8, teardown),
		cmocka_unit_test_teardown(printable_long, teardown),
	};

	return cmocka_run_group_tests_name("printable", tests, NULL, NULL);
}
