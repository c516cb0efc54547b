/* SPDX-License-Identifier: MIT */
/*
 * test_codecache.c - hotprobe follows the JVM: methods that are compiled later, thrown away and
 * compiled again, loaded later, unloaded. While code comes and goes some calls are not seen, by the
 * nature of it (they run interpreted), but what is seen is genuine; at rest it is complete.
 */
#include <signal.h>

#include "lib/cmocka_all.h"
#include "lib/exact.h"

#define NOINLINE                                                                                   \
	"-XX:CompileCommand=dontinline,prog.Follow::step",                                         \
		"-XX:CompileCommand=dontinline,prog.FollowLate::call",                             \
		"-XX:CompileCommand=dontinline,prog.FollowGone::call"
#define STEP	  "prog.Follow.step"
#define LATE	  "prog.FollowLate.call"
#define GONE	  "prog.FollowGone.call"
#define SPECS_MAX 4
#define RING_SIZE "256M" /* the workers call all the time, whoever reads */
#define WORKERS	  2
#define MODES	  6
#define CHANGE_MS 120000

struct watch {
	struct jvm j;
	struct child *hp;
	json_t *changes;       /* "probed" and "unprobed" */
	json_t *quiet;	       /* entries of the main thread */
	long next[2][WORKERS]; /* per method and worker: the lowest count that may come next */
	size_t entries;
};

static void watch_start(struct watch *w, const struct jdk *jdk, const char *const *flags,
			const char *const *specs)
{
	const char *args[SPECS_MAX + 3] = {"--ring-size", RING_SIZE};
	json_t *attached;

	for (size_t i = 0; specs[i] && i < SPECS_MAX; i++)
		args[2 + i] = specs[i];
	*w = (struct watch){.changes = json_array(), .quiet = json_array()};
	print_message("  %s %s\n", jdk->name, flags[0]);
	jvm_start(&w->j, jdk, flags, (const char *const[]){"prog.Follow", NULL});
	jvm_ready(&w->j);
	w->hp = hp_trace(w->j.pid, args);
	attached = hp_attached(w->hp);
	/* Nothing of it ran yet: every SPEC waits. */
	assert_int_equal(json_integer_value(json_object_get(attached, "sites")), 0);
	for (size_t i = 0; specs[i]; i++)
		assert_string_equal(
			json_string_value(json_array_get(json_object_get(attached, "waiting"), i)),
			specs[i]);
	json_decref(attached);
}

/* The text says which worker and which of its calls it was: so must the arguments and the thread.
 */
static void check_worker_entry(struct watch *w, const json_t *o)
{
	const json_t *args = json_object_get(o, "args");
	long id = (long)json_integer_value(json_object_get(json_array_get(args, 0), "value"));
	long i = (long)json_integer_value(json_object_get(json_array_get(args, 1), "value"));
	bool late = !strcmp(json_text(o, "class"), "prog.FollowLate");
	char text[64], thread[32];

	snprintf(text, sizeof(text), "worker %ld call %ld", id, i);
	snprintf(thread, sizeof(thread), "worker-%ld", id);
	if (id < 0 || id >= WORKERS || strcmp(json_text(json_array_get(args, 2), "value"), text) ||
	    strcmp(json_text(o, "thread"), thread))
		jvm_fail(&w->j, "no genuine call: %s", json_dumps(o, JSON_COMPACT));
	if (i < w->next[late][id])
		jvm_fail(&w->j, "twice, or out of order, after %ld: %s", w->next[late][id] - 1,
			 json_dumps(o, JSON_COMPACT));
	w->next[late][id] = i + 1;
	w->entries++;
}

/* A call that only gets a method compiled: how many of them are seen depends on the moment. */
static bool is_warm_up(const json_t *o)
{
	const json_t *text = json_array_get(json_object_get(o, "args"), 1);

	return !strcmp(json_text(text, "value"), "warm");
}

/* Takes one object, which stays the caller's. */
static void watch_take(struct watch *w, json_t *o)
{
	const char *event = json_text(o, "event");

	if (!strcmp(event, "probed") || !strcmp(event, "unprobed"))
		json_array_append(w->changes, o);
	else if (!strcmp(event, "lost"))
		jvm_fail(&w->j, "events were lost");
	else if (!strcmp(event, "coverage") || is_warm_up(o))
		return;
	else if (!strcmp(json_text(o, "thread"), "main"))
		json_array_append(w->quiet, o);
	else
		check_worker_entry(w, o);
}

/* How many changes of this kind there were for methods of @klass at @level (-1: any). */
static size_t changes_count(const struct watch *w, const char *event, const char *klass, int level)
{
	size_t i, n = 0;
	json_t *o;

	json_array_foreach (w->changes, i, o)
		n += !strcmp(json_text(o, "event"), event) &&
		     !strcmp(json_text(o, "class"), klass) &&
		     (level < 0 || json_integer_value(json_object_get(o, "level")) == level);
	return n;
}

/*
 * Read on until there were @count changes of this kind. Their order among each other is not
 * promised: the new body may be there before it is seen that the old one is retired.
 */
static void watch_until(struct watch *w, size_t count, const char *event, const char *klass,
			int level)
{
	uint64_t until = mono_ms() + CHANGE_MS;
	json_t *o;

	while (changes_count(w, event, klass, level) < count) {
		o = mono_ms() < until ? hp_next(w->hp, CHANGE_MS) : NULL;
		if (!o)
			jvm_fail(&w->j, "not %zu times \"%s\" of %s at level %d: %s", count, event,
				 klass, level, json_dumps(w->changes, JSON_COMPACT));
		watch_take(w, o);
		json_decref(o);
	}
}

/* Stop the workers: none of their calls may have been seen that was not made. */
static void watch_stop_workers(struct watch *w, long counts[WORKERS])
{
	char *answer = jvm_ask(&w->j, "stop"), *p = answer;

	for (int i = 0; i < WORKERS; i++)
		counts[i] = strtol(p, &p, 10);
	free(answer);
}

/* Each body is probed once, and what loses its probe had one. */
static void check_changes(struct watch *w)
{
	json_t *probed = json_object(), *o;
	char key[512];
	size_t i;

	json_array_foreach (w->changes, i, o) {
		bool on = !strcmp(json_text(o, "event"), "probed");

		snprintf(key, sizeof(key), "%s %lld", json_text(o, "method"),
			 (long long)json_integer_value(json_object_get(o, "compile_id")));
		if (on == json_is_true(json_object_get(probed, key)))
			jvm_fail(&w->j, "%s twice: %s", json_text(o, "event"), key);
		json_object_set_new(probed, key, json_boolean(on));
	}
	json_decref(probed);
}

/* End of the trace: the rest must be as genuine, and the main thread's calls complete. */
static void watch_finish(struct watch *w, const long counts[WORKERS])
{
	json_t *rest = json_array(), *detached, *want, *o;
	size_t i, diffs;

	detached = hp_finish(w->hp, SIGINT, 0, rest);
	json_array_foreach (rest, i, o)
		watch_take(w, o);
	for (int k = 0; counts && k < WORKERS; k++)
		if (w->next[0][k] > counts[k] || w->next[1][k] > counts[k])
			jvm_fail(&w->j, "worker %d made %ld calls, %ld seen", k, counts[k],
				 MAX(w->next[0][k], w->next[1][k]));
	want = json_file(w->j.rec);
	assert_true(json_array_size(want) > 0);
	diffs = compare_calls(want, w->quiet);
	if (diffs)
		jvm_fail(&w->j, "%zu of %zu calls at rest differ", diffs, json_array_size(want));
	assert_true(json_is_true(json_object_get(detached, "restored")));
	check_changes(w);
	print_message("    %zu calls genuine, %zu probed, %zu unprobed\n", w->entries,
		      events_count(w->changes, "probed"), events_count(w->changes, "unprobed"));
	jvm_check_unhurt(&w->j);
	jvm_quit(&w->j);
	child_free(w->hp);
	json_decref(rest);
	json_decref(want);
	json_decref(detached);
	json_decref(w->changes);
	json_decref(w->quiet);
}

static void follow_recompiled(const struct jdk *jdk)
{
	const char *const flags[] = {"-XX:+UseG1GC", JVM_QUIET, NOINLINE, NULL};
	long counts[WORKERS];
	struct watch w;

	watch_start(&w, jdk, flags, (const char *const[]){STEP, LATE, NULL});
	free(jvm_ask(&w.j, "start %d", WORKERS));
	watch_until(&w, 1, "probed", "prog.Follow", 4);
	for (size_t n = 1; n <= MODES; n++) {
		free(jvm_ask(&w.j, "mode %zu", n));
		watch_until(&w, n, "unprobed", "prog.Follow", 4);
		watch_until(&w, n + 1, "probed", "prog.Follow", 4);
	}
	free(jvm_ask(&w.j, "cha"));
	watch_until(&w, MODES + 1, "unprobed", "prog.Follow", 4);
	watch_until(&w, MODES + 2, "probed", "prog.Follow", 4);
	free(jvm_ask(&w.j, "late"));
	watch_until(&w, 1, "probed", "prog.FollowLate", 4);
	watch_stop_workers(&w, counts);
	jvm_settle(&w.j, NULL);
	assert_true(w.entries > 1000);
	assert_true(events_count(w.changes, "unprobed") > MODES);
	free(jvm_ask(&w.j, "quiet 50"));
	watch_finish(&w, counts);
}

/*
 * A method that is compiled after attaching, deoptimised by traps and by a new subclass, and
 * compiled again each time, is probed each time; a class loaded later is found.
 */
static void follow_deoptimised_and_recompiled(void **state _unused_)
{
	const struct jdk *jdks;
	size_t n = jdks_get(&jdks);

	for (size_t i = 0; i < n; i++)
		if (!jdks[i].altered)
			follow_recompiled(&jdks[i]);
}

/* Without symbols in libjvm.so, news comes from its USDT notes. */
static void follow_without_symbols(void **state _unused_)
{
	follow_recompiled(jdk_or_skip("jdk17-stripped"));
}

/* Without those too, from looking now and then. */
static void follow_without_symbols_and_usdt(void **state _unused_)
{
	follow_recompiled(jdk_or_skip("jdk17-bare"));
}

static void follow_unloaded(const struct jdk *jdk, const char *gc)
{
	const char *const flags[] = {gc, JVM_C1, NOINLINE, NULL};
	struct watch w;
	json_t *o;

	watch_start(&w, jdk, flags, (const char *const[]){GONE, NULL});
	for (size_t round = 0; round < 3; round++) {
		bool gone = false;
		uint64_t until;

		free(jvm_ask(&w.j, "load"));
		watch_until(&w, round + 1, "probed", "prog.FollowGone", -1);
		free(jvm_ask(&w.j, "gone 100"));
		free(jvm_ask(&w.j, "drop"));
		until = mono_ms() + CHANGE_MS;
		while (!gone) {
			free(jvm_ask(&w.j, "gc"));
			while ((o = hp_next(w.hp, 50))) {
				gone |= !strcmp(json_text(o, "event"), "unprobed");
				watch_take(&w, o);
				json_decref(o);
			}
			if (mono_ms() > until)
				jvm_fail(&w.j, "nothing was unprobed in round %zu", round);
		}
	}
	watch_finish(&w, NULL);
}

/* A class loader that is dropped takes its classes' code along: the probe goes, nothing breaks. */
static void follow_class_unloading(void **state _unused_)
{
	static const char *const gcs[] = {"-XX:+UseG1GC", "-XX:+UseParallelGC", "-XX:+UseSerialGC",
					  "-XX:+UseZGC", "-XX:+UseShenandoahGC"};
	const struct jdk *jdks;
	size_t n = jdks_get(&jdks);

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; !jdks[i].altered && k < ARRAY_SIZE(gcs); k++)
			follow_unloaded(&jdks[i], gcs[k]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		jvm_test(follow_deoptimised_and_recompiled),
		jvm_test(follow_without_symbols),
		jvm_test(follow_without_symbols_and_usdt),
		jvm_test(follow_class_unloading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
