/* SPDX-License-Identifier: MIT */
/*
 * test_threads.c - many threads at once, virtual ones, stacks that overflow inside a probed
 * method, and the JVM's own tools looking at the same threads meanwhile.
 */
#include <signal.h>
#include <sys/stat.h>

#include "lib/cmocka_all.h"
#include "lib/exact.h"

#define NOINLINE "-XX:CompileCommand=dontinline,prog.Threads::*"
#define CALLED	 "prog.Threads.call"

/* Two hundred threads call at once: every call of every thread is there, in its thread's order. */
static void threads_two_hundred(void **state _unused_)
{
	run_everywhere(&(struct run){.program = "prog.Threads",
				     .flags = {JVM_C1, NOINLINE},
				     .args = {CALLED},
				     .commands = {"begin 200 30", "join"}});
	run_everywhere(&(struct run){.program = "prog.Threads",
				     .flags = {JVM_C2, NOINLINE},
				     .args = {CALLED},
				     .commands = {"begin 200 30", "join"}});
}

/* Virtual threads move between kernel threads; their calls carry their own name and id. */
static void threads_virtual(void **state _unused_)
{
	const struct jdk *jdks;
	size_t n = jdks_get(&jdks), ran = 0;

	for (size_t i = 0; i < n; i++) {
		if (jdks[i].version < 21)
			continue;
		run_exact(&jdks[i],
			  &(struct run){.program = "prog.Threads",
					.flags = {JVM_C2, NOINLINE},
					.args = {CALLED},
					.commands = {"virtual 300 30", "join"}},
			  NULL);
		ran++;
	}
	if (!ran)
		test_skip("no JDK 21 or later in %s", env_jdks());
}

/*
 * Depth arguments of one thread's events must count 0, 1, 2, ... once per number in @depths; the
 * call that overflows is seen, its body does not run.
 */
static void check_descents(struct jvm *j, const json_t *events, const char *depths)
{
	long want = -1, next = 0;
	size_t i, descents = 0;
	char *end = NULL;
	json_t *o;

	json_array_foreach (events, i, o) {
		const json_t *args = json_object_get(o, "args");
		long depth;

		if (strcmp(json_text(o, "event"), "entry"))
			continue;
		depth = (long)json_integer_value(json_object_get(json_array_get(args, 0), "value"));
		if (next == 0) {
			want = strtol(depths, &end, 10);
			if (end == depths)
				jvm_fail(j, "a descent too many, after %zu", descents);
			depths = end;
		}
		if (depth != next)
			jvm_fail(j, "descent %zu: depth %ld after %ld", descents, depth, next - 1);
		next = depth == want ? 0 : next + 1;
		descents += depth == want;
	}
	if (next || strtol(depths, &end, 10) || !descents)
		jvm_fail(j, "descent %zu stopped before depth %ld of %ld; then: %s", descents, next,
			 want, depths);
	print_message("    %zu overflows\n", descents);
}

/* All calls of so many descents: after a signal little time is left to print what is unread. */
static void await_descents(struct child *hp, const char *depths, json_t *events)
{
	long calls = 0, depth;
	char *end;

	while (depth = strtol(depths, &end, 10), end != depths) {
		calls += depth + 1;
		depths = end;
	}
	while (calls > 0) {
		json_t *o = hp_next(hp, HP_TIMEOUT_MS);

		if (!o)
			hp_fail(hp, "%ld calls are missing", calls);
		calls -= !strcmp(json_text(o, "event"), "entry");
		json_array_append_new(events, o);
	}
}

/* The first, and again where the stack was mended after one. */
#define OVERFLOWS 3

static void overflow_exact(const struct jdk *jdk, const char *const *flags, const char *kind)
{
	json_t *events = json_array(), *detached;
	char *depths;
	struct child *hp;
	struct jvm j;

	print_message("  %s %s\n", jdk->name, kind);
	jvm_start(&j, jdk, flags, (const char *const[]){"prog.Threads", NULL});
	jvm_ready(&j);
	hp = hp_trace(j.pid,
		      (const char *const[]){"--ring-size", "512M", "prog.Threads.descend*", NULL});
	json_decref(hp_attached(hp));
	depths = jvm_ask(&j, "overflow %d %s", OVERFLOWS, kind);
	await_descents(hp, depths, events);
	detached = hp_finish(hp, SIGINT, 0, events);
	assert_int_equal(json_integer_value(json_object_get(detached, "lost")), 0);
	assert_true(json_is_true(json_object_get(detached, "restored")));
	check_descents(&j, events, depths);
	jvm_quit(&j);
	free(depths);
	child_free(hp);
	json_decref(detached);
	json_decref(events);
}

/*
 * A probed method that recurses until the stack overflows: the displaced stack bang faults in our
 * continuation, the program gets its StackOverflowError, and every call was seen.
 */
static void threads_stack_overflow(void **state _unused_)
{
	const struct jdk *jdks;
	size_t n = jdks_get(&jdks);

	for (size_t i = 0; i < n; i++) {
		if (jdks[i].altered)
			continue;
		overflow_exact(&jdks[i], (const char *const[]){JVM_C1, NOINLINE, NULL}, "text");
		overflow_exact(&jdks[i], (const char *const[]){JVM_C2, NOINLINE, NULL}, "text");
		overflow_exact(&jdks[i], (const char *const[]){JVM_C2, NOINLINE, NULL}, "plain");
	}
}

static void look_meanwhile(struct jvm *j)
{
	char command[256], *reply;
	struct stat st;

	/* They may have made all their calls when all this is done, but they stay. */
	reply = jvm_jcmd(j, "Thread.print");
	assert_non_null(strstr(reply, "worker"));
	free(reply);
	snprintf(command, sizeof(command), "GC.heap_dump %s/dump.hprof", j->dir);
	free(jvm_jcmd(j, command));
	for (int i = 0; i < 10; i++)
		free(jvm_jcmd(j, "Thread.print"));
	snprintf(command, sizeof(command), "%s/dump.hprof", j->dir);
	assert_int_equal(stat(command, &st), 0);
	assert_true(st.st_size > 100000);
}

static void observed_exact(const struct jdk *jdk)
{
	json_t *events = json_array(), *detached, *want;
	const char *const flags[] = {JVM_C2, NOINLINE, NULL};
	char command[256];
	struct child *hp;
	struct jvm j;
	struct stat st;

	print_message("  %s\n", jdk->name);
	jvm_start(&j, jdk, flags, (const char *const[]){"prog.Threads", NULL});
	jvm_ready(&j);
	free(jvm_jcmd(&j, "JFR.start name=test settings=profile"));
	/* JFR redefines classes of the JDK, and the first redefinition throws all compiled code
	 * away. */
	free(jvm_ask(&j, "warm"));
	jvm_settle(&j, NULL);
	hp = hp_trace(j.pid, (const char *const[]){"--ring-size", "512M", CALLED, NULL});
	json_decref(hp_attached(hp));
	free(jvm_ask(&j, "begin 20 1000"));
	look_meanwhile(&j);
	free(jvm_ask(&j, "join"));
	snprintf(command, sizeof(command), "JFR.stop name=test filename=%s/rec.jfr", j.dir);
	free(jvm_jcmd(&j, command));
	detached = hp_finish(hp, SIGINT, 0, events);
	want = json_file(j.rec);
	assert_int_equal(json_array_size(want), 20000);
	if (compare_calls(want, events))
		jvm_fail(&j, "not exact");
	snprintf(command, sizeof(command), "%s/rec.jfr", j.dir);
	assert_int_equal(stat(command, &st), 0);
	assert_true(st.st_size > 10000);
	jvm_check_unhurt(&j);
	jvm_quit(&j);
	child_free(hp);
	json_decref(want);
	json_decref(detached);
	json_decref(events);
}

/* JFR samples, jcmd dumps threads and heap while twenty threads are traced: nobody disturbs nobody.
 */
static void threads_watched_by_others(void **state _unused_)
{
	const struct jdk *jdks;
	size_t n = jdks_get(&jdks);

	for (size_t i = 0; i < n; i++)
		if (!jdks[i].altered)
			observed_exact(&jdks[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		jvm_test(threads_two_hundred),
		jvm_test(threads_virtual),
		jvm_test(threads_stack_overflow),
		jvm_test(threads_watched_by_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
