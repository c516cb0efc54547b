/* SPDX-License-Identifier: MIT */
/*
 * test_args.c - entry events must carry exactly what the program called with, call by call, for
 * every type and extreme value, wherever the calling convention puts it.
 */
#include <signal.h>

#include "lib/cmocka_all.h"
#include "lib/exact.h"

#define PROGRAM	 "prog.Args"
#define NOINLINE "-XX:CompileCommand=dontinline,prog.Target*::*"
#define SPEC	 "prog.Target*.*"

/* One JVM for tests that only differ in what is traced of it. */
static void args_start(struct jvm *j, const char *flag)
{
	jvm_start(j, jdk_or_skip("jdk17"), (const char *const[]){JVM_C1, NOINLINE, flag, NULL},
		  (const char *const[]){PROGRAM, NULL});
	jvm_ready(j);
}

/* Calls of methods compiled by C1 carry exact arguments, from interpreted and compiled code. */
static void args_exact_with_c1(void **state _unused_)
{
	run_everywhere(&(struct run){.program = PROGRAM,
				     .flags = {JVM_C1, NOINLINE},
				     .args = {SPEC},
				     .commands = {"once", "hot 300"}});
}

/* The same for C2, which has no profiled stage before it and so compiles every method just once. */
static void args_exact_with_c2(void **state _unused_)
{
	run_everywhere(&(struct run){.program = PROGRAM,
				     .flags = {JVM_C2, NOINLINE, "-DnoWide=true"},
				     .args = {SPEC},
				     .commands = {"once", "hot 300"}});
}

/* With everything compiled before its first run even the straight-line calls are compiled ones. */
static void args_exact_with_xcomp(void **state _unused_)
{
	run_everywhere(&(struct run){.program = PROGRAM,
				     .flags = {"-Xcomp", "-XX:TieredStopAtLevel=1", JVM_QUIET,
					       NOINLINE, "-XX:CompileCommand=compileonly,prog.*::*",
					       "-Drounds=20000"},
				     .args = {SPEC},
				     .commands = {"once", "hot 100"}});
}

/* Where libjvm.so lost its symbols, and even its USDT notes, the compiled code there is is as good.
 */
static void args_exact_without_symbols(void **state _unused_)
{
	static const char *const names[] = {"jdk17-stripped", "jdk17-bare"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		run_exact(jdk_or_skip(names[i]),
			  &(struct run){.program = PROGRAM,
					.flags = {JVM_C1, NOINLINE},
					.args = {SPEC},
					.commands = {"once"}},
			  NULL);
}

/* A JVM started with no flags at all, as users have them, gives the same exactness. */
static void args_exact_without_flags(void **state _unused_)
{
	run_everywhere(&(struct run){.program = PROGRAM,
				     .flags = {"-DnoWide=true", "-DnoNested=true"},
				     .args = {SPEC},
				     .commands = {"once", "once"},
				     .settle = true});
}

/* Addresses of `this`, of arrays and of other objects are the very ones the program passed. */
static void args_addresses_are_real(void **state _unused_)
{
	run_everywhere(
		&(struct run){.program = PROGRAM,
			      .flags = {"-XX:+UseSerialGC", "-XX:-UseCompressedOops", "-Xmn200m",
					"-Xmx600m", JVM_C1, NOINLINE, "-Daddresses=true"},
			      .args = {SPEC},
			      .commands = {"once"}});
}

/* --string-max counts bytes of the Java array: texts are cut there, and only there. */
static void string_max_cuts_where_told(void **state _unused_)
{
	const char *const max[] = {"0", "1", "2", "33", "255", "4096"};
	char property[64];

	for (size_t i = 0; i < ARRAY_SIZE(max); i++) {
		snprintf(property, sizeof(property), "-DstringMax=%s", max[i]);
		run_exact(jdk_or_skip("jdk17"),
			  &(struct run){.program = PROGRAM,
					.flags = {JVM_C1, NOINLINE, property},
					.args = {"--string-max", max[i], SPEC},
					.commands = {"texts"}},
			  NULL);
	}
}

/* Without compact strings every text is UTF-16, which must not show. */
static void strings_without_compact_strings(void **state _unused_)
{
	run_everywhere(&(struct run){
		.program = PROGRAM,
		.flags = {"-XX:-CompactStrings", "-DwideStrings=true", JVM_C1, NOINLINE},
		.args = {SPEC},
		.commands = {"texts", "hot 100"}});
}

/* A thread's name is shown as Java knows it, of any letters, as it was when it first called. */
static void thread_name_of_any_letters(void **state _unused_)
{
	const char *const names[] = {"name", "name worker-7", "name \xc3\xa4\xe2\x82\xac",
				     "name \xf0\x9f\x98\x80"};
	struct jvm j;

	args_start(&j, "-Dfile.encoding=UTF-8");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		run_exact_in(&j, &(struct run){.args = {SPEC}, .commands = {names[i], "overloads"}},
			     NULL);
	jvm_quit(&j);
}

/* --- which methods a SPEC means --------------------------------------------------------------- */

/* Descriptors of the methods of Target.one() that have events when traced with @spec. */
static void assert_selects(struct jvm *j, const char *spec, const char *const want[])
{
	json_t *events = json_array(), *seen = json_object(), *o;
	struct child *hp;
	size_t i, n = 0;

	hp = hp_trace(j->pid, (const char *const[]){spec, NULL});
	json_decref(hp_attached(hp));
	free(jvm_ask(j, "overloads"));
	json_decref(hp_finish(hp, SIGINT, 0, events));
	json_array_foreach (events, i, o)
		if (!strcmp(json_text(o, "event"), "entry"))
			json_object_set_new(seen, json_text(o, "descriptor"), json_true());
	for (; want[n]; n++)
		if (!json_object_get(seen, want[n]))
			jvm_fail(j, "%s: no event of %s", spec, want[n]);
	if (json_object_size(seen) != n)
		jvm_fail(j, "%s selects too much: %s", spec, json_dumps(seen, JSON_COMPACT));
	json_decref(events);
	json_decref(seen);
	child_free(hp);
}

/* A parameter list selects one overload, in full or simple names; none selects them all. */
static void spec_selects_overloads(void **state _unused_)
{
	static const struct {
		const char *spec;
		const char *want[10];
	} t[] = {
		{"prog.Target.one(int)", {"(I)V"}},
		{"prog.Target.one(java.lang.String)", {"(Ljava/lang/String;)V"}},
		{"prog.Target.one(String)", {"(Ljava/lang/String;)V"}},
		{"prog.Target.one(int, java.lang.String)", {"(ILjava/lang/String;)V"}},
		{"prog.Target.one(int,String)", {"(ILjava/lang/String;)V"}},
		{"prog.Target.one(Object)", {"(Ljava/lang/Object;)V"}},
		{"prog.Target.one(int[])", {"([I)V"}},
		{"prog.Target.one(String[][])", {"([[Ljava/lang/String;)V"}},
		{"prog.Target.one",
		 {"(I)V", "(J)V", "(Ljava/lang/String;)V", "(Ljava/lang/Object;)V", "([I)V",
		  "(ILjava/lang/String;)V", "([[Ljava/lang/String;)V"}},
		{"prog.*.one(long)", {"(J)V"}},
		{"**.o*e(long)", {"(J)V"}},
		{"prog.Target.o*(..)",
		 {"(I)V", "(J)V", "(Ljava/lang/String;)V", "(Ljava/lang/Object;)V", "([I)V",
		  "(ILjava/lang/String;)V", "([[Ljava/lang/String;)V"}},
		{"prog.Target.one()", {NULL}},
		{"static prog.Target#one(int)void", {"(I)V"}},
		{"prog.Target::one(long)", {"(J)V"}},
		{"prog.Target.one(..)int", {NULL}},
		{"static prog.Target.<init>", {NULL}},
	};

	struct jvm j;

	args_start(&j, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		assert_selects(&j, t[i].spec, t[i].want);
	jvm_quit(&j);
}

/* Nested classes, constructors and methods with letters of any script can be named one by one. */
static void spec_names_anything(void **state _unused_)
{
	static const char *const specs[] = {
		"prog.Target$Nested$Deep.method",
		"prog.Target$Inner.<init>(..)",
		"prog.Target$Point.<init>(int, double)",
		"prog.Target.\xc3\xbc"
		"ber\xe5\xad\x97\xf0\x9d\x92\x9c",
		"prog.Target$Nested.compareTo(prog.Target$Nested)",
		"prog.TargetIface.dflt",
		"prog.Target.wide",
	};

	struct jvm j;

	args_start(&j, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		struct run_result res;

		run_exact_in(&j, &(struct run){.args = {specs[i]}}, &res);
		assert_int_equal(json_integer_value(json_object_get(res.attached, "methods")), 1);
		assert_int_equal(json_array_size(json_object_get(res.attached, "waiting")), 0);
		run_result_free(&res);
	}
	jvm_quit(&j);
}

/* More strings than a record has room for: each argument is exact, or says that it was not read. */
static void strings_beyond_the_limit_say_so(void **state _unused_)
{
	json_t *events = json_array(), *want, *w, *g, *arg;
	const char *const flags[] = {JVM_C1, "-XX:CompileCommand=dontinline,prog.Many::*", NULL};
	size_t i, exact = 0;
	struct child *hp;
	struct jvm j;
	char why[256];

	jvm_start(&j, jdk_or_skip("jdk17"), flags, (const char *const[]){"prog.Many", NULL});
	jvm_ready(&j);
	hp = hp_trace(j.pid, (const char *const[]){"prog.Many.strings", NULL});
	json_decref(hp_attached(hp));
	free(jvm_ask(&j, "go"));
	json_decref(hp_finish(hp, SIGINT, 0, events));
	want = json_file(j.rec);
	assert_int_equal(json_array_size(want), 1);
	w = json_object_get(json_array_get(want, 0), "args");
	g = json_object_get(events_find(events, "entry"), "args");
	assert_int_equal(json_array_size(g), json_array_size(w));
	json_array_foreach (w, i, arg) {
		json_t *got = json_array_get(g, i);

		if (compare_arg(arg, got, why, sizeof(why)))
			exact++;
		else if (!*json_text(got, "error") || i < 16)
			jvm_fail(&j, "argument %zu: %s: %s", i, why, json_dumps(got, JSON_COMPACT));
	}
	print_message("%zu of %zu strings read\n", exact, json_array_size(w));
	json_decref(events);
	json_decref(want);
	child_free(hp);
	jvm_quit(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		jvm_test(args_exact_with_c1),	      jvm_test(args_exact_with_c2),
		jvm_test(args_exact_with_xcomp),      jvm_test(args_exact_without_symbols),
		jvm_test(args_exact_without_flags),   jvm_test(args_addresses_are_real),
		jvm_test(string_max_cuts_where_told), jvm_test(strings_without_compact_strings),
		jvm_test(thread_name_of_any_letters), jvm_test(spec_selects_overloads),
		jvm_test(spec_names_anything),	      jvm_test(strings_beyond_the_limit_say_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
