/* SPDX-License-Identifier: MIT */
/*
 * test_agent.c - what the agent tells of a JVM must agree with what the JVM itself says, and
 * whoever listens, badly or not at all, makes no difference to the application.
 */
#include <signal.h>
#include <sys/wait.h>

#include "lib/cmocka_all.h"
#include "lib/hp.h"
#include "lib/inside.h"

#define OUTER "prog.Inside"

static json_int_t json_int(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

/* --- what is compiled --------------------------------------------------------------------------*/

static const json_t *find_address(const json_t *events, uint64_t addr)
{
	const json_t *o, *last = NULL;
	size_t i;

	json_array_foreach (events, i, o)
		if (!strcmp(json_text(o, "event"), "compiled") && json_addr(o, "address") == addr)
			last = o;
	return last;
}

static void check_code(struct jvm *j, const struct code *c, const json_t *events)
{
	const json_t *o = find_address(events, c->begin);
	_cleanup_free_ char *name = NULL;

	if (!o)
		jvm_fail(j, "%s at %#llx is not told", c->method, (unsigned long long)c->begin);
	assert_true(asprintf(&name, "%s.%s%s", json_text(o, "class"), json_text(o, "name"),
			     json_text(o, "descriptor")) > 0);
	assert_string_equal(name, c->method);
	/* Stubs behind the instructions are not counted. */
	assert_in_range(json_int(o, "size"), 1, c->end - c->begin);
	assert_true(json_is_null(json_object_get(o, "level")));
	assert_true(json_int(o, "ts") > 1700000000000000000);
}

static void compiled_as_codelist(const struct jdk *jdk)
{
	struct codelist list;
	struct lines *l;
	json_t *seen;
	struct jvm j;
	size_t n = 0;

	inside_start(&j, jdk, NULL);
	free(jvm_ask(&j, "warm 300000"));
	jvm_settle(&j, &list);
	l = inside_read(&j);
	seen = inside_replay(l);
	for (size_t i = 0; i < list.n; i++) {
		if (list.v[i].level == 0 || list.v[i].state != 0)
			continue;
		check_code(&j, &list.v[i], seen);
		n++;
	}
	print_message("    %zu methods\n", n);
	assert_true(n > 20);
	codelist_free(&list);
	json_decref(seen);
	jvm_check_unhurt(&j);
	jvm_quit(&j);
	lines_close(l);
}

/* What was compiled before the reader came is replayed: all of it, by the JVM's own list. */
static void replay_equals_codelist(void **state _unused_)
{
	inside_each_jdk(compiled_as_codelist);
}

static void check_range(const json_t *range, json_int_t *end, json_int_t size, size_t methods)
{
	size_t n = json_array_size(range);
	json_int_t first = json_integer_value(json_array_get(range, 0));
	json_int_t last = json_integer_value(json_array_get(range, 1));

	assert_true(n >= 6 && n % 2 == 0);
	assert_true(first >= *end && last >= first && last < size);
	*end = last + 1;
	for (size_t i = 2; i < n; i += 2) {
		json_int_t m = json_integer_value(json_array_get(range, i));
		json_int_t bci = json_integer_value(json_array_get(range, i + 1));

		assert_in_range(m, 0, methods);
		assert_true(bci >= -1 && bci < 65536);
	}
	assert_int_equal(json_integer_value(json_array_get(range, n - 2)), 0);
}

static void check_inlined(const json_t *o)
{
	const json_t *inlined = json_object_get(o, "inlined"), *v;
	size_t methods = json_array_size(json_object_get(inlined, "methods")), i;
	json_int_t end = 0;

	json_array_foreach (json_object_get(inlined, "methods"), i, v) {
		assert_int_equal(json_array_size(v), 3);
		assert_true(json_is_string(json_array_get(v, 0)));
		assert_int_equal(json_string_value(json_array_get(v, 2))[0], '(');
	}
	json_array_foreach (json_object_get(inlined, "ranges"), i, v)
		check_range(v, &end, json_int(o, "size"), methods);
}

/* Does its list of inlined methods hold this one? */
static bool has_inlined(const json_t *o, const char *class, const char *name)
{
	const json_t *v;
	size_t i;

	json_array_foreach (json_object_get(json_object_get(o, "inlined"), "methods"), i, v)
		if (!strcmp(json_string_value(json_array_get(v, 0)), class) &&
		    !strcmp(json_string_value(json_array_get(v, 1)), name))
			return true;
	return false;
}

/* Check all lines that are there. Return: is prog.Inside.inner inlined in one of outer? */
static bool inlined_check(struct lines *l, size_t *with)
{
	bool found = false;
	json_t *o;

	while ((o = inside_next(l, 200))) {
		check_inlined(o);
		*with += json_object_get(o, "inlined") != NULL;
		found |= !strcmp(json_text(o, "name"), "outer") && has_inlined(o, OUTER, "inner");
		json_decref(o);
	}
	return found;
}

#define WARM_TRIES 50 /* compilers take their time on a busy machine */

static void inlined_sane(const struct jdk *jdk)
{
	struct lines *l;
	struct jvm j;
	size_t with = 0;
	bool found = false;

	/* Compiled while somebody listens: only then inlined methods without a safepoint are known.
	 */
	inside_start(&j, jdk, NULL);
	l = inside_read(&j);
	for (int i = 0; i < WARM_TRIES && !found; i++) {
		free(jvm_ask(&j, "warm 300000"));
		found = inlined_check(l, &with);
	}
	print_message("    %zu with inlined methods\n", with);
	assert_true(found);
	assert_true(with > 5);
	jvm_quit(&j);
	lines_close(l);
}

/* Inlined methods lie inside their caller's code, in order, and end in the caller itself. */
static void inlined_within_code(void **state _unused_)
{
	inside_each_jdk(inlined_sane);
}

static void events_live(const struct jdk *jdk)
{
	struct lines *l;
	json_t *seen, *o;
	uint64_t addr;
	struct jvm j;

	inside_start(&j, jdk, NULL);
	l = inside_read(&j);
	seen = inside_replay(l);
	assert_null(inside_method(seen, OUTER, "outer"));
	o = json_array_get(seen, 0);
	assert_int_equal(json_int(o, "pid"), j.pid);
	assert_int_equal(json_int(o, "format"), 1);
	assert_int_equal(atoi(json_text(o, "jdk")), jdk->version);
	json_decref(seen);

	free(jvm_ask(&j, "warm 300000"));
	o = inside_until(l, "compiled", "name", "outer", NULL);
	assert_null(json_object_get(o, "replay"));
	json_decref(o);
	free(jvm_ask(&j, "thread visitor"));
	o = inside_until(l, "thread_start", "name", "visitor", NULL);
	assert_true(json_int(o, "tid") > j.pid);
	assert_true(json_int(o, "java_tid") > 0);
	addr = (uint64_t)json_int(o, "java_tid");
	json_decref(o);
	o = inside_until(l, "thread_end", "name", "visitor", NULL);
	assert_int_equal(json_int(o, "java_tid"), addr);
	json_decref(o);

	free(jvm_ask(&j, "odd"));
	o = inside_until(l, "compiled", "name", "applyAsInt", NULL);
	addr = json_addr(o, "address");
	assert_true(addr != 0);
	json_decref(o);
	free(jvm_ask(&j, "drop"));
	for (int i = 0; i < 20; i++)
		free(jvm_ask(&j, "gc"));
	json_decref(inside_until(l, "unloaded", NULL, NULL, NULL));
	jvm_quit(&j);
	json_decref(inside_until(l, "vm_death", NULL, NULL, NULL));
	assert_null(inside_next(l, INSIDE_TIMEOUT_MS));
	lines_close(l);
}

/* What happens while a reader is there is told as it happens, up to the very end. */
static void events_as_they_happen(void **state _unused_)
{
	inside_each_jdk(events_live);
}

/* A class may be called anything: the line stays valid JSON, and says what of the name it cannot.
 */
static void class_name_odd(void **state _unused_)
{
	static const char want[] = "prog.Odd\"\\\0\n\xf0\x9f\x98\x80\uFFFD";
	const json_t *name;
	struct lines *l;
	struct jvm j;
	json_t *o;

	inside_start(&j, jdk_or_skip("jdk17"), NULL);
	free(jvm_ask(&j, "odd"));
	l = inside_read(&j);
	o = inside_until(l, "compiled", "name", "applyAsInt", NULL);
	name = json_object_get(o, "class");
	assert_int_equal(json_string_length(name), sizeof(want) - 1);
	assert_memory_equal(json_string_value(name), want, sizeof(want) - 1);
	assert_int_equal(json_integer_value(json_object_get(o, "replaced")), 1);
	json_decref(o);
	jvm_quit(&j);
	lines_close(l);
}

static void stubs_told(const struct jdk *jdk)
{
	size_t i, stubs = 0, interpreter = 0;
	struct lines *l;
	json_t *seen, *o;
	struct jvm j;

	inside_start(&j, jdk, NULL);
	l = inside_read(&j);
	seen = inside_replay(l);
	json_array_foreach (seen, i, o) {
		if (strcmp(json_text(o, "event"), "dynamic"))
			continue;
		stubs++;
		interpreter += !strcmp(json_text(o, "name"), "Interpreter");
		assert_true(json_addr(o, "address") != 0);
		assert_true(json_int(o, "size") >= 0);
		assert_true(json_is_true(json_object_get(o, "replay")));
	}
	assert_true(stubs > 100);
	assert_int_equal(interpreter, 1);
	json_decref(seen);
	jvm_quit(&j);
	lines_close(l);
}

/* Generated code that is no method is told by name, the interpreter once. */
static void stubs_are_dynamic(void **state _unused_)
{
	inside_each_jdk(stubs_told);
}

/* --- who listens -------------------------------------------------------------------------------*/

static void file_written(const struct jdk *jdk)
{
	_cleanup_free_ char *path = NULL, *flag = NULL;
	json_t *lines;
	struct jvm j;
	size_t n;

	inside_start(&j, jdk, "events=told.%p");
	free(jvm_ask(&j, "warm 300000"));
	jvm_settle(&j, NULL);
	assert_true(asprintf(&path, "%s/told.%d", j.dir, j.pid) > 0);
	child_close_stdin(j.c);
	assert_int_equal(child_wait(j.c, JVM_TIMEOUT_MS), 0);
	lines = json_file(path);
	n = json_array_size(lines);
	assert_true(n > 100);
	assert_string_equal(json_text(json_array_get(lines, 0), "event"), "jvm");
	assert_string_equal(json_text(json_array_get(lines, n - 1), "event"), "vm_death");
	assert_non_null(inside_method(lines, OUTER, "outer"));
	json_decref(lines);
	jvm_free(&j);
}

/* events=FILE needs no reader, and has everything in it when the JVM has ended. */
static void file_without_reader(void **state _unused_)
{
	inside_each_jdk(file_written);
}

/* How many lines of threads named "many", and how many were dropped? */
static void count_many(struct lines *l, bool to_end, size_t *many, size_t *dropped)
{
	json_t *o;

	*many = *dropped = 0;
	while ((o = inside_next(l, INSIDE_TIMEOUT_MS))) {
		bool last = !to_end && !strcmp(json_text(o, "name"), "last") &&
			    !strcmp(json_text(o, "event"), "thread_end");

		*many += !strcmp(json_text(o, "name"), "many");
		*dropped += (size_t)json_int(o, "count");
		json_decref(o);
		if (last)
			return;
	}
}

#define MANY 6000

/*
 * One reader that reads and one that does not. Return: was the application not delayed, and did the
 * one that reads get it all? On a busy machine it may be slow itself, for once.
 */
static bool slow_one_delays_nobody(void)
{
	size_t many, dropped, missed;
	struct lines *good, *late;
	long alone, together;
	struct jvm j;
	int slow;

	inside_start(&j, jdk_or_skip("jdk17"), "queue=4M");
	jvm_do(&j, "threads %d", MANY);
	alone = jvm_do(&j, "threads %d", MANY);
	slow = inside_connect(&j, SOCK_STREAM, "");
	assert_true(slow >= 0);
	good = inside_read(&j);
	json_decref(inside_replay(good));
	together = jvm_do(&j, "threads %d", MANY);
	free(jvm_ask(&j, "thread last"));
	count_many(good, false, &many, &missed);
	print_message("  %ld ms alone, %ld ms with both readers, %zu lines missed\n", alone,
		      together, missed);
	assert_true(many <= 2 * MANY);
	assert_true(many + missed >= 2 * MANY);
	late = lines_open(slow);
	jvm_quit(&j);
	count_many(late, true, &many, &dropped);
	print_message("  the slow one saw %zu and missed %zu lines\n", many, dropped);
	assert_true(many < 2 * MANY);
	assert_true(many + dropped >= 2 * MANY);
	lines_close(late);
	lines_close(good);
	return !missed && together < 4 * alone + 2000;
}

#define SLOW_TRIES 10

/*
 * A reader that does not read is told how much it missed, and delays nobody: neither the
 * application nor another reader, who gets it all.
 */
static void reader_slow(void **state _unused_)
{
	int tries = 0;

	while (!slow_one_delays_nobody())
		assert_true(++tries < SLOW_TRIES);
}

/* JvmtiExport::_should_post_compiled_method_load, which HotSpot looks at in everything it compiles.
 */
#define SHOULD_POST "_ZN11JvmtiExport33_should_post_compiled_method_loadE"

static uint64_t should_post_find(struct jvm *j)
{
	char path[PATH_MAX], command[PATH_MAX + 128], line[PATH_MAX + 128];
	unsigned long base = 0, offset = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", j->pid);
	f = fopen(path, "re");
	assert_non_null(f);
	while (!base && fgets(line, sizeof(line), f))
		if (strstr(line, "/libjvm.so") && sscanf(line, "%lx-", &base) == 1)
			sscanf(strchr(line, '/'), "%4095s", path);
	fclose(f);
	snprintf(command, sizeof(command), "nm %s | grep ' %s$'", path, SHOULD_POST);
	f = popen(command, "re");
	assert_non_null(f);
	if (fscanf(f, "%lx", &offset) != 1)
		offset = 0;
	pclose(f);
	if (!offset)
		jvm_fail(j, "%s has no " SHOULD_POST, path);
	return base + offset;
}

static bool should_post(struct jvm *j, uint64_t addr)
{
	unsigned char v;

	assert_int_equal(jvm_read(j, addr, &v, 1), 0);
	return v;
}

static void idle_enables_nothing(const struct jdk *jdk)
{
	uint64_t addr, until;
	char buf[4096];
	struct jvm j;
	int fd;

	inside_start(&j, jdk, NULL);
	addr = should_post_find(&j);
	assert_false(should_post(&j, addr));
	fd = inside_connect(&j, SOCK_STREAM, "");
	assert_true(read(fd, buf, sizeof(buf)) > 0);
	until = mono_ms() + INSIDE_TIMEOUT_MS;
	while (!should_post(&j, addr) && mono_ms() < until)
		pause_ms(10);
	assert_true(should_post(&j, addr));
	/* It goes in the middle of its replay. */
	close(fd);
	while (should_post(&j, addr) && mono_ms() < until)
		pause_ms(10);
	assert_false(should_post(&j, addr));
	jvm_quit(&j);
}

/* With no reader, or none any more, HotSpot has no event of ours enabled. */
static void nobody_listens_nothing_enabled(void **state _unused_)
{
	inside_each_jdk(idle_enables_nothing);
}

/* Readers that come at once, during each other's replay, are all served to its end. */
static void readers_at_once(void **state _unused_)
{
	struct lines *l[4];
	struct jvm j;

	for (int turn = 0; turn < 5; turn++) {
		inside_start(&j, jdk_or_skip("jdk21"), turn % 2 ? "events=told" : NULL);
		for (size_t i = 0; i < ARRAY_SIZE(l); i++)
			l[i] = inside_read(&j);
		for (size_t i = 0; i < ARRAY_SIZE(l); i++)
			json_decref(inside_replay(l[i]));
		jvm_quit(&j);
		for (size_t i = 0; i < ARRAY_SIZE(l); i++)
			lines_close(l[i]);
	}
}

static void reader_killed(const struct jdk *jdk)
{
	struct lines *l;
	struct jvm j;

	inside_start(&j, jdk, NULL);
	for (int i = 0; i < 20; i++) {
		pid_t child = fork();
		int status;

		if (!child) {
			char buf[256];
			int fd = inside_connect(&j, SOCK_STREAM, "");

			while (fd >= 0 && read(fd, buf, sizeof(buf)) > 0)
				if (i % 2)
					kill(getpid(), SIGKILL);
			_exit(1);
		}
		free(jvm_ask(&j, "thread somebody"));
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
		assert_true(WIFSIGNALED(status));
	}
	l = inside_read(&j);
	json_decref(inside_replay(l));
	jvm_check_unhurt(&j);
	jvm_quit(&j);
	lines_close(l);
}

/* Readers that are killed, at any time, leave an agent behind that serves the next one. */
static void reader_killed_next_served(void **state _unused_)
{
	inside_each_jdk(reader_killed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		jvm_test(replay_equals_codelist),
		jvm_test(inlined_within_code),
		jvm_test(events_as_they_happen),
		jvm_test(class_name_odd),
		jvm_test(stubs_are_dynamic),
		jvm_test(file_without_reader),
		jvm_test(reader_slow),
		jvm_test(nobody_listens_nothing_enabled),
		jvm_test(readers_at_once),
		jvm_test(reader_killed_next_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
