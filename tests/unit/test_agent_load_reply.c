/* SPDX-License-Identifier: MIT */
/* test_agent_load_reply.c - the answer to an attach request, from JVMs and from whoever plays one.
 */
#include "agent/agent_load_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int parse(const char *text, size_t len, struct agent_load_reply *ret)
{
	/* A copy of the exact size: a sanitizer sees every byte read behind its end. */
	char *exact = malloc(len ? len : 1);
	int err;

	assert_non_null(exact);
	memcpy(exact, text, len);
	err = agent_load_reply_parse(exact, len, ret);
	free(exact);
	return err;
}

static struct agent_load_reply parsed(const char *text)
{
	struct agent_load_reply r;

	assert_int_equal(parse(text, strlen(text), &r), 0);
	return r;
}

/* An agent that was loaded: the command's status, and the agent's own. */
static void parse_loaded(void **state _unused_)
{
	struct agent_load_reply r = parsed("0\nreturn code: 0\n");

	assert_int_equal(r.status, 0);
	assert_true(r.returned);
	assert_int_equal(r.code, 0);
	r = parsed("0\nreturn code: -1\n");
	assert_true(r.returned);
	assert_int_equal(r.code, -1);
	r = parsed("0\nreturn code: 2147483647\nmore");
	assert_true(r.returned);
	assert_int_equal(r.code, INT32_MAX);
}

/* A library that was not loaded has status 0 too, and no return code: never taken for success. */
static void parse_refused(void **state _unused_)
{
	struct agent_load_reply r =
		parsed("0\n/x/a.so was not loaded.\n/x/a.so: wrong ELF class\n");

	assert_int_equal(r.status, 0);
	assert_false(r.returned);
	assert_string_equal(r.text, "/x/a.so was not loaded.; /x/a.so: wrong ELF class");
	r = parsed("-1\nDynamic agent loading is not enabled. Use -XX:+Enable");
	assert_int_equal(r.status, -1);
	assert_false(r.returned);
	assert_string_equal(r.text, "Dynamic agent loading is not enabled. Use -XX:+Enable");
	r = parsed("101\n");
	assert_int_equal(r.status, 101);
	assert_string_equal(r.text, "");
}

/* The bounds of a status are those of an int. */
static void parse_status_bounds(void **state _unused_)
{
	assert_int_equal(parsed("2147483647\n").status, INT32_MAX);
	assert_int_equal(parsed("-2147483648\n").status, INT32_MIN);
	assert_int_equal(parsed("00000000007\n").status, 7);
}

/* What does not begin with a number and a newline is no reply. */
static void parse_malformed(void **state _unused_)
{
	static const char *const bad[] = {
		"",
		"0",
		"\n",
		"-\n",
		" 0\n",
		"0 \n",
		"+0\n",
		"x\n",
		"0x0\n",
		"--1\n",
		"2147483648\n",
		"-2147483649\n",
		"99999999999\n",
		"000000000000\n",
		"1-\n",
		"return code: 0\n",
	};
	struct agent_load_reply r;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (parse(bad[i], strlen(bad[i]), &r) != -EPROTO)
			fail_msg("'%s' was taken", bad[i]);
	assert_int_equal(parse("0\0\n", 3, &r), -EPROTO);
	assert_int_equal(parse("\0\n", 2, &r), -EPROTO);
}

/* A return code counts only whole, as a number, and at the very beginning of the text. */
static void parse_return_code_malformed(void **state _unused_)
{
	static const char *const none[] = {
		"0\nreturn code: ",	  "0\nreturn code: 0",	  "0\nreturn code: \n",
		"0\nreturn code: 0x\n",	  "0\nreturn code:0\n",	  "0\nreturn code: 4294967296\n",
		"0\nx\nreturn code: 0\n", "0\n return code: 0\n", "0\nreturn cod",
	};

	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		if (parsed(none[i]).returned)
			fail_msg("'%s' was taken for a return code", none[i]);
}

/* Nothing of the text can reach a terminal but printable ASCII, on one line. */
static void parse_text_is_harmless(void **state _unused_)
{
	struct agent_load_reply r;
	char all[2 + 256] = "0\n";

	for (int i = 0; i < 256; i++)
		all[2 + i] = (char)i;
	assert_int_equal(parse(all, sizeof(all), &r), 0);
	assert_int_equal(strlen(r.text), 256 + 1); /* "; " for the newline */
	for (const char *p = r.text; *p; p++)
		assert_in_range(*p, ' ', '~');
	r = parsed("0\n\033[2Jgone\n\n \n");
	assert_string_equal(r.text, "?[2Jgone");
}

/* Text beyond the bound is cut, whatever stands at the cut. */
static void parse_text_too_long(void **state _unused_)
{
	char text[AGENT_LOAD_REPLY_MAX];
	struct agent_load_reply r;

	memset(text, 'x', sizeof(text));
	memcpy(text, "0\n", 2);
	assert_int_equal(parse(text, sizeof(text), &r), 0);
	assert_in_range(strlen(r.text), AGENT_LOAD_TEXT_MAX - 3, AGENT_LOAD_TEXT_MAX - 1);
	memset(text + 2, '\n', sizeof(text) - 3); /* the last byte keeps them from being trimmed */
	assert_int_equal(parse(text, sizeof(text), &r), 0);
	assert_in_range(strlen(r.text), AGENT_LOAD_TEXT_MAX - 3, AGENT_LOAD_TEXT_MAX - 1);
}

/* Every beginning of a reply is either refused or understood, and none is a success but the whole.
 */
static void parse_truncated(void **state _unused_)
{
	static const char whole[] = "0\nreturn code: 0\n";
	struct agent_load_reply r;

	for (size_t len = 0; len < sizeof(whole) - 1; len++) {
		int err = parse(whole, len, &r);

		assert_int_equal(err, len < 2 ? -EPROTO : 0);
		if (!err)
			assert_false(r.returned);
	}
}

/* Random bytes, often near to a real reply: no reply at all, or one within its bounds. */
static void parse_random(void **state _unused_)
{
	static const char alphabet[] = "0019-\n\n :returncode\0\xff";
	unsigned int seed = (unsigned int)clock_ns();
	char text[64];

	print_message("  seed %u\n", seed);
	for (int i = 0; i < 200000; i++) {
		size_t len = (size_t)rand_r(&seed) % sizeof(text);
		struct agent_load_reply r = {.status = 12345};

		for (size_t k = 0; k < len; k++)
			text[k] = alphabet[(size_t)rand_r(&seed) % sizeof(alphabet)];
		if (parse(text, len, &r)) {
			assert_int_equal(r.status, 12345); /* written only on success */
			continue;
		}
		assert_true(strnlen(r.text, sizeof(r.text)) <= 2 * len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_loaded),
		cmocka_unit_test(parse_refused),
		cmocka_unit_test(parse_status_bounds),
		cmocka_unit_test(parse_malformed),
		cmocka_unit_test(parse_return_code_malformed),
		cmocka_unit_test(parse_text_is_harmless),
		cmocka_unit_test(parse_text_too_long),
		cmocka_unit_test(parse_truncated),
		cmocka_unit_test(parse_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
