/* SPDX-License-Identifier: MIT */
/*
 * test_harness.c - the other tests' own tools: a comparison that lets something pass would make
 * them all worthless.
 */
#include "lib/cmocka_all.h"
#include "lib/code.h"
#include "lib/compare.h"
#include "lib/hp.h"

#define WANT                                                                                       \
	"{\"class\":\"a.B\",\"name\":\"m\",\"descriptor\":\"(IDLjava/lang/String;)V\","            \
	"\"method\":\"a.B.m(int, double, java.lang.String)\",\"thread\":\"main\",\"java_tid\":1,"  \
	"\"args\":[{\"type\":\"int\",\"value\":3},{\"type\":\"double\",\"value\":-0.0},"           \
	"{\"type\":\"java.lang.String\",\"value\":\"pear\",\"length\":4,\"truncated\":false}]}"

static json_t *array_of(const char *const lines[])
{
	json_t *ret = json_array();

	for (; *lines; lines++) {
		json_t *o = json_line(*lines);

		assert_non_null(o);
		json_array_append_new(ret, o);
	}
	return ret;
}

/* WANT as an event, with @from replaced by @to. */
static char *event_with(const char *from, const char *to)
{
	const char *at = strstr(WANT, from);
	char *ret = NULL;

	assert_non_null(at);
	assert_true(asprintf(&ret, "{\"event\":\"entry\",%.*s%s%s", (int)(at - WANT) - 1, WANT + 1,
			     to, at + strlen(from)) > 0);
	return ret;
}

static size_t differences(const char *from, const char *to)
{
	_cleanup_free_ char *event = event_with(from, to);
	json_t *want = array_of((const char *const[]){WANT, NULL});
	json_t *got = array_of((const char *const[]){event, NULL});
	size_t n = compare_calls(want, got);

	json_decref(want);
	json_decref(got);
	return n;
}

/* The same call is the same, whatever else the event says and however a number is written. */
static void compare_calls_same(void **state _unused_)
{
	assert_int_equal(differences("\"int\"", "\"int\""), 0);
	assert_int_equal(differences("\"args\"", "\"level\":4,\"args\""), 0);
	assert_int_equal(differences("-0.0", "-0.0e5"), 0);
}

/* Each member that differs, however little, is a difference. */
static void compare_calls_notices_each_member(void **state _unused_)
{
	assert_int_equal(differences("a.B\"", "a.C\""), 1);
	assert_int_equal(differences("\"m\"", "\"n\""), 1);
	assert_int_equal(differences("a.B.m(int, ", "a.B.m("), 1);
	assert_int_equal(differences(")V", ")I"), 1);
	assert_int_equal(differences("main", "Main"), 1);
	assert_int_equal(differences("\"java_tid\":1", "\"java_tid\":2"), 2);
	assert_int_equal(differences(":3}", ":4}"), 1);
	assert_int_equal(differences(":3}", ":\"3\"}"), 1);
	assert_int_equal(differences("\"int\"", "\"long\""), 1);
	assert_int_equal(differences("-0.0", "0.0"), 1);
	assert_int_equal(differences("-0.0", "\"NaN\""), 1);
	assert_int_equal(differences("-0.0", "-5e-324"), 1);
	assert_int_equal(differences("pear", "pea"), 1);
	assert_int_equal(differences("\"pear\"", "null"), 1);
	assert_int_equal(differences(":4,", ":5,"), 1);
	assert_int_equal(differences("false", "true"), 1);
	assert_int_equal(differences("\"value\":\"pear\"", "\"error\":\"unreadable\""), 1);
	assert_int_equal(differences("{\"type\":\"int\",\"value\":3},", ""), 1);
	assert_int_equal(differences("\"args\"", "\"this\":{\"class\":\"a.B\"},\"args\""), 1);
}

/* Calls that are missing, too many, or in another order are differences. */
static void compare_calls_notices_missing_and_extra(void **state _unused_)
{
	_cleanup_free_ char *a = event_with(":3}", ":3}"), *b = event_with(":3}", ":5}");
	json_t *one = array_of((const char *const[]){a, NULL});
	json_t *ab = array_of((const char *const[]){a, b, NULL});
	json_t *ba = array_of((const char *const[]){b, a, NULL});
	json_t *none = json_array();

	assert_int_equal(compare_calls(ab, ab), 0);
	assert_int_equal(compare_calls(ab, one), 1);
	assert_int_equal(compare_calls(one, ab), 1);
	assert_int_equal(compare_calls(ab, ba), 2);
	assert_int_equal(compare_calls(one, none), 1);
	assert_int_equal(compare_calls(none, one), 1);
	json_decref(one);
	json_decref(ab);
	json_decref(ba);
	json_decref(none);
}

/* A float is compared as a float: its shortest decimal text names another double. */
static void compare_arg_float_as_float(void **state _unused_)
{
	json_t *a = json_line("{\"type\":\"float\",\"value\":0.1}");
	json_t *b = json_line("{\"type\":\"float\",\"value\":0.10000000149011612}");
	json_t *c = json_line("{\"type\":\"float\",\"value\":0.10000001}");
	char why[64];

	assert_true(compare_arg(a, b, why, sizeof(why)));
	assert_false(compare_arg(a, c, why, sizeof(why)));
	json_decref(a);
	json_decref(b);
	json_decref(c);
}

/* An object must have an address, and the one recorded if one was. */
static void compare_arg_object_needs_address(void **state _unused_)
{
	json_t *any = json_line("{\"type\":\"T\",\"class\":\"C\"}");
	json_t *at16 = json_line("{\"type\":\"T\",\"class\":\"C\",\"addr\":\"0x10\"}");
	json_t *at17 = json_line("{\"type\":\"T\",\"class\":\"C\",\"addr\":\"0x11\"}");
	json_t *zero = json_line("{\"type\":\"T\",\"class\":\"C\",\"addr\":\"0x0\"}");
	char why[64];

	assert_true(compare_arg(any, at16, why, sizeof(why)));
	assert_false(compare_arg(any, any, why, sizeof(why)));
	assert_false(compare_arg(any, zero, why, sizeof(why)));
	assert_false(compare_arg(at16, at17, why, sizeof(why)));
	json_decref(any);
	json_decref(at16);
	json_decref(at17);
	json_decref(zero);
}

/* Halves of surrogate pairs become U+FFFD, as hotprobe writes them; pairs stay what they are. */
static void json_line_lone_surrogates(void **state _unused_)
{
	static const char *const t[][2] = {
		{"{\"v\":\"\\ud83d\"}", "\uFFFD"},
		{"{\"v\":\"\\ude00\\uD83D\"}", "\uFFFD\uFFFD"},
		{"{\"v\":\"\\ud83d\\ude00\"}", "\xf0\x9f\x98\x80"},
		{"{\"v\":\"\\ud83d\\ud83d\\ude00\"}", "\uFFFD\xf0\x9f\x98\x80"},
		{"{\"v\":\"\\\\ud83d\"}", "\\ud83d"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		json_t *o = json_line(t[i][0]);

		assert_non_null(o);
		assert_string_equal(json_text(o, "v"), t[i][1]);
		json_decref(o);
	}
}

/* A child's output comes line by line, its end with its status, and a silent one times out. */
static void child_lines_and_status(void **state _unused_)
{
	const char *const argv[] = {"sh", "-c", "echo one; printf two; exit 7", NULL};
	const char *const cat[] = {"cat", NULL};
	struct child *c = child_start(argv, NULL);
	char *line = child_line(c, 5000);

	assert_string_equal(line, "one");
	free(line);
	line = child_line(c, 5000);
	assert_string_equal(line, "two");
	free(line);
	assert_null(child_line(c, 5000));
	assert_int_equal(child_wait(c, 5000), 7);
	child_free(c);
	c = child_start(cat, NULL);
	assert_null(child_line(c, 20));
	assert_int_equal(child_wait(c, 20), CHILD_TIMEOUT);
	child_send(c, "echoed");
	line = child_line(c, 5000);
	assert_string_equal(line, "echoed");
	free(line);
	child_close_stdin(c);
	assert_int_equal(child_wait(c, 5000), 0);
	child_free(c);
}

/* A JVM that nobody probes keeps its code: what the other tests find changed was changed by us. */
static void code_of_idle_jvm_stays(void **state _unused_)
{
	const char *const flags[] = {"-XX:-TieredCompilation", "-Xbatch", NULL};
	const struct jdk *jdks;
	size_t n = jdks_get(&jdks);

	for (size_t i = 0; i < n; i++) {
		struct code_bytes before;
		struct jvm j;

		print_message("  %s\n", jdks[i].name);
		jvm_start(&j, &jdks[i], flags, (const char *const[]){"prog.Busy", NULL});
		jvm_ready(&j);
		free(jvm_ask(&j, "calls 20000"));
		code_take(&j, &before);
		assert_true(before.list.n > 50);
		free(jvm_ask(&j, "calls 1000"));
		code_check_restored(&j, &before);
		code_free(&before);
		jvm_quit(&j);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		jvm_test(compare_calls_same),
		jvm_test(compare_calls_notices_each_member),
		jvm_test(compare_calls_notices_missing_and_extra),
		jvm_test(compare_arg_float_as_float),
		jvm_test(compare_arg_object_needs_address),
		jvm_test(json_line_lone_surrogates),
		jvm_test(child_lines_and_status),
		jvm_test(code_of_idle_jvm_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
