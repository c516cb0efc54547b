// SPDX-License-Identifier: MIT
/*
 * test_text.c - names and texts that are valid for a JVM and trouble for whoever writes them down:
 * they come out whole, or say what they lack, and no byte of them is a command to a terminal.
 */
#include <signal.h>

#include "lib/cmocka_all.h"
#include "lib/compare.h"
#include "lib/hp.h"
#include "lib/jvm.h"

/* What the program has loaded, and how a SPEC names it alone. */
static const struct odd {
	const char *klass, *name, *spec;
	size_t name_len; /* with the NUL in it */
	int replaced;	 /* U+FFFD in both */
} odds[] = {
	{"prog.My Class", "with space", "prog.My\\ Class.with\\ space", 10, 0},
	{"prog.Kl*ss", "x*y", "prog.Kl\\*ss.x\\*y", 3, 0},
	{"prog.A+0x00007f", "plain", "prog.A+0x00007f.plain(int, String, Object, char)", 5, 0},
	{"prog.c\nd", "line\nbreak", "prog.c\\nd.line\\x0abreak", 10, 0},
	{"prog.\u202eX",
	 "\xc2\x9b"
	 "31m\u2028",
	 "prog.\\u202eX.\\x9b31m\\u2028", 8, 0},
	{"prog.nul", "lone\uFFFD", "prog.nul\\x00x.lone\\ud800", 7, 1},
	{"prog.\xf0\x9f\x98\x80", "a b(int, String)",
	 "prog.\xf0\x9f\x98\x80::a\\ b\\(int\\,\\ String\\)", 16, 0},
	{"prog.B", "back\\slash", "prog.B#back\\\\slash", 10, 0},
	{"prog.C", "a@0x12", "prog.C.a\\@0x12", 6, 0},
};

/* The last class and its method have 60 000 characters, of which most take six bytes. */
#define LONG_SPEC "prog.L\\x01L*.*\\x01"
#define LONG	  60000

static struct jvm jvm;
static char pid[16];

static void start(const char *jdk)
{
	/* Compiled at once: jvm_settle() reads HotSpot's list, which such names break into lines.
	 */
	const char *const flags[] = {"-XX:TieredStopAtLevel=1", "-XX:-Inline", "-Xbatch",
				     "-XX:+UseSerialGC", NULL};

	jvm_start(&jvm, jdk_or_skip(jdk), flags, (const char *const[]){"prog.Odd", NULL});
	jvm_ready(&jvm);
	snprintf(pid, sizeof(pid), "%d", jvm.pid);
}

/* Does a byte of @s command a terminal? The end of a line is the only one that may. */
static void assert_clean(const char *s)
{
	static const char *const marks[] = {"\u061c", "\u200e", "\u200f", "\u2028", "\u2029",
					    "\u202a", "\u202b", "\u202c", "\u202d", "\u202e",
					    "\u2066", "\u2067", "\u2068", "\u2069"};

	for (const unsigned char *p = (const unsigned char *)s; *p; p++)
		if ((*p < 0x20 && *p != '\n') || *p == 0x7f || (*p == 0xc2 && p[1] < 0xa0))
			fail_msg("a control character: '%.60s'", p);
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (strstr(s, marks[i]))
			fail_msg("mark %zu of direction: '%.60s'", i, strstr(s, marks[i]));
}

/* Run it; what it prints is clean, and JSON is what a strict parser takes. */
static json_t *lines_of(const char *const argv[])
{
	json_t *all = json_array();
	struct hp_result r;
	char *line, *rest;

	hp_run(&r, argv);
	hp_result_check(&r, 0);
	assert_clean(r.out);
	for (line = strtok_r(r.out, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		json_t *o = json_loads(line, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);

		if (!o)
			fail_msg("no JSON: '%.200s'", line);
		assert_true(strlen(line) < 1 << 20);
		json_array_append_new(all, o);
	}
	hp_result_free(&r);
	return all;
}

static void check_name(const json_t *o, const struct odd *odd)
{
	const json_t *name = json_object_get(o, "name");

	assert_string_equal(json_text(o, "class"), odd->klass);
	assert_int_equal(json_string_length(name), odd->name_len);
	assert_memory_equal(json_string_value(name), odd->name, odd->name_len);
	assert_int_equal(json_integer_value(json_object_get(o, "replaced")), odd->replaced);
}

/* Each is listed by the name it has, and a SPEC can name it alone, in both forms. */
static void names(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(odds); i++) {
		json_t *o = lines_of(
			(const char *const[]){"methods", "-p", pid, "--json", odds[i].spec, NULL});
		struct hp_result r;

		if (json_array_size(o) != 1)
			fail_msg("'%s' is %zu methods", odds[i].spec, json_array_size(o));
		check_name(json_array_get(o, 0), &odds[i]);
		json_decref(o);
		hp_run(&r, (const char *const[]){"methods", "-p", pid, odds[i].spec, NULL});
		hp_result_check(&r, 0);
		assert_clean(r.out);
		hp_result_free(&r);
	}
}

/* Names of any length are listed whole. */
static void long_names(void)
{
	json_t *all =
		lines_of((const char *const[]){"methods", "-p", pid, "--json", LONG_SPEC, NULL});
	const json_t *o = json_array_get(all, 0);

	assert_int_equal(json_array_size(all), 1);
	assert_int_equal(json_string_length(json_object_get(o, "class")), LONG + strlen("prog."));
	assert_int_equal(json_string_length(json_object_get(o, "name")), LONG);
	assert_null(json_object_get(o, "cut"));
	json_decref(all);
}

static const json_t *arg(const json_t *event, size_t i)
{
	return json_array_get(json_object_get(event, "args"), i);
}

/* The texts of prog.Odd by turns, and what JSON cannot say of each. */
static void check_values(const json_t *event)
{
	static const struct {
		const char *text, *klass, *unit;
		size_t len;
		int replaced;
	} t[] = {
		{"\u202eRTL\xc2\x9b"
		 "31m",
		 "java.lang.String[]", "\xc2\x9b", 11, 0},
		{"back\\slash\n\"", "int[][]", "\\", 12, 0},
		{"lone\uFFFD\uFFFD\uFFFD", "java.lang.Object[][][]", "\uFFFD", 4, 1},
		{"nul\0\u2029", "prog.Odd[]", "\u2029", 7, 0},
		{"caf\u00e9\xc2\x9b", "java.lang.String", "\xc2\x9b", 7, 0},
	};
	size_t i = (size_t)json_integer_value(json_object_get(arg(event, 0), "value")) % 5;
	const json_t *text = json_object_get(arg(event, 1), "value");
	const char *unit = json_text(arg(event, 3), "value");

	if (i == 2) { /* U+10000, and then half a pair */
		assert_string_equal(json_string_value(text), "lone\xf0\x90\x80\x80\uFFFD");
	} else {
		assert_int_equal(json_string_length(text), t[i].len);
		assert_memory_equal(json_string_value(text), t[i].text, t[i].len);
	}
	assert_int_equal(json_integer_value(json_object_get(arg(event, 1), "replaced")),
			 t[i].replaced);
	assert_string_equal(json_text(arg(event, 2), "class"), t[i].klass);
	assert_string_equal(unit, i == 2 ? "\uFFFD" : t[i].unit);
	assert_int_equal(json_integer_value(json_object_get(arg(event, 3), "replaced")), i == 2);
}

#define CALLS 5

/* All of them, the long one and a hidden one; each is called CALLS times. */
static const char *const specs[] = {
	"prog.My\\ Class.with*", "prog.Kl\\*ss.x\\*y",
	"prog.A+0x*.plain",	 "prog.c\\nd.line*",
	"prog.\\u202eX.*31*",	 "prog.nul*.lone*",
	"prog.*.a\\ b*",	 "prog.B.back*",
	"prog.C.a\\@0x12",	 LONG_SPEC,
	"prog.Hidden*.part",
};

static struct child *trace(bool json)
{
	const char *argv[8 + ARRAY_SIZE(specs)] = {"trace", "-p", pid, "-v", "-n"};
	char events[16];
	size_t n = 5;

	snprintf(events, sizeof(events), "%zu", CALLS * ARRAY_SIZE(specs));
	argv[n++] = events;
	if (json)
		argv[n++] = "--json";
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++)
		argv[n++] = specs[i];
	return hp_start(argv);
}

/* What it prints of the calls, with a thread's name of @length characters and some. */
static char *traced(bool json, int length)
{
	struct child *hp = trace(json);
	char *line, *out;

	while ((line = child_error_line(hp, HP_TIMEOUT_MS)) && !strstr(line, "attached in "))
		free(line);
	if (!line)
		hp_fail(hp, "it was not attached");
	free(line);
	free(jvm_ask(&jvm, "call %d %d", CALLS, length));
	if (child_wait(hp, HP_TIMEOUT_MS))
		hp_fail(hp, "it did not end well");
	out = child_text(hp);
	child_free(hp);
	assert_clean(out);
	return out;
}

/* As text, every line is one line, and shows the names as a SPEC takes them. */
static void text_trace(const char *hidden)
{
	static const char *const shown[] = {
		" back\\\\slash\\u202e\\ud800TTT/",
		" prog.My Class.with space(this=prog.My Class@",
		" prog.A+0x00007f.plain(this=prog.A+0x00007f@",
		" prog.c\\nd.line\\nbreak(",
		" prog.\\u202eX.\\x9b31m\\u2028(",
		" prog.nul\\x00x.lone\\ud800(",
		" prog.B.back\\\\slash(",
		" prog.L\\x01L",
		"(this=prog.",
		", \"\\u202eRTL\\x9b31m\", java.lang.String[]@",
		", \"back\\\\slash\\n\\\"\", int[][]@",
		", \"lone\xf0\x90\x80\x80\\ud800\", java.lang.Object[][][]@",
		", '\\ud800')",
		", '\\\\')",
		", \"nul\\x00\\u2029\", prog.Odd[]@",
	};
	char *out = traced(false, 3);

	for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
		if (!strstr(out, shown[i]))
			fail_msg("no '%s' in '%.3000s'", shown[i], out);
	assert_non_null(strstr(out, hidden));
	free(out);
}

/* A name of a thread that is not whole says so. */
static void check_thread(const json_t *event, int length)
{
	const char *start = "back\\slash\u202e\uFFFD", *name = json_text(event, "thread");

	assert_memory_equal(name, start, strlen(start));
	assert_int_equal(json_integer_value(json_object_get(event, "thread_replaced")), 1);
	assert_true(json_is_true(json_object_get(event, "thread_truncated")) == (length > 200));
	if (length <= 200)
		assert_int_equal(strlen(name), strlen(start) + (size_t)length);
}

/* As JSON, a strict parser reads back every text, or is told what it lacks; no line is too long. */
static void json_trace(const char *hidden, int length)
{
	_cleanup_free_ char *out = traced(true, length);
	char *line, *rest;
	size_t calls = 0, found[ARRAY_SIZE(odds)] = {0}, hidden_calls = 0, cut = 0;

	for (line = strtok_r(out, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		json_t *o = json_loads(line, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);

		if (!o || strlen(line) >= 1 << 20)
			fail_msg("no line of JSON: '%.200s'", line);
		if (strcmp(json_text(o, "event"), "entry")) {
			json_decref(o);
			continue;
		}
		calls++;
		check_thread(o, length);
		check_values(o);
		cut += json_is_true(json_object_get(o, "cut"));
		hidden_calls += !strcmp(json_text(o, "class"), hidden) &&
				!strcmp(json_text(json_object_get(o, "this"), "class"), hidden);
		for (size_t i = 0; i < ARRAY_SIZE(odds); i++)
			if (!strcmp(json_text(o, "class"), odds[i].klass) &&
			    !strcmp(json_text(o, "name"), odds[i].name)) {
				check_name(o, &odds[i]);
				found[i]++;
			}
		json_decref(o);
	}
	assert_int_equal(calls, CALLS * ARRAY_SIZE(specs));
	assert_int_equal(hidden_calls, CALLS);
	assert_int_equal(cut, CALLS); /* of the long one */
	for (size_t i = 0; i < ARRAY_SIZE(odds); i++)
		assert_int_equal(found[i], CALLS);
}

static void odd_names_and_texts(const char *jdk)
{
	_cleanup_free_ char *hidden = NULL;

	start(jdk);
	names();
	long_names();
	hidden = jvm_ask(&jvm, "hidden");
	json_trace(hidden + strspn(hidden, " "), 3);
	json_trace(hidden + strspn(hidden, " "), 1000);
	text_trace(hidden + strspn(hidden, " "));
	jvm_quit(&jvm);
}

static void odd_names_and_texts_17(void **state _unused_)
{
	odd_names_and_texts("jdk17");
}

/* Here the class's flags are not in the tables that tell whether it is hidden. */
static void odd_names_and_texts_25(void **state _unused_)
{
	odd_names_and_texts("jdk25");
}

#define GONE_ROUNDS 40

/*
 * A class that is unloaded right after a call of its method is named all the same: while that runs
 * it is there, so the object's class is the one that was known when the method was probed.
 */
static void class_gone_is_named(void **state _unused_)
{
	json_t *events = json_array(), *o;
	struct child *hp;
	size_t i, calls = 0;

	start("jdk17");
	hp = hp_trace(jvm.pid, (const char *const[]){"prog.Gone*.part", NULL});
	json_decref(hp_attached(hp));
	free(jvm_ask(&jvm, "gone %d", GONE_ROUNDS));
	json_decref(hp_finish(hp, SIGINT, 0, events));
	json_array_foreach (events, i, o) {
		const json_t *this = json_object_get(o, "this");

		if (!this)
			continue;
		if (strcmp(json_text(this, "class"), json_text(o, "class")))
			fail_msg("a class without a name: %s", json_dumps(o, 0));
		calls++;
	}
	assert_true(calls > 1000);
	json_decref(events);
	child_free(hp);
	jvm_quit(&jvm);
}

/* What no method matches is said, and why a SPEC is none; both on stderr. */
static void methods_none(void **state _unused_)
{
	struct hp_result r;

	start("jdk17");
	hp_run(&r, (const char *const[]){"methods", "-p", pid, "prog.Odd.nothing", NULL});
	hp_result_check(&r, 0);
	assert_string_equal(r.out, "");
	assert_non_null(strstr(r.err, "'prog.Odd.nothing' matches none of its "));
	hp_result_free(&r);
	hp_run(&r, (const char *const[]){"methods", "-p", pid, "prog.My Class.plain", NULL});
	hp_result_check(&r, 2);
	assert_string_equal(r.out, "");
	assert_non_null(strstr(r.err, "column 8: space inside a name: write '\\ '"));
	hp_result_free(&r);
	jvm_quit(&jvm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		jvm_test(odd_names_and_texts_17),
		jvm_test(odd_names_and_texts_25),
		jvm_test(class_gone_is_named),
		jvm_test(methods_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
