// SPDX-License-Identifier: MIT
/*
 * test_image_count.c - many methods of published native images probed at once: every call is
 * counted, and the image does what it does otherwise. Needs tests/tools/fetch-images and root.
 */
#include <linux/perf_event.h>
#include <sched.h>
#include <sys/ioctl.h>

#include "lib/cmocka_all.h"
#include "lib/image_run.h"
#include "lib/image_work.h"
#include "lib/plain.h"

#define ARGS_MAX  6
#define SPECS_MAX 4

#define JSCOMP "com.google.javascript.jscomp."
#define RHINO  "com.google.javascript.rhino."

#define WHITESPACE_ONLY                                                                            \
	{                                                                                          \
		"--compilation_level", "WHITESPACE_ONLY"                                           \
	}

#define SCRIPT                                                                                       \
	"var pear = 'Grüße, 世界'; function add(a, b) { return !a ? [b] : {sum: a + b * 3.25}; " \
	"}\n"                                                                                        \
	"console.log(add(1, 0.125).sum, pear, /a+b/g, `<${pear}>`); for (;;) { break; }"
#define PKL_SOURCE "name = \"Grüße, 世界\"\nd = 3.25\npart = name.substring(2, 4).toUpperCase()\n"
#define APEX_SOURCE                                                                                \
	"public class Foo { Integer bar = 5; String s = 'Grüße 世界'; void baz() { bar += 2; } }"

/* --- every call ------------------------------------------------------------------------------- */

/* A method's plain uprobe, on its first instruction and one CPU: so the image runs on that one. */
struct method {
	char name[512];
	int fd;
};

static struct method methods[128];
static size_t nmethods;

static void methods_open(const char *path, const char *pattern, int cpu)
{
	json_t *list = hp_json((const char *[]){"methods", "--json", "-x", path, pattern, NULL}, 0),
	       *o;

	assert_true(json_array_size(list) <= ARRAY_SIZE(methods));
	json_array_foreach (list, nmethods, o) {
		struct method *p = &methods[nmethods];

		snprintf(p->name, sizeof(p->name), "%s.%s", json_text(o, "class"),
			 json_text(o, "name"));
		p->fd = plain_event(path, json_addr(o, "offset"), cpu);
	}
	json_decref(list);
}

/* Calls since the last time, by name: overloads are one. */
static json_t *methods_take(void)
{
	json_t *ret = json_object();

	for (struct method *p = methods; p < methods + nmethods; p++) {
		json_int_t hits = json_integer_value(json_object_get(ret, p->name));
		uint64_t n;

		assert_int_equal(read(p->fd, &n, sizeof(n)), sizeof(n));
		assert_int_equal(ioctl(p->fd, PERF_EVENT_IOC_RESET, 0), 0);
		if (n)
			json_object_set_new(ret, p->name, json_integer(hits + (json_int_t)n));
	}
	return ret;
}

static void methods_close(void)
{
	for (struct method *p = methods; p < methods + nmethods; p++)
		close(p->fd);
}

static json_t *count_events(const json_t *events)
{
	json_t *ret = json_object(), *o;
	char name[512];
	size_t i;

	json_array_foreach (events, i, o) {
		snprintf(name, sizeof(name), "%s.%s", json_text(o, "class"), json_text(o, "name"));
		json_object_set_new(
			ret, name,
			json_integer(json_integer_value(json_object_get(ret, name)) + 1));
	}
	return ret;
}

/* A family of methods, and something that calls many of them. */
struct family {
	const char *image, *pattern;
	const char *args[ARGS_MAX];
	const char *input;
	int times;     /* the input comes */
	size_t called; /* at least so many methods */
};

static const struct family families[] = {
	{"ce19-symbols", "CodeConsumer.a*", WHITESPACE_ONLY, SCRIPT, 30, 8},
	{"ce22", "org.pkl.core.runtime.VmObject.*", {"eval", "-"}, PKL_SOURCE, 1, 5},
	{"ce25", JSCOMP "Code*.*", WHITESPACE_ONLY, SCRIPT, 30, 40},
	{"ce25-truffle", "org.pkl.core.runtime.VmObject.*", {"eval", "-"}, PKL_SOURCE, 1, 5},
	{"oracle21", "org.pkl.core.parser.Lexer.*", {"eval", "-"}, PKL_SOURCE, 1, 5},
	{"oracle23-pie",
	 "com.thoughtworks.xstream.io.json.JsonWriter.*",
	 {"-a"},
	 APEX_SOURCE,
	 1,
	 5},
};

static char *repeat(const char *text, int times)
{
	char *ret = calloc((size_t)times, strlen(text) + 1);

	for (int i = 0; i < times; i++)
		strcat(ret, text);
	return ret;
}

static int use_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

static struct child *start_on(int cpu, const char *path, const char *const args[])
{
	struct child *c;
	cpu_set_t all;

	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	assert_int_equal(use_cpu(cpu), 0);
	c = image_start(path, args);
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
	image_await_input(c);
	return c;
}

static void check_counts(const struct family *f, const json_t *events, bool one_process)
{
	json_t *got = count_events(events), *want = methods_take();

	print_message("  %s: %zu calls of %zu methods\n", f->image, json_array_size(events),
		      json_object_size(want));
	if (!json_equal(got, want))
		fail_msg("%s, %s: %s, not %s", f->image,
			 one_process ? "one process" : "all processes",
			 json_dumps(got, JSON_SORT_KEYS), json_dumps(want, JSON_SORT_KEYS));
	assert_true(json_object_size(want) >= f->called);
	json_decref(want);
	json_decref(got);
}

/* The same calls are counted by both, in one run. */
static void count_family(const struct family *f, const char *path, int cpu, bool one_process)
{
	const char *const args[] = {"--ring-size", "64M", f->pattern, NULL};
	_cleanup_free_ char *input = repeat(f->input, f->times);
	struct child *c = start_on(cpu, path, f->args), *hp;
	json_t *events = json_array(), *attached;
	uint64_t hits;

	json_decref(methods_take());
	hp = image_trace(path, one_process ? child_pid(c) : 0, args, &attached);
	free(image_end(c, input));
	hits = image_trace_end(hp, one_process, 0, events);
	check_counts(f, events, one_process);
	assert_int_equal(hits, json_array_size(events));
	assert_int_equal(json_integer_value(json_object_get(attached, "sites")), nmethods);
	if (one_process)
		assert_true(json_integer_value(json_object_get(attached, "diverted")) > 0);
	json_decref(attached);
	json_decref(events);
}

/* Each method's calls are as many as a plain uprobe counts, in place and diverted. */
static void every_call_is_counted(void **state _unused_)
{
	int cpu = sched_getcpu();

	test_needs_root();
	image_new_cache();
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		_cleanup_free_ char *path = image_copy(families[i].image);

		methods_open(path, families[i].pattern, cpu);
		count_family(&families[i], path, cpu, false);
		count_family(&families[i], path, cpu, true);
		methods_close();
		unlink(path);
	}
}

/* --- nothing else changes --------------------------------------------------------------------- */

/* As many methods as there are slots, the VM's own among them; the rest is left out. */
#define EVERYTHING "**.*"

struct work {
	const char *image;
	const char *specs[SPECS_MAX];
	const char *args[ARGS_MAX];
	const char *input; /* NULL: a large script */
};

static const struct work works[] = {
	{"ce19-symbols", {"*Pass*.*", "*Check*.*", "*Compiler*.*"}, WHITESPACE_ONLY, NULL},
	{"ce25", {"com.google.**.*"}, WHITESPACE_ONLY, NULL},
	{"ce25", {JSCOMP "Code*.*", JSCOMP "Peephole*.*"}, {"--warning_level", "QUIET"}, NULL},
	{"ce22", {"java.**.*"}, {"eval", "-"}, PKL_SOURCE},
	{"oracle21", {EVERYTHING}, {"eval", "-"}, PKL_SOURCE},
	{"ce25-truffle", {EVERYTHING}, {"eval", "-"}, PKL_SOURCE},
	{"oracle23-pie", {"java.**.*"}, {"-a", "-p"}, APEX_SOURCE},
};

/* Each method has one count at the end, and together they are all hits. */
static void check_sum(uint64_t hits, const json_t *events)
{
	uint64_t sum = 0;
	json_t *o;
	size_t i;

	json_array_foreach (events, i, o) {
		if (strcmp(json_text(o, "event"), "stat"))
			continue;
		assert_true(json_is_true(json_object_get(o, "final")));
		assert_string_equal(json_text(o, "kind"), "native-image");
		sum += (uint64_t)json_integer_value(json_object_get(o, "count"));
	}
	assert_true(hits > 0);
	assert_true(sum == hits);
}

/* One run, probed from its start or, if it is for one process, from when it waits for input. */
static char *run_probed(const struct work *w, const char *path, const char *input, bool one_process)
{
	const char *args[SPECS_MAX + 2] = {"--count-only"};
	struct child *c = NULL, *hp;
	json_t *events = json_array();
	char *out;

	memcpy(args + 1, w->specs, sizeof(w->specs));
	if (one_process) {
		c = image_start(path, w->args);
		image_await_input(c);
	}
	hp = image_trace(path, c ? child_pid(c) : 0, args, NULL);
	if (!c)
		c = image_start(path, w->args);
	out = image_end(c, input);
	check_sum(image_trace_end(hp, one_process, 0, events), events);
	json_decref(events);
	return out;
}

static void check_work(const struct work *w, const char *script)
{
	_cleanup_free_ char *path = image_copy(w->image);
	const char *input = w->input ? w->input : script;
	_cleanup_free_ char *want = image_end(image_start(path, w->args), input);
	uint64_t start = clock_ns();
	_cleanup_free_ char *all = run_probed(w, path, input, false);
	uint64_t middle = clock_ns();
	_cleanup_free_ char *one = run_probed(w, path, input, true);

	print_message("  %s: %.1f s, %.1f s\n", w->image, (double)(middle - start) / 1e9,
		      (double)(clock_ns() - middle) / 1e9);
	assert_true(*want);
	assert_string_equal(all, want);
	assert_string_equal(one, want);
	unlink(path);
}

/* What an image writes is the same to the byte with thousands of its methods probed. */
static void results_are_unchanged(void **state _unused_)
{
	_cleanup_free_ char *script = compiler_script(1);

	test_needs_root();
	image_new_cache();
	for (size_t i = 0; i < ARRAY_SIZE(works); i++)
		check_work(&works[i], script);
}

/* --- again and again -------------------------------------------------------------------------- */

/*
 * Methods that allocate, or are called while something else does, with a young generation so small
 * that it is collected all the time, as far as the image takes such options.
 */
struct hot {
	const char *image;
	const char *specs[SPECS_MAX];
	const char *args[ARGS_MAX];
	const char *input;
	int runs, diverted_runs;
	bool collects;
};

#define CLOSURE_HOT                                                                                \
	{                                                                                          \
		"java.lang.StringBuilder.*", RHINO "Node.add*", JSCOMP "parsing.IRFactory.new*"    \
	}
#define CLOSURE_ARGS                                                                               \
	{                                                                                          \
		"-Xmn2m", "--compilation_level", "WHITESPACE_ONLY"                                 \
	}
#define PKL_HOT                                                                                    \
	{                                                                                          \
		"java.util.HashMap.*", "java.lang.String*.*", "org.pkl.core.runtime.*.*"           \
	}

static const struct hot hots[] = {
	{"ce19-symbols", CLOSURE_HOT, CLOSURE_ARGS, SCRIPT, 3, 4, true},
	{"ce25", CLOSURE_HOT, CLOSURE_ARGS, SCRIPT, 6, 6, true},
	{"ce22", PKL_HOT, {"eval", "-"}, PKL_SOURCE, 15, 6, false},
	{"oracle21", PKL_HOT, {"eval", "-"}, PKL_SOURCE, 15, 6, false},
	{"ce25-truffle", PKL_HOT, {"eval", "-"}, PKL_SOURCE, 15, 6, false},
	{"oracle23-pie",
	 {"java.lang.String*.*", "java.util.*.*"},
	 {"-Xmn1m", "-a"},
	 APEX_SOURCE,
	 12,
	 6,
	 true},
};

/* The result must be @want. */
static void run_once(const struct hot *h, const char *path, const char *const args[],
		     const char *want)
{
	struct child *c = image_start(path, h->args), *hp = NULL;
	_cleanup_free_ char *got = NULL;

	if (args) {
		image_await_input(c);
		hp = image_trace(path, child_pid(c), args, NULL);
	}
	got = image_end(c, h->input);
	if (hp)
		assert_true(image_trace_end(hp, true, 0, NULL) > 0);
	assert_string_equal(got, want);
}

/* Meanwhile another instance counts collections. Return: how many. */
static uint64_t run_hot(const struct hot *h)
{
	static const char *const collector[] = {
		"--count-only", "com.oracle.svm.core.genscavenge.GCImpl.collectWithoutAllocating",
		NULL};
	const char *args[SPECS_MAX + 2] = {"--count-only"};
	_cleanup_free_ char *path = image_copy(h->image);
	_cleanup_free_ char *want = image_end(image_start(path, h->args), h->input);
	struct child *collections = image_trace(path, 0, collector, NULL), *hp;

	memcpy(args + 1, h->specs, sizeof(h->specs));
	for (int i = 0; i < h->diverted_runs; i++)
		run_once(h, path, args, want);
	hp = image_trace(path, 0, args, NULL);
	for (int i = 0; i < h->runs; i++)
		run_once(h, path, NULL, want);
	image_trace_end(hp, false, 0, NULL);
	unlink(path);
	return image_trace_end(collections, false, 0, NULL);
}

/* A hundred runs, with probes where it hurts: none aborts, none errs, all have the same result. */
static void hundred_runs(void **state _unused_)
{
	int runs = 0;

	test_needs_root();
	image_new_cache();
	for (size_t i = 0; i < ARRAY_SIZE(hots); i++) {
		const struct hot *h = &hots[i];
		int n = h->runs + h->diverted_runs;
		uint64_t start = clock_ns(), collections = run_hot(h);

		print_message("  %s: %d runs, %llu collections, %.1f s\n", h->image, n,
			      (unsigned long long)collections, (double)(clock_ns() - start) / 1e9);
		if (h->collects)
			assert_true(collections >= (uint64_t)n);
		runs += n;
	}
	assert_int_equal(runs, 100);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		jvm_test(every_call_is_counted),
		jvm_test(results_are_unchanged),
		jvm_test(hundred_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
