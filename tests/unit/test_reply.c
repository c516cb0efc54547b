// SPDX-License-Identifier: MIT
/* test_reply.c - the lines of an engine, written and read again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/reply.h"

static struct buf out;

static int teardown(void **state _unused_)
{
	buf_fini(&out);
	return 0;
}

static struct reply decoded(const char *line)
{
	struct reply r;

	assert_int_equal(reply_decode(line, strlen(line), &r), 0);
	return r;
}

/* What was written, without its newline, as its reader takes it. */
static struct reply taken(void)
{
	struct reply r;

	assert_int_equal(out.data[out.len - 1], '\n');
	assert_int_equal(reply_decode(out.data, out.len - 1, &r), 0);
	out.len = 0;
	return r;
}

static void reply_control_round_trip(void **state _unused_)
{
	static const enum log_level levels[] = {LOG_LVL_ERR, LOG_LVL_WARN, LOG_LVL_INFO,
						LOG_LVL_DEBUG};
	struct reply r;

	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		reply_note(&out, levels[i], "PID 7: \"a\" \x1b\n\xff");
		r = taken();
		assert_int_equal(r.kind, REPLY_NOTE);
		assert_int_equal(r.level, levels[i]);
		assert_string_equal(r.note, "PID 7: \"a\" \x1b\n\xef\xbf\xbd");
	}
	reply_attached(&out);
	assert_int_equal(taken().kind, REPLY_ATTACHED);
	reply_ending(&out);
	assert_int_equal(taken().kind, REPLY_ENDING);
	reply_done(&out, STATUS_TARGET_ENDED);
	r = taken();
	assert_int_equal(r.kind, REPLY_DONE);
	assert_int_equal(r.status, STATUS_TARGET_ENDED);
}

/* Data is given as it stands, without what marks it on the way. */
static void reply_data_forms(void **state _unused_)
{
	static const struct {
		const char *line, *text;
		enum reply_kind kind;
	} cases[] = {
		{">a line", "a line", REPLY_DATA},
		{">{\"done\":1}", "{\"done\":1}", REPLY_DATA},
		{"!a message", "a message", REPLY_MESSAGE},
		{">", "", REPLY_DATA},
		{"{\"event\":\"lost\"}", "{\"event\":\"lost\"}", REPLY_DATA},
		{"{\"entry\":\"0x1\"}", "{\"entry\":\"0x1\"}", REPLY_DATA},
		{"{\"item\":{\"pid\":1}}", "{\"pid\":1}", REPLY_DATA},
		{"", "", REPLY_DATA},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct reply r = decoded(cases[i].line);

		assert_int_equal(r.kind, cases[i].kind);
		assert_int_equal(r.len, strlen(cases[i].text));
		assert_memory_equal(r.text, cases[i].text, r.len);
	}
}

/* Control lines that are no such are refused. */
static void reply_decode_refuses(void **state _unused_)
{
	static const char *const lines[] = {
		"{\"done\"",
		"{\"done\":{}}",
		"{\"done\":{\"status\":\"0\"}}",
		"{\"done\":{\"status\":-1}}",
		"{\"done\":{\"status\":5}}",
		"{\"level\":\"error\"}",
		"{\"level\":\"error\",\"note\":7}",
		"{\"level\":7,\"note\":\"x\"}",
	};
	struct reply r;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_int_equal(reply_decode(lines[i], strlen(lines[i]), &r), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(reply_control_round_trip, teardown),
		cmocka_unit_test(reply_data_forms),
		cmocka_unit_test(reply_decode_refuses),
	};

	return cmocka_run_group_tests_name("reply", tests, NULL, NULL);
}
