/* SPDX-License-Identifier: MIT */
/*
 * test_codecache_big.c - code caches that hardly leave room for slots within a jump's reach: up to
 * 2 GiB, the most that HotSpot takes. `check` tries what `trace` needs, and both agree.
 */
#include <signal.h>

#include "lib/cmocka_all.h"
#include "lib/exact.h"

#define GIB (1ULL << 30)

struct cache {
	const char *flags[5];
	bool far; /* C2's code lies more than a jump's reach from C1's */
};

static const struct cache caches[] = {
	{{"-XX:ReservedCodeCacheSize=1900m"}, false},
	{{"-XX:ReservedCodeCacheSize=2048m"}, false},
	/* All of it can be executed from the start. */
	{{"-XX:ReservedCodeCacheSize=2048m", "-XX:-SegmentedCodeCache",
	  "-XX:InitialCodeCacheSize=2048m"},
	 false},
	{{"-XX:ReservedCodeCacheSize=2048m", "-XX:NonNMethodCodeHeapSize=8m",
	  "-XX:ProfiledCodeHeapSize=2035m", "-XX:NonProfiledCodeHeapSize=5m"},
	 true},
};

static int64_t number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static void check_says_ok(struct jvm *j)
{
	struct hp_result r;
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", j->pid);
	hp_run(&r, (const char *const[]){"check", "-p", pid, NULL});
	if (r.status || !strstr(r.out, "ok        attach ") || strstr(r.out, "missing"))
		jvm_fail(j, "check: status %d: %s%s", r.status, r.out, r.err);
	hp_result_free(&r);
	assert_false(jvm_maps_has(j, "memfd:hotprobe"));
	assert_false(jvm_fds_have(j, "memfd:hotprobe"));
}

/* Entries of what is probed: how far apart C1's and C2's code is. */
static uint64_t distance(struct jvm *j)
{
	char pid[16];
	json_t *all, *o;
	uint64_t low = 0, high = 0;
	size_t i;

	snprintf(pid, sizeof(pid), "%d", j->pid);
	all = hp_json((const char *const[]){"methods", "-p", pid, "--json", "prog.Copies*.*", NULL},
		      0);
	json_array_foreach (all, i, o) {
		if (number(o, "level") == 4 && !json_is_true(json_object_get(o, "osr")))
			high = MAX(high, json_addr(o, "entry"));
		else if (number(o, "level") < 4 && (!low || json_addr(o, "entry") < low))
			low = json_addr(o, "entry");
	}
	json_decref(all);
	assert_true(low && high);
	return MAX(low, high) - MIN(low, high);
}

/* Regions of slots that are mapped: each has three parts. */
static size_t regions(struct jvm *j)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[32], line[512];
	size_t n = 0;

	snprintf(path, sizeof(path), "/proc/%d/maps", j->pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		n += strstr(line, "memfd:hotprobe") != NULL;
	return n / 3;
}

static void kill_and_clean(struct jvm *j, const char *const specs[])
{
	struct child *hp = hp_trace(j->pid, specs);
	struct hp_result r;
	char pid[16];

	json_decref(hp_attached(hp));
	kill(child_pid(hp), SIGKILL);
	child_free(hp);
	free(jvm_ask(j, "calls 10"));
	snprintf(pid, sizeof(pid), "%d", j->pid);
	do
		hp_run(&r, (const char *const[]){"clean", "-p", pid, NULL});
	while (r.status && strstr(r.err, "is being traced") && (hp_result_free(&r), true));
	if (r.status)
		jvm_fail(j, "clean: %s", r.err);
	hp_result_free(&r);
	assert_false(jvm_maps_has(j, "memfd:hotprobe"));
}

/* Calls of code in each heap are seen, exactly, and nothing is left, even of a killed instance. */
static void trace_sees_each_heap(struct jvm *j, const struct cache *c)
{
	static const char *const specs[] = {"--count-only", "prog.Copies.one", "prog.CopiesPart.m7",
					    NULL};
	json_t *events = json_array(), *attached, *detached, *o;
	struct child *hp = hp_trace(j->pid, specs);
	int64_t one = -1, m7 = -1;
	size_t i;

	attached = hp_attached(hp);
	assert_int_equal(number(attached, "sites"), number(attached, "methods"));
	assert_int_equal(number(attached, "sites"), 2);
	/* What else is mapped there decides whether one reaches all heaps that are near enough. */
	assert_in_range(regions(j), c->far ? 2 : 1, 2);
	free(jvm_ask(j, "calls 1000"));
	free(jvm_ask(j, "parts 1"));
	detached = hp_finish(hp, SIGINT, 0, events);
	assert_true(json_is_true(json_object_get(detached, "restored")));
	json_array_foreach (events, i, o) {
		if (!strcmp(json_text(o, "name"), "one"))
			one = number(o, "count");
		if (!strcmp(json_text(o, "name"), "m7"))
			m7 = number(o, "count");
	}
	if (one != 1000 || m7 != 1)
		jvm_fail(j, "%lld of 1000 calls, and %lld of 1", (long long)one, (long long)m7);
	assert_false(jvm_maps_has(j, "memfd:hotprobe"));
	json_decref(attached);
	json_decref(detached);
	json_decref(events);
	child_free(hp);
	if (c->far)
		kill_and_clean(j, specs);
}

static void code_caches(void **state _unused_)
{
	const struct jdk *jdk = jdk_or_skip("jdk17");

	test_needs_root();
	for (size_t i = 0; i < ARRAY_SIZE(caches); i++) {
		const struct cache *c = &caches[i];
		const char *flags[] = {
			"-Xbatch",   JVM_QUIET,	  "-XX:CompileCommand=dontinline,prog.Copies*::*",
			c->flags[0], c->flags[1], c->flags[2],
			c->flags[3], NULL};
		struct jvm j;

		print_message("  %s %s\n", c->flags[0], c->flags[1] ? c->flags[1] : "");
		jvm_start(&j, jdk, flags, (const char *const[]){"prog.Copies", "1", NULL});
		jvm_ready(&j);
		free(jvm_ask(&j, "calls 20000"));
		free(jvm_ask(&j, "calls 20000"));
		jvm_settle(&j, NULL);
		assert_true(distance(&j) > 2 * GIB - (100 << 20) || !c->far);
		check_says_ok(&j);
		trace_sees_each_heap(&j, c);
		jvm_quit(&j);
	}
}

/* `check` says what stands in the way of a trace, and does not touch what others have there. */
static void check_tells_obstacles(void **state _unused_)
{
	struct hp_result r;
	struct child *hp;
	struct jvm j;
	char pid[16];

	test_needs_root();
	jvm_start(&j, jdk_or_skip("jdk17"), NULL, (const char *const[]){"prog.Copies", "1", NULL});
	jvm_ready(&j);
	snprintf(pid, sizeof(pid), "%d", j.pid);
	hp = hp_trace(j.pid, (const char *const[]){"prog.Copies.one", NULL});
	json_decref(hp_attached(hp));
	hp_run(&r, (const char *const[]){"check", "-p", pid, NULL});
	assert_int_equal(r.status, 0);
	assert_non_null(strstr(r.out, "degraded  attach "));
	assert_non_null(strstr(r.out, "is being traced already by the hotprobe with PID"));
	hp_result_free(&r);
	json_decref(hp_finish(hp, SIGINT, 0, json_array()));
	child_free(hp);
	jvm_check_unhurt(&j);
	jvm_quit(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		jvm_test(code_caches),
		jvm_test(check_tells_obstacles),
	};

	return cmocka_run_group_tests_name("codecache_big", tests, NULL, NULL);
}
