/* SPDX-License-Identifier: MIT */
/* test_agent_options.c - what the agent understands of its options, and how it says what not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "jvmagent/options.h"
#include "base/util.h"

static struct options o;
static char why[512];

static int parse(const char *text)
{
	return options_parse(&o, text, 4711, why, sizeof(why));
}

/* None at all is fine: nothing but the sockets. */
static void options_parse_none(void **state _unused_)
{
	assert_int_equal(parse(NULL), 0);
	assert_int_equal(parse(""), 0);
	assert_int_equal(parse(",,"), 0);
	assert_string_equal(o.events, "");
	assert_string_equal(o.wait, "");
	assert_int_equal(o.queue_bytes, QUEUE_BYTES_DEFAULT);
	assert_false(o.quiet);
}

/* Each option, all together. */
static void options_parse_all(void **state _unused_)
{
	assert_int_equal(parse("events=/tmp/a.%p.%%p%d,queue=1M,wait=hp.7,quiet"), 0);
	assert_string_equal(o.events, "/tmp/a.4711.%p%d");
	assert_string_equal(o.wait, "hp.7");
	assert_int_equal(o.queue_bytes, 1 << 20);
	assert_true(o.quiet);
}

/* The queue's size has a unit, and bounds. */
static void options_parse_queue(void **state _unused_)
{
	assert_int_equal(parse("queue=131072"), 0);
	assert_int_equal(o.queue_bytes, 131072);
	assert_int_equal(parse("queue=128k"), 0);
	assert_int_equal(parse("queue=64M"), 0);
	assert_int_equal(o.queue_bytes, QUEUE_BYTES_MAX);
	assert_int_equal(parse("queue="), -EINVAL);
	assert_int_equal(parse("queue=1"), -EINVAL);
	assert_int_equal(parse("queue=65M"), -EINVAL);
	assert_int_equal(parse("queue=-1"), -EINVAL);
	assert_int_equal(parse("queue= 1M"), -EINVAL);
	assert_int_equal(parse("queue=1MB"), -EINVAL);
	assert_int_equal(parse("queue=18446744073709551617K"), -EINVAL);
	assert_int_equal(parse("queue=18014398509481985K"), -EINVAL);
}

/* A mistake is named, the first one; what stands behind it is still read, so that quiet counts. */
static void options_parse_mistakes(void **state _unused_)
{
	assert_int_equal(parse("event=/tmp/x,queue=0,quiet"), -EINVAL);
	assert_non_null(strstr(why, "unknown option 'event=/tmp/x'"));
	assert_null(strchr(why, '\n'));
	assert_true(o.quiet);
	assert_int_equal(parse("queue=0"), -EINVAL);
	assert_non_null(strstr(why, "bad value in 'queue=0'"));
	assert_int_equal(parse("quiet=1"), -EINVAL);
	assert_int_equal(parse("events="), -EINVAL);
	assert_int_equal(parse("wait="), -EINVAL);
}

/* Names that do not fit are refused, whatever makes them long. */
static void options_parse_too_long(void **state _unused_)
{
	char text[2 * PATH_MAX] = "wait=";

	memset(text + 5, 'x', WAIT_NAME_MAX);
	assert_int_equal(parse(text), 0);
	memset(text + 5, 'x', WAIT_NAME_MAX + 1);
	assert_int_equal(parse(text), -EINVAL);
	memcpy(text, "events=", 7);
	memset(text + 7, 'x', PATH_MAX - 1);
	assert_int_equal(parse(text), 0);
	assert_int_equal(strlen(o.events), PATH_MAX - 1);
	memset(text + 7, 'x', PATH_MAX);
	assert_int_equal(parse(text), -EINVAL);
	memset(text + 7, 0, sizeof(text) - 7);
	for (size_t i = 7; i < PATH_MAX; i += 2)
		memcpy(text + i, "%p", 2);
	assert_int_equal(parse(text), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_parse_none),	  cmocka_unit_test(options_parse_all),
		cmocka_unit_test(options_parse_queue),	  cmocka_unit_test(options_parse_mistakes),
		cmocka_unit_test(options_parse_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
