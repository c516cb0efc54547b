/* SPDX-License-Identifier: MIT */
/*
 * test_gc.c - arguments stay exact while the collector works as hard as it can: each way of
 * keeping references (collectors, compressed or not, compact headers) on each JDK.
 *
 * The program keeps strings that live long and never reads them itself, so under ZGC and
 * Shenandoah the reference inside a string is stale as often as can be.
 */
#include "lib/cmocka_all.h"
#include "lib/exact.h"

#define CALLS 1000 /* some five thousand texts read, during 40 to 300 collections */

struct gc {
	int since, until; /* JDKs, inclusive */
	const char *flags[6];
};

#define EXPERIMENTAL "-XX:+UnlockExperimentalVMOptions"
#define DIAGNOSTIC   "-XX:+UnlockDiagnosticVMOptions"
#define WIDE	     "-XX:-UseCompressedOops"

static const struct gc gcs[] = {
	{17, 25, {"-XX:+UseSerialGC"}},
	{17, 25, {"-XX:+UseSerialGC", WIDE}},
	{17, 25, {"-XX:+UseParallelGC"}},
	{17, 25, {"-XX:+UseParallelGC", WIDE}},
	{17, 25, {"-XX:+UseG1GC"}},
	{17, 25, {"-XX:+UseG1GC", WIDE}},
	/* A heap that starts high: narrow references then need a base as well as a shift. */
	{17, 25, {"-XX:+UseG1GC", "-XX:HeapBaseMinAddress=64g"}},
	/* Class pointers of full width, which 25 deprecates. */
	{17, 21, {"-XX:+UseG1GC", "-XX:-UseCompressedClassPointers"}},
	{17, 25, {"-XX:+UseZGC"}},
	{21, 21, {"-XX:+UseZGC", "-XX:+ZGenerational"}},
	/* Every page is emptied into itself, which else happens only when memory is short. */
	{17, 25, {"-XX:+UseZGC", DIAGNOSTIC, "-XX:+ZStressRelocateInPlace"}},
	{17, 25, {"-XX:+UseShenandoahGC"}},
	{17, 25, {"-XX:+UseShenandoahGC", WIDE}},
	{25, 25, {EXPERIMENTAL, "-XX:+UseShenandoahGC", "-XX:ShenandoahGCMode=generational"}},
	{25, 25, {"-XX:+UseSerialGC", "-XX:+UseCompactObjectHeaders"}},
	{25, 25, {"-XX:+UseParallelGC", "-XX:+UseCompactObjectHeaders", WIDE}},
	{25, 25, {"-XX:+UseG1GC", "-XX:+UseCompactObjectHeaders"}},
	{25, 25, {"-XX:+UseZGC", "-XX:+UseCompactObjectHeaders"}},
	{25, 25, {"-XX:+UseShenandoahGC", "-XX:+UseCompactObjectHeaders"}},
};

struct gc_case {
	const struct jdk *jdk;
	const struct gc *gc;
	char name[256]; /* "gc_exact:jdk17:-XX:+UseZGC" */
};

/* Every event has the arguments of the call, under this collector of this JDK. */
static void gc_exact(void **state)
{
	const struct gc_case *c = *state;
	const struct gc *gc = c->gc;
	struct run r = {
		.program = "prog.Gc",
		.flags = {"-Xmx64m", JVM_C2, "-XX:CompileCommand=dontinline,prog.Gc::*"},
		.args = {"prog.Gc.call", "prog.Gc.instance"},
	};
	char command[32];
	struct run_result res;
	size_t n = 0;

	while (r.flags[n])
		n++;
	for (size_t i = 0; gc->flags[i]; i++)
		r.flags[n++] = gc->flags[i];
	snprintf(command, sizeof(command), "go %d", CALLS);
	r.commands[0] = command;
	run_exact(c->jdk, &r, &res);
	assert_int_equal(res.calls, 2 * CALLS);
	print_message("    %zu calls exact during %ld collections\n", res.calls, res.answer);
	assert_true(res.answer > 10);
	run_result_free(&res);
}

static void case_name(struct gc_case *c)
{
	size_t len = (size_t)snprintf(c->name, sizeof(c->name), "gc_exact:%s", c->jdk->name);

	for (size_t i = 0; c->gc->flags[i]; i++)
		if (strcmp(c->gc->flags[i], EXPERIMENTAL))
			len += (size_t)snprintf(c->name + len, sizeof(c->name) - len, ":%s",
						c->gc->flags[i]);
}

/* Another build of a JDK that is there already differs in compiler and flags: two will do. */
static bool case_wanted(const struct jdk *jdk, const struct gc *gc)
{
	bool few = !strncmp(jdk->name, "temurin", 7);

	if (jdk->altered || jdk->version < gc->since || jdk->version > gc->until)
		return false;
	return !few || (!gc->flags[1] && (strstr(gc->flags[0], "G1") || strstr(gc->flags[0], "Z")));
}

/* JDK 17, 21 and 25 are wanted: say so loudly where one of them is missing. */
static void gc_jdks_there(void **state _unused_)
{
	jdk_or_skip("jdk17");
	jdk_or_skip("jdk21");
	jdk_or_skip("jdk25");
}

#define CASES_MAX 128

int main(void)
{
	static struct gc_case cases[CASES_MAX];
	struct CMUnitTest tests[CASES_MAX + 1] = {jvm_test(gc_jdks_there)};
	const struct jdk *jdks;
	size_t n = jdks_get(&jdks), count = 0;

	for (size_t i = 0; i < n * ARRAY_SIZE(gcs) && count < CASES_MAX; i++) {
		struct gc_case *c = &cases[count];

		c->jdk = &jdks[i / ARRAY_SIZE(gcs)];
		c->gc = &gcs[i % ARRAY_SIZE(gcs)];
		if (!case_wanted(c->jdk, c->gc))
			continue;
		case_name(c);
		tests[++count] =
			(struct CMUnitTest){c->name, gc_exact, test_setup, test_cleanup, c};
	}
	return _cmocka_run_group_tests("gc", tests, count + 1, NULL, NULL);
}
