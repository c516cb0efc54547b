// SPDX-License-Identifier: MIT
/*
 * test_cross.c - two sources on one JVM, held against each other: what the agent is told by JVMTI,
 * and what hotprobe sees through uprobes on register_nmethod and its like. Neither knows of the
 * other; while thousands of methods are compiled and thrown away they must tell the same.
 */
#include <signal.h>

#include "lib/cmocka_all.h"
#include "lib/hp.h"
#include "lib/jvm.h"

#define CLASSES	 40
#define METHODS	 100
#define COMPILES ((size_t)CLASSES * METHODS)

#define PATIENCE_MS 180000 /* JVMTI tells of what is freed when it gets to it */

struct cross {
	struct jvm j;
	struct child *hp;	 /* hotprobe methods -w */
	char *dir, *told, *seen; /* files: by the agent, by hotprobe */
};

static void cross_start(struct cross *c, const struct jdk *jdk)
{
	_cleanup_free_ char *agent = NULL;
	char pid[16];

	*c = (struct cross){.dir = test_dir()};
	if (asprintf(&c->told, "%s/told", c->dir) < 0 ||
	    asprintf(&c->seen, "%s/seen", c->dir) < 0 ||
	    asprintf(&agent, "-agentpath:%s=events=%s,queue=16M", env_agent(), c->told) < 0)
		abort();
	jvm_start(&c->j, jdk,
		  (const char *const[]){agent, "-Xcomp", "-XX:TieredStopAtLevel=1",
					"-XX:CompileCommand=quiet",
					"-XX:CompileCommand=dontinline,gen.*::*", NULL},
		  (const char *const[]){"prog.Big", "100", NULL});
	jvm_ready(&c->j);
	jvm_settle(&c->j, NULL);
	snprintf(pid, sizeof(pid), "%d", c->j.pid);
	c->hp = hp_start(
		(const char *const[]){"methods", "-p", pid, "-w", "--json", "-o", c->seen, NULL});
}

static void cross_free(struct cross *c)
{
	child_free(c->hp);
	jvm_free(&c->j);
	free(c->told);
	free(c->seen);
	free(c->dir);
}

/* JVMTI does not know which linker it is (jvmagent/names.c). */
static bool is_linker(const json_t *o)
{
	const char *name = json_text(o, "name");

	return !strcmp(json_text(o, "class"), "java.lang.invoke.MethodHandle") &&
	       (!*name || !strncmp(name, "linkTo", 6) || !strncmp(name, "invoke", 6));
}

/* "7f12 gen.Turn7.m12(I)I": the same by both. */
static char *key_of(uint64_t begin, const json_t *o)
{
	bool linker = is_linker(o);
	char *key;

	if (asprintf(&key, "%llx %s.%s%s", (unsigned long long)begin, json_text(o, "class"),
		     linker ? "(linker)" : json_text(o, "name"),
		     linker ? "" : json_text(o, "descriptor")) < 0)
		abort();
	return key;
}

static void count_up(json_t *counts, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(counts, key));

	json_object_set_new(counts, key, json_integer(n + 1));
}

/* How often @event came for each method of the generated classes. */
static json_t *count_events(const char *file, const char *event, const char *addr)
{
	json_t *all = json_file(file), *counts = json_object(), *o;
	size_t i;

	json_array_foreach (all, i, o) {
		_cleanup_free_ char *key = key_of(json_addr(o, addr), o);

		if (!strcmp(json_text(o, "event"), event) &&
		    !strncmp(json_text(o, "class"), "gen.Turn", 8) &&
		    !json_is_true(json_object_get(o, "replay")))
			count_up(counts, key);
	}
	json_decref(all);
	return counts;
}

/* What is alive by what the agent has told: compiled, and not unloaded since. Keys as key_of(). */
static json_t *alive_as_told(const struct cross *c)
{
	json_t *all = json_file(c->told), *by_addr = json_object(), *alive = json_object(), *o,
	       *key;
	const char *addr;
	size_t i;

	json_array_foreach (all, i, o) {
		const char *event = json_text(o, "event");
		_cleanup_free_ char *text = key_of(json_addr(o, "address"), o);

		assert_string_not_equal(event, "dropped");
		if (!strcmp(event, "compiled"))
			json_object_set_new(by_addr, json_text(o, "address"), json_string(text));
		else if (!strcmp(event, "unloaded"))
			json_object_del(by_addr, json_text(o, "address"));
	}
	json_object_foreach (by_addr, addr, key)
		json_object_set_new(alive, json_string_value(key), json_true());
	json_decref(by_addr);
	json_decref(all);
	return alive;
}

/* What is alive by hotprobe's own map, which test_methods holds against the JVM's. */
static json_t *alive_as_seen(const struct cross *c)
{
	json_t *alive = json_object();
	struct hp_result r;
	char pid[16], *save = NULL;

	snprintf(pid, sizeof(pid), "%d", c->j.pid);
	hp_run(&r, (const char *const[]){"methods", "-p", pid, "--json", NULL});
	hp_result_check(&r, 0);
	for (char *line = strtok_r(r.out, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		json_t *o = json_line(line);
		_cleanup_free_ char *key = key_of(json_addr(o, "begin"), o);

		json_object_set_new(alive, key, json_true());
		json_decref(o);
	}
	hp_result_free(&r);
	return alive;
}

/* Keys of @a that @b has not; prints the first few if @what is given. */
static size_t missing(const json_t *a, const json_t *b, const char *what)
{
	const char *key;
	json_t *value;
	size_t n = 0;

	json_object_foreach ((json_t *)a, key, value)
		if (!json_equal(json_object_get(b, key), value) && n++ < 5 && what)
			print_error("%s: %s\n", what, key);
	return n;
}

/* The JVM is at rest: both maps must come to be the same. */
static void check_maps(struct cross *c)
{
	uint64_t deadline = mono_ms() + PATIENCE_MS;

	for (;;) {
		json_t *told = alive_as_told(c), *seen = alive_as_seen(c);
		bool late = mono_ms() > deadline;
		size_t n = missing(told, seen, late ? "told by the agent alone" : NULL) +
			   missing(seen, told, late ? "seen by hotprobe alone" : NULL);
		size_t alive = json_object_size(seen);

		json_decref(told);
		json_decref(seen);
		if (!n) {
			print_message("    %zu methods alive, by both\n", alive);
			return;
		}
		if (late)
			jvm_fail(&c->j, "the maps differ in %zu methods of %zu", n, alive);
		pause_ms(200);
	}
}

/* Each compile was noticed by both, as often. */
static void check_compiles(struct cross *c)
{
	json_t *told = count_events(c->told, "compiled", "address");
	json_t *seen = count_events(c->seen, "compiled", "begin");
	size_t n = missing(told, seen, "told by the agent alone") +
		   missing(seen, told, "seen by hotprobe alone");

	print_message("    %zu compiles told, %zu seen\n", json_object_size(told),
		      json_object_size(seen));
	assert_true(json_object_size(seen) >= COMPILES);
	assert_int_equal(n, 0);
	json_decref(told);
	json_decref(seen);
}

static bool line_has(const char *file, const char *text)
{
	_cleanup_fclose_ FILE *f = fopen(file, "re");
	char line[8192];

	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, text))
			return true;
	return false;
}

static void cross_check(const struct jdk *jdk)
{
	struct cross c;
	uint64_t deadline;

	print_message("  %s\n", jdk->name);
	cross_start(&c, jdk);
	deadline = mono_ms() + PATIENCE_MS;
	/* It follows as soon as it has shown what there was. */
	while (!line_has(c.seen, "gen.Big0")) {
		if (mono_ms() > deadline)
			hp_fail(c.hp, "it shows nothing");
		pause_ms(20);
	}
	free(jvm_ask(&c.j, "turn %d %d", CLASSES, METHODS));
	free(jvm_ask(&c.j, "add gen.Kept %d", METHODS));
	jvm_settle(&c.j, NULL);
	check_maps(&c);
	child_signal(c.hp, SIGINT);
	assert_int_equal(child_wait(c.hp, HP_TIMEOUT_MS), 0);
	check_compiles(&c);
	jvm_quit(&c.j);
	cross_free(&c);
}

/* Both sources agree on what was compiled and on what is left, on every JDK. */
static void cross_sources_agree(void **state _unused_)
{
	const struct jdk *jdks;
	size_t n = jdks_get(&jdks);

	for (size_t i = 0; i < n; i++)
		if (!jdks[i].altered)
			cross_check(&jdks[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		jvm_test(cross_sources_agree),
	};

	return cmocka_run_group_tests_name("cross", tests, NULL, NULL);
}
