/* SPDX-License-Identifier: MIT */
/*
 * test_gc.c - arguments stay exact while the collector works as hard as it can: each way of
 * keeping references (collectors, compressed or not, compact headers) on each JDK.
 *
 * The program keeps strings that live long and never reads them itself, so under ZGC and
 * Shenandoah the reference inside a string is stale as often as can be.
 */
#include "cmocka_all.h"
#include "exact.h"

#define CALLS 2000

struct gc {
	int since, until; /* JDKs, inclusive */
	const char *flags[6];
};

#define EXPERIMENTAL "-XX:+UnlockExperimentalVMOptions"
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
	{17, 25, {"-XX:+UseShenandoahGC"}},
	{17, 25, {"-XX:+UseShenandoahGC", WIDE}},
	{25, 25, {EXPERIMENTAL, "-XX:+UseShenandoahGC", "-XX:ShenandoahGCMode=generational"}},
	{25, 25, {"-XX:+UseSerialGC", "-XX:+UseCompactObjectHeaders"}},
	{25, 25, {"-XX:+UseParallelGC", "-XX:+UseCompactObjectHeaders", WIDE}},
	{25, 25, {"-XX:+UseG1GC", "-XX:+UseCompactObjectHeaders"}},
	{25, 25, {"-XX:+UseZGC", "-XX:+UseCompactObjectHeaders"}},
	{25, 25, {"-XX:+UseShenandoahGC", "-XX:+UseCompactObjectHeaders"}},
};

static void gc_exact(const struct jdk *jdk, const struct gc *gc)
{
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
	run_exact(jdk, &r, &res);
	assert_int_equal(res.calls, 2 * CALLS);
	print_message("    %zu calls exact during %ld collections\n", res.calls, res.answer);
	assert_true(res.answer > 10);
	run_result_free(&res);
}

static void gcs_exact(const char *name)
{
	const struct jdk *jdk = jdk_or_skip(name);

	for (size_t i = 0; i < ARRAY_SIZE(gcs); i++)
		if (gcs[i].since <= jdk->version && jdk->version <= gcs[i].until)
			gc_exact(jdk, &gcs[i]);
}

/* Every event's arguments equal the call's, under each collector of JDK 17. */
static void gc_exact_on_17(void **state _unused_)
{
	gcs_exact("jdk17");
}

/* The same on JDK 21, generational ZGC among them. */
static void gc_exact_on_21(void **state _unused_)
{
	gcs_exact("jdk21");
}

/* The same on JDK 25, generational Shenandoah and compact object headers among them. */
static void gc_exact_on_25(void **state _unused_)
{
	gcs_exact("jdk25");
}

/* Another build of JDK 25 differs in compiler and flags, not in what is promised. */
static void gc_exact_on_temurin(void **state _unused_)
{
	const struct jdk *jdk = jdk_find("temurin25");
	static const struct gc some[] = {{25, 25, {"-XX:+UseG1GC"}}, {25, 25, {"-XX:+UseZGC"}}};

	if (!jdk)
		test_pass_over("no Temurin 25 in /usr/lib/jvm/temurin-25-jdk-amd64");
	for (size_t i = 0; jdk && i < ARRAY_SIZE(some); i++)
		gc_exact(jdk, &some[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		jvm_test(gc_exact_on_17),
		jvm_test(gc_exact_on_21),
		jvm_test(gc_exact_on_25),
		jvm_test(gc_exact_on_temurin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
