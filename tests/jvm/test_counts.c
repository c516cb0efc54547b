/* SPDX-License-Identifier: MIT */
/*
 * test_counts.c - a JVM with more compiled methods than there are slots, and calls that are only
 * counted: a line for each method, however often it was compiled, and few words about the rest.
 */
#include <signal.h>

#include "lib/cmocka_all.h"
#include "lib/exact.h"
#include "lib/lines.h"

#define COPIES	     220 /* 4400 methods, and there are 4095 slots */
#define COPIES_TEXT  "220"
#define PART_METHODS 20
#define SLOTS	     4095
#define MANY	     "prog.**.*"
/* A burst that the kernel has to remove thousands of uprobes after takes its time; this is ample.
 */
#define ATTACH_MS 20000

static struct jvm copies;

static int start_copies(void **state)
{
	static const char *const flags[] = {JVM_C1, "-XX:CompileCommand=dontinline,prog.Copies*::*",
					    "-XX:ReservedCodeCacheSize=64m", NULL};
	const struct jdk *jdk = jdk_find("jdk17");

	test_setup(state);
	if (!jdk || geteuid())
		return 0;
	jvm_start(&copies, jdk, flags, (const char *const[]){"prog.Copies", COPIES_TEXT, NULL});
	jvm_ready(&copies);
	return 0;
}

static int stop_copies(void **state)
{
	jvm_free(&copies);
	return test_cleanup(state);
}

static void needs_copies(void)
{
	test_needs_root();
	jdk_or_skip("jdk17");
}

static int64_t number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* The final counts among @events by method: an object; none twice. @sum: of them all. */
static json_t *finals(const json_t *events, int64_t *sum)
{
	json_t *ret = json_object(), *o;
	size_t i;

	*sum = 0;
	json_array_foreach (events, i, o) {
		const char *method = json_text(o, "method");

		if (strcmp(json_text(o, "event"), "stat") ||
		    !json_is_true(json_object_get(o, "final")))
			continue;
		assert_null(json_object_get(ret, method));
		assert_true(number(o, "count") == number(o, "total"));
		assert_true(number(o, "interval") > 0);
		json_object_set_new(ret, method, json_integer(number(o, "count")));
		*sum += number(o, "count");
	}
	return ret;
}

/*
 * Twenty methods that were compiled 220 times each, and more of them than slots: 20 counts, each of
 * as many calls as were made of what is probed; and the sum is what the probes have seen.
 */
static void copies_are_one_method(void **state _unused_)
{
	json_t *events = json_array(), *attached, *detached, *counts;
	uint64_t begun_ms = mono_ms();
	int64_t sum, unprobed;
	struct child *hp;
	char calls[32];

	needs_copies();
	hp = hp_trace(copies.pid, (const char *const[]){"--count-only", "**.CopiesPart.m*", NULL});
	attached = hp_attached(hp);
	assert_true(mono_ms() - begun_ms < ATTACH_MS);
	assert_int_equal(number(attached, "methods"), COPIES * PART_METHODS);
	assert_int_equal(number(attached, "sites"), SLOTS);
	assert_int_equal(json_object_size(json_object_get(attached, "unprobed")), 1);
	unprobed = number(json_object_get(attached, "unprobed"),
			  "all 4095 slots are in use; give a narrower SPEC");
	assert_int_equal(unprobed, COPIES * PART_METHODS - SLOTS);
	snprintf(calls, sizeof(calls), "parts %d", COPIES);
	free(jvm_ask(&copies, "%s", calls));
	detached = hp_finish(hp, SIGINT, 0, events);
	counts = finals(events, &sum);
	assert_int_equal(json_object_size(counts), PART_METHODS);
	assert_int_equal(sum, SLOTS);
	assert_int_equal(number(detached, "hits"), SLOTS);
	assert_true(json_is_true(json_object_get(detached, "restored")));
	assert_true(number(counts, "prog.CopiesPart.m7(int)") > SLOTS / PART_METHODS - 20);
	json_decref(counts);
	json_decref(attached);
	json_decref(detached);
	json_decref(events);
	child_free(hp);
}

/* Several SPECs: a line each, exact, of intervals and at the end; the intervals make the end. */
static void each_method_has_its_count(void **state _unused_)
{
	json_t *events = json_array(), *o, *counts, *detached;
	int64_t one = 0, sum;
	struct child *hp;
	size_t i;

	needs_copies();
	hp = hp_trace(copies.pid,
		      (const char *const[]){"--count-only", "-i", "0.1s", "prog.Copies.one",
					    "prog.Copies.two", "prog.Copies.three", NULL});
	json_decref(hp_attached(hp));
	free(jvm_ask(&copies, "calls 1000"));
	while (one < 1000) {
		o = hp_until(hp, "stat", events);
		assert_true(json_is_false(json_object_get(o, "final")));
		if (!strcmp(json_text(o, "name"), "one")) {
			one += number(o, "count");
			assert_int_equal(number(o, "total"), one);
			assert_string_equal(json_text(o, "method"), "prog.Copies.one(int)");
			assert_string_equal(json_text(o, "class"), "prog.Copies");
			assert_string_equal(json_text(o, "descriptor"), "(I)J");
			assert_true(json_real_value(json_object_get(o, "rate")) >= 0);
		}
		json_array_append_new(events, o);
	}
	assert_int_equal(one, 1000);
	free(jvm_ask(&copies, "calls 234"));
	detached = hp_finish(hp, SIGINT, 0, events);
	counts = finals(events, &sum);
	assert_int_equal(json_object_size(counts), 3);
	assert_int_equal(number(counts, "prog.Copies.one(int)"), 1234);
	assert_int_equal(number(counts, "prog.Copies.two(java.lang.String, int[])"), 2468);
	assert_int_equal(number(counts, "prog.Copies.three(long)"), 0);
	assert_int_equal(number(detached, "hits"), sum);
	one = 0;
	json_array_foreach (events, i, o)
		if (json_is_false(json_object_get(o, "final")) &&
		    !strcmp(json_text(o, "name"), "two"))
			one += number(o, "count");
	assert_true(one <= 2468);
	json_decref(counts);
	json_decref(detached);
	json_decref(events);
	child_free(hp);
}

/*
 * Whoever names everything gets few lines about what is not probed, with their numbers; with -q
 * none at all, and the counts alone on stdout.
 */
static void few_words(void **state _unused_)
{
	struct hp_result r;
	char pid[16];

	needs_copies();
	snprintf(pid, sizeof(pid), "%d", copies.pid);
	hp_run(&r,
	       (const char *const[]){"trace", "-p", pid, "-d", "0.2s", "--count-only", MANY, NULL});
	assert_int_equal(r.status, 0);
	assert_true(count_lines(r.err) <= 8);
	assert_non_null(strstr(r.err, ": 4095 of 46"));
	assert_non_null(strstr(r.err, " methods are not probed: all 4095 slots are in use; give a "
				      "narrower SPEC (prog."));
	assert_non_null(strstr(r.out, "       CALLS      CALLS/S  METHOD\n"));
	hp_result_free(&r);
	hp_run(&r, (const char *const[]){"trace", "-q", "-p", pid, "-d", "0.2s", "--count-only",
					 MANY, "no.Such.method", NULL});
	assert_int_equal(r.status, 0);
	assert_string_equal(r.err, "");
	assert_int_equal(strncmp(r.out, "       CALLS", 12), 0);
	hp_result_free(&r);
	hp_run(&r, (const char *const[]){"trace", "-p", pid, "-d", "0.2s", "--count-only",
					 "prog.Copies.one", NULL});
	assert_int_equal(count_lines(r.out), 2);
	assert_non_null(strstr(r.out, "           0          0.0  prog.Copies.one(int)\n"));
	hp_result_free(&r);
}

/* -n counts calls that are not shown too; -i is for counting. */
static void options_of_counting(void **state _unused_)
{
	json_t *events = json_array(), *detached;
	struct child *hp;
	struct hp_result r;

	needs_copies();
	hp = hp_trace(copies.pid,
		      (const char *const[]){"--count-only", "-n", "50", "prog.Copies.one", NULL});
	json_decref(hp_attached(hp));
	free(jvm_ask(&copies, "calls 60"));
	detached = hp_finish(hp, 0, 0, events);
	assert_string_equal(json_text(detached, "reason"), "count");
	assert_int_equal(number(detached, "hits"), 60);
	json_decref(detached);
	json_decref(events);
	child_free(hp);
	hp_run(&r, (const char *const[]){"trace", "-p", "1", "-i", "1", "a.b", NULL});
	hp_result_check(&r, 2);
	assert_non_null(strstr(r.err, "--interval is for --count-only"));
	hp_result_free(&r);
	hp_run(&r, (const char *const[]){"trace", "-p", "1", "--count-only", "-i", "99ms", "a.b",
					 NULL});
	hp_result_check(&r, 2);
	hp_result_free(&r);
}

/* Wait for a line that contains @text in what `run` writes to @path. */
static void await_in(struct child *hp, const char *path, const char *text)
{
	uint64_t until_ms = mono_ms() + HP_TIMEOUT_MS;
	bool found = false;

	while (!found) {
		json_t *all = json_file(path), *o;
		size_t i;

		json_array_foreach (all, i, o)
			found |= !strcmp(json_text(o, "event"), text);
		json_decref(all);
		if (!found && mono_ms() > until_ms)
			hp_fail(hp, "no '%s' in %s", text, path);
		pause_ms(20);
	}
}

/* `run` has the same counts. */
static void run_counts(void **state _unused_)
{
	_cleanup_free_ char *dir = NULL, *path = NULL;
	const char *java;
	json_t *events, *counts;
	struct child *hp;
	int64_t sum;

	needs_copies();
	java = jdk_find("jdk17")->java;
	dir = test_dir();
	assert_true(asprintf(&path, "%s/counts", dir) > 0);
	hp = child_start((const char *const[]){env_bin(), "run", "--json", "-o", path,
					       "--count-only", "prog.Copies.two", "--", java, "-cp",
					       env_classes(), "-Xcomp", JVM_C1,
					       "-XX:CompileCommand=dontinline,prog.Copies*::*",
					       "-XX:CompileCommand=compileonly,prog.Copies*::*",
					       "prog.Copies", "1", NULL},
			 NULL);
	await_in(hp, path, "probed");
	child_send(hp, "calls 100");
	child_close_stdin(hp);
	assert_int_equal(child_wait(hp, HP_TIMEOUT_MS), 0);
	child_free(hp);
	events = json_file(path);
	counts = finals(events, &sum);
	assert_int_equal(json_object_size(counts), 1);
	/* Some that were made before may have been seen too. */
	assert_in_range(sum, 200, 800);
	assert_int_equal(number(counts, "prog.Copies.two(java.lang.String, int[])"), sum);
	json_decref(counts);
	json_decref(events);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_are_one_method),
		cmocka_unit_test(each_method_has_its_count),
		cmocka_unit_test(few_words),
		cmocka_unit_test(options_of_counting),
		cmocka_unit_test(run_counts),
	};

	return cmocka_run_group_tests_name("counts", tests, start_copies, stop_copies);
}
