/* SPDX-License-Identifier: MIT */
/*
 * test_methods.c - `hotprobe methods` must agree with what the JVM itself says of its compiled
 * code; `hotprobe list` and `check` with what we know of a JVM that we started.
 */
#include <signal.h>

#include "lib/cmocka_all.h"
#include "lib/hp.h"
#include "lib/jvm.h"

struct with_pid {
	char text[16];
};

static struct with_pid pid_text(const struct jvm *j)
{
	struct with_pid p;

	snprintf(p.text, sizeof(p.text), "%d", j->pid);
	return p;
}

static void check_method(struct jvm *j, const struct code *c, const json_t *o)
{
	uint64_t entry = json_addr(o, "entry"), end = json_addr(o, "end");
	_cleanup_free_ char *name = NULL, *shown = json_dumps(o, JSON_COMPACT);
	json_int_t level = json_integer_value(json_object_get(o, "level"));
	json_int_t id = json_integer_value(json_object_get(o, "compile_id"));

	assert_true(asprintf(&name, "%s.%s%s", json_text(o, "class"), json_text(o, "name"),
			     json_text(o, "descriptor")) > 0);
	if (json_addr(o, "begin") != c->begin || end != c->end || level != c->level ||
	    id != c->compile_id || strcmp(name, c->method) ||
	    strcmp(json_text(o, "state"), c->state ? "not_entrant" : "in_use") ||
	    entry < c->begin || entry >= c->end ||
	    (uint64_t)json_integer_value(json_object_get(o, "size")) != c->end - c->begin)
		jvm_fail(j, "%d %d %d %s [%#llx - %#llx] is shown as %s", c->compile_id, c->level,
			 c->state, c->method, (unsigned long long)c->begin,
			 (unsigned long long)c->end, shown);
}

static void check_kind(struct jvm *j, const json_t *o)
{
	const char *kind = json_text(o, "kind");
	json_int_t level = json_integer_value(json_object_get(o, "level"));

	if (strcmp(kind, level == 0 ? "native" : level == 4 ? "c2" : "c1"))
		jvm_fail(j, "level %lld is of kind %s", (long long)level, kind);
	if (!json_is_boolean(json_object_get(o, "osr")))
		jvm_fail(j, "no \"osr\"");
}

/* The JVM's own list, and what hotprobe showed while that list was the same before and after. */
static json_t *shown_at_rest(struct jvm *j, struct codelist *list)
{
	struct codelist after;

	for (int tries = 0; tries < 10; tries++) {
		json_t *shown;
		bool same;

		jvm_settle(j, list);
		shown = hp_json(
			(const char *const[]){"methods", "-p", pid_text(j).text, "--json", NULL},
			0);
		jvm_codelist(j, &after);
		same = codelist_same(list, &after);
		codelist_free(&after);
		if (same)
			return shown;
		json_decref(shown);
		codelist_free(list);
	}
	jvm_fail(j, "it never was at rest");
	return NULL;
}

static void methods_equal(const struct jdk *jdk, const char *const *flags)
{
	json_t *shown, *o;
	struct codelist list;
	size_t i, osr = 0;
	struct jvm j;

	print_message("  %s %s %s", jdk->name, flags[0], flags[1] ? flags[1] : "");
	jvm_start(&j, jdk, flags, (const char *const[]){"prog.Busy", "2", NULL});
	jvm_ready(&j);
	/* Some code is retired by now, too. */
	free(jvm_ask(&j, "time 1000000"));
	free(jvm_ask(&j, "stop"));
	shown = shown_at_rest(&j, &list);
	print_message(": %zu methods\n", list.n);
	for (i = 0; i < MIN(list.n, json_array_size(shown)); i++)
		check_method(&j, &list.v[i], json_array_get(shown, i));
	if (json_array_size(shown) != list.n)
		jvm_fail(&j, "%zu methods, %zu shown", list.n, json_array_size(shown));
	json_array_foreach (shown, i, o) {
		check_kind(&j, o);
		osr += json_is_true(json_object_get(o, "osr"));
	}
	assert_true(osr > 0);
	json_decref(shown);
	codelist_free(&list);
	jvm_check_unhurt(&j);
	jvm_quit(&j);
}

/* Same entries, addresses, levels, names and states as jcmd Compiler.codelist, none missing or
 * extra. */
static void methods_equal_codelist(void **state _unused_)
{
	static const char *const ways[][3] = {
		{"-XX:+UseSerialGC"},
		{"-XX:+UseParallelGC"},
		{"-XX:+UseG1GC"},
		{"-XX:+UseZGC"},
		{"-XX:+UseShenandoahGC"},
		{"-XX:+UseG1GC", "-XX:-SegmentedCodeCache"},
		{"-XX:+UseG1GC", "-XX:TieredStopAtLevel=1"},
		{"-XX:+UseG1GC", "-XX:-UseCompressedClassPointers"},
	};
	const struct jdk *jdks;
	size_t n = jdks_get(&jdks);

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < ARRAY_SIZE(ways); k++)
			if (!jdks[i].altered || k == 2)
				methods_equal(&jdks[i], ways[k]);
}

/* A pattern shows the methods that match it, the same ones that the whole list has. */
static void methods_pattern(void **state _unused_)
{
	const char *const flags[] = {"-XX:TieredStopAtLevel=1", NULL};
	json_t *all, *some, *o;
	size_t i, want = 0;
	struct jvm j;

	jvm_start(&j, jdk_or_skip("jdk17"), flags, (const char *const[]){"prog.Busy", NULL});
	jvm_ready(&j);
	jvm_settle(&j, NULL);
	all = hp_json((const char *const[]){"methods", "-p", pid_text(&j).text, "--json", NULL}, 0);
	some = hp_json((const char *const[]){"methods", "-p", pid_text(&j).text, "--json",
					     "prog.Busy.*", NULL},
		       0);
	json_array_foreach (all, i, o) {
		if (strcmp(json_text(o, "class"), "prog.Busy"))
			continue;
		assert_true(json_equal(o, json_array_get(some, want)));
		want++;
	}
	assert_true(want > 3);
	assert_int_equal(json_array_size(some), want);
	json_decref(all);
	json_decref(some);
	jvm_quit(&j);
}

static const char *one_of(const struct jvm *j, const char *pattern, size_t n, char entry[static 32])
{
	json_t *some = hp_json(
		(const char *const[]){"methods", "-p", pid_text(j).text, "--json", pattern, NULL},
		0);

	if (json_array_size(some) != n)
		jvm_fail((struct jvm *)j, "'%s' is %zu methods", pattern, json_array_size(some));
	snprintf(entry, 32, "%s", n ? json_text(json_array_get(some, 0), "entry") : "");
	json_decref(some);
	return entry;
}

/* A pattern is a SPEC: types, result, static and entry count as they do for a trace. */
static void methods_pattern_is_a_spec(void **state _unused_)
{
	static const struct {
		const char *pattern;
		size_t n;
	} t[] = {
		{"prog.Busy.work(int, String, double)", 1},
		{"prog.Busy#work(int, java.lang.String, double)long", 1},
		{"prog.Busy.work(..)void", 0},
		{"prog.Busy.work(int)", 0},
		{"static prog.Busy.work", 1},
		{"prog.Busy.instance", 1},
		{"static prog.Busy.instance", 0},
		{"prog.Busy.work@1", 0},
	};
	const char *const flags[] = {"-XX:TieredStopAtLevel=1", NULL};
	char entry[32], again[32], at[64];
	struct jvm j;

	jvm_start(&j, jdk_or_skip("jdk17"), flags, (const char *const[]){"prog.Busy", NULL});
	jvm_ready(&j);
	jvm_settle(&j, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		one_of(&j, t[i].pattern, t[i].n, entry);
	snprintf(at, sizeof(at), "**@%s", one_of(&j, "prog.Busy.work", 1, entry));
	assert_string_equal(one_of(&j, at, 1, again), entry);
	jvm_quit(&j);
}

/* --- watching --------------------------------------------------------------------------------- */

#define CHANGE_MS 120000

/* Read events until one of this kind comes for a method; every one on the way must be complete. */
static void watch_until(struct jvm *j, struct child *hp, const char *event, const char *name,
			int level)
{
	uint64_t until = mono_ms() + CHANGE_MS;
	json_t *o;

	while (mono_ms() < until && (o = hp_next(hp, CHANGE_MS))) {
		bool found =
			!strcmp(json_text(o, "event"), event) &&
			!strcmp(json_text(o, "name"), name) &&
			(level < 0 || json_integer_value(json_object_get(o, "level")) == level);

		assert_true(json_addr(o, "entry") && json_addr(o, "end"));
		json_decref(o);
		if (found)
			return;
	}
	jvm_fail(j, "methods -w did not tell that %s was %s", name, event);
}

static void watch(const struct jdk *jdk)
{
	const char *const flags[] = {"-XX:CompileCommand=quiet",
				     "-XX:CompileCommand=dontinline,prog.Follow*::*", NULL};
	struct with_pid p;
	struct child *hp;
	uint64_t until;
	struct jvm j;
	bool gone = false;
	json_t *o;

	print_message("  %s\n", jdk->name);
	jvm_start(&j, jdk, flags, (const char *const[]){"prog.Follow", NULL});
	jvm_ready(&j);
	p = pid_text(&j);
	hp = hp_start((const char *const[]){"methods", "-p", p.text, "-w", "--json", "**", NULL});
	json_decref(hp_next(hp, HP_TIMEOUT_MS)); /* the map as it is: now it watches */
	free(jvm_ask(&j, "start 2"));
	watch_until(&j, hp, "compiled", "step", 3);
	watch_until(&j, hp, "compiled", "step", 4);
	free(jvm_ask(&j, "mode 1"));
	watch_until(&j, hp, "retired", "step", 4);
	watch_until(&j, hp, "compiled", "step", 4);
	free(jvm_ask(&j, "stop"));
	free(jvm_ask(&j, "load"));
	watch_until(&j, hp, "compiled", "accept", -1);
	free(jvm_ask(&j, "drop"));
	until = mono_ms() + CHANGE_MS;
	while (!gone && mono_ms() < until) {
		free(jvm_ask(&j, "gc"));
		while ((o = hp_next(hp, 100))) {
			gone |= !strcmp(json_text(o, "event"), "unloaded") &&
				!strcmp(json_text(o, "class"), "prog.FollowGone");
			json_decref(o);
		}
	}
	assert_true(gone);
	child_signal(hp, SIGINT);
	assert_int_equal(child_wait(hp, HP_TIMEOUT_MS), 0);
	child_free(hp);
	jvm_check_unhurt(&j);
	jvm_quit(&j);
}

/* -w tells of each method compiled, retired and unloaded afterwards. */
static void methods_watch(void **state _unused_)
{
	const struct jdk *jdks;
	size_t n = jdks_get(&jdks);

	for (size_t i = 0; i < n; i++)
		watch(&jdks[i]);
}

/* --- list and check --------------------------------------------------------------------------- */

static void list_one(const struct jdk *jdk, const char *flag, const char *gc)
{
	const char *const flags[] = {flag, NULL};
	json_t *all, *o, *found = NULL;
	char version[16];
	struct jvm j;
	size_t i;

	jvm_start(&j, jdk, flags, (const char *const[]){"prog.Busy", NULL});
	jvm_ready(&j);
	all = hp_json((const char *const[]){"list", "--json", NULL}, 0);
	json_array_foreach (all, i, o)
		if (json_integer_value(json_object_get(o, "pid")) == j.pid)
			found = o;
	if (!found)
		jvm_fail(&j, "not in the list");
	snprintf(version, sizeof(version), "%d.", jdk->version);
	assert_memory_equal(json_text(found, "java_version"), version, strlen(version));
	assert_string_equal(json_text(found, "gc"), gc);
	assert_string_equal(json_text(found, "main"), "prog.Busy");
	assert_string_equal(json_text(found, "kind"), "hotspot");
	assert_int_equal(json_integer_value(json_object_get(found, "uid")), getuid());
	assert_true(json_is_true(json_object_get(found, "probeable")));
	assert_true(json_is_null(json_object_get(found, "reason")));
	json_decref(all);
	jvm_quit(&j);
}

/* Each JVM is listed with its version, collector and main class. */
static void list_tells_the_truth(void **state _unused_)
{
	const struct jdk *jdks;
	size_t n = jdks_get(&jdks);

	for (size_t i = 0; i < n; i++) {
		list_one(&jdks[i], "-XX:+UseG1GC", "G1");
		if (jdks[i].altered)
			continue;
		list_one(&jdks[i], "-XX:+UseParallelGC", "Parallel");
		list_one(&jdks[i], "-XX:+UseSerialGC", "Serial");
		list_one(&jdks[i], "-XX:+UseZGC", "ZGC");
		list_one(&jdks[i], "-XX:+UseShenandoahGC", "Shenandoah");
	}
}

/* `check` says that probing works here, and on this JVM; nothing is missing. */
static void check_says_ok(void **state _unused_)
{
	json_t *items, *o;
	const struct jdk *jdks;
	size_t n = jdks_get(&jdks), i, k;
	struct jvm j;

	for (i = 0; i < n; i++) {
		jvm_start(&j, &jdks[i], NULL, (const char *const[]){"prog.Busy", NULL});
		jvm_ready(&j);
		items = hp_json(
			(const char *const[]){"check", "-p", pid_text(&j).text, "--json", NULL}, 0);
		assert_true(json_array_size(items) > 5);
		json_array_foreach (items, k, o)
			if (!strcmp(json_text(o, "result"), "missing"))
				fail_msg("missing: %s: %s", json_text(o, "check"),
					 json_text(o, "detail"));
		json_decref(items);
		jvm_quit(&j);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		jvm_test(methods_equal_codelist),    jvm_test(methods_pattern),
		jvm_test(methods_pattern_is_a_spec), jvm_test(methods_watch),
		jvm_test(list_tells_the_truth),	     jvm_test(check_says_ok),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
