// SPDX-License-Identifier: MIT
/*
 * test_image_trace.c - calls of methods of published native images, while these do what they were
 * made for: every argument must be what the command line or the input says. Needs
 * tests/tools/fetch-images and root.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "lib/cmocka_all.h"
#include "lib/image_run.h"

/* --- what is run ------------------------------------------------------------------------------ */

#define JSCOMP	    "com.google.javascript.jscomp."
#define RHINO	    "com.google.javascript.rhino."
#define ARGS_MAX    12
#define EXPECTS_MAX 12

/* Calls of one method: their arguments, one array a call. In JSON, but with | for ". */
struct expect {
	const char *spec, *calls;
	const char *in_place; /* if they are others where the probe is in place */
	bool early;	      /* it is called before the input is read */
	bool others;	      /* there are other calls, too */
};

struct run {
	const char *image;
	const char *args[ARGS_MAX];
	const char *input;
	struct expect expects[EXPECTS_MAX];
};

#define CALLS(s, c)                                                                                \
	{                                                                                          \
		.spec = s, .calls = c                                                              \
	}
#define BEFORE_INPUT(s, c)                                                                         \
	{                                                                                          \
		.spec = s, .calls = c, .early = true                                               \
	}
#define AMONG_OTHERS(s, c)                                                                         \
	{                                                                                          \
		.spec = s, .calls = c, .others = true                                              \
	}

/* A double in an xmm register: only a slot's code sees that. */
#define DOUBLES(s, c, n)                                                                           \
	{                                                                                          \
		.spec = s, .calls = c, .in_place = n                                               \
	}
#define NO_XMM "{|error|:|the slot did not save the floating-point registers|}"

#define WHITESPACE_ONLY                                                                            \
	{                                                                                          \
		"--compilation_level", "WHITESPACE_ONLY", "--charset", "UTF-8", NULL               \
	}
#define SCRIPT                                                                                     \
	"var pear = \"Grüße, 世界\"; /* a comment */\n"                                        \
	"function addUp(größe, second) { return !größe + second * 3.25; }\n"                   \
	"console.log(addUp(1, 0.125), pear, /a+b/, 1e300);"
#define NUMBER "{|class|:|" RHINO "Node$NumberNode|}"
#define CLOSURE_EXPECTS                                                                            \
	BEFORE_INPUT("org.kohsuke.args4j.CmdLineParser.isOption(String)",                          \
		     "[[|--compilation_level|], [|--charset|]]"),                                  \
		CALLS(JSCOMP "CodeConsumer.addIdentifier(String)",                                 \
		      "[[|pear|], [|addUp|], [|gr\\\\u00f6\\\\u00dfe|], [|second|], "              \
		      "[|gr\\\\u00f6\\\\u00dfe|], [|second|], [|console|], [|log|], [|addUp|], "   \
		      "[|pear|]]"),                                                                \
		CALLS(JSCOMP "CodeConsumer.appendOp(String, boolean)",                             \
		      "[[|=|, true], [|,|, true], [|!|, false], [|+|, true], [|*|, true], [|,|, "  \
		      "true], "                                                                    \
		      "[|,|, true], [|,|, true], [|,|, true]]"), /* The last character so far and  \
								    the first to come, wherever a  \
								    space may be needed. */        \
		AMONG_OTHERS(                                                                      \
			"static " JSCOMP "CodeConsumer.isWordChar(char)",                          \
			"[[|v|], [|\\u0000|], [|p|], [| |], [|\\u0022|], [|;|], [|)|], [|/|]]"),   \
		DOUBLES(JSCOMP "CodeConsumer.addNumber(double, " RHINO "Node)",                    \
			"[[3.25, " NUMBER "], [1.0, " NUMBER "], [0.125, " NUMBER                  \
			"], [1e300, " NUMBER "]]",                                                 \
			"[[" NO_XMM ", " NUMBER "], [" NO_XMM ", " NUMBER "], [" NO_XMM            \
			", " NUMBER "], [" NO_XMM ", " NUMBER "]]")

#define EVAL                                                                                       \
	{                                                                                          \
		"eval", "-x", PKL_EXPR, "-"                                                        \
	}
#define PKL_SOURCE "name = \"Grüße, 世界\"\nd = 3.25\npart = name.substring(2, 4)\n"
#define PKL_EXPR   "/* 世界 */ part + (1.5 + d).toString() + d.toFixed(3)"
#define PKL_EXPECTS                                                                                \
	BEFORE_INPUT("org.pkl.core.EvaluatorImpl.evaluateExpressionString(Object, String)",        \
		     "[[{|class|:|org.pkl.core.ModuleSource|}, |" PKL_EXPR "|]]"),                 \
		CALLS("static org.pkl.core.runtime.Identifier.property(String)",                   \
		      "[[|name|], [|d|], [|part|]]"),                                              \
		CALLS("static org.pkl.core.runtime.VmUtils.codePointOffsetToCharOffset(String, "   \
		      "long)",                                                                     \
		      "[[|Grüße, 世界|, 2], [|Grüße, 世界|, 2]]"), /* Exponent and fraction        \
								      of 3.25. */                  \
		AMONG_OTHERS("jdk.internal.math.FloatingDecimal$BinaryToASCIIBuffer.dtoa(int, "    \
			     "long, int, "                                                         \
			     "boolean)",                                                           \
			     "[[1, 7318349394477056, 53, true]]")

#define APEX_SOURCE                                                                                \
	"public class Foo { Integer bar = 5; Double d = 3.25d; String s = 'Grüße 世界'; }"

static const struct run runs[] = {
	{"ce19-symbols",
	 WHITESPACE_ONLY,
	 SCRIPT,
	 {CLOSURE_EXPECTS,
	  /* With `this`, the last one is the seventh word: on the stack. */
	  CALLS(JSCOMP "CodeGenerator.strEscape(String, String, String, String, String, boolean)",
		"[[|Grüße, 世界|, |\\\\\\u0022|, |'|, |`|, |\\\\\\\\|, false], "
		"[|a+b|, |\\u0022|, |'|, |`|, |\\\\|, false]]")}},
	{"ce25",
	 WHITESPACE_ONLY,
	 SCRIPT,
	 {CLOSURE_EXPECTS, CALLS(JSCOMP "CodeGenerator.jsString(String)", "[[|Grüße, 世界|]]")}},
	{"ce22",
	 EVAL,
	 PKL_SOURCE,
	 {PKL_EXPECTS, DOUBLES("org.pkl.core.stdlib.base.FloatNodes$toFixed.eval(double, long)",
			       "[[3.25, 3]]", "[[" NO_XMM ", 3]]")}},
	{"oracle21",
	 EVAL,
	 PKL_SOURCE,
	 {PKL_EXPECTS, DOUBLES("static jdk.internal.math.DoubleToDecimal.toString(double)",
			       "[[4.75]]", "[[" NO_XMM "]]")}},
	{"ce25-truffle",
	 EVAL,
	 PKL_SOURCE,
	 {PKL_EXPECTS, DOUBLES("org.pkl.core.stdlib.base.FloatNodes$toFixed.eval(double, long)",
			       "[[3.25, 3]]", "[[" NO_XMM ", 3]]")}},
	{"oracle23-pie",
	 {"-a", "-p"},
	 APEX_SOURCE,
	 {BEFORE_INPUT("org.apache.commons.cli.DefaultParser.handleToken(String)",
		       "[[|-a|], [|-p|]]"),
	  AMONG_OTHERS("com.thoughtworks.xstream.io.json.AbstractJsonWriter.setValue(String)",
		       "[[|Foo|], [|Integer|], [|bar|], [|5|], [|Double|], [|d|], [|3.25|], "
		       "[|String|], [|s|], [|Grüße 世界|]]"),
	  /* All that is not ASCII. */
	  AMONG_OTHERS("static java.lang.Character.toLowerCase(int)",
		       "[[252], [223], [19990], [30028]]")}},
};

/* --- what is seen ----------------------------------------------------------------------------- */

static json_t *parse(const char *text)
{
	_cleanup_free_ char *copy = strdup(text);
	json_t *ret;

	for (char *p = copy; *p; p++)
		if (*p == '|')
			*p = '"';
	ret = json_loads(copy, JSON_ALLOW_NUL, NULL);
	if (!ret)
		fail_msg("not JSON: %s", copy);
	return ret;
}

/* A value if there is one, else what is said in its place. Addresses differ from run to run. */
static json_t *argument(const json_t *arg)
{
	json_t *value = json_object_get(arg, "value"), *o;

	if (value)
		return json_incref(value);
	o = json_deep_copy(arg);
	json_object_del(o, "type");
	json_object_del(o, "addr");
	return o;
}

/* Is the event one of @spec's method? Some images know classes without their package. */
static bool is_call_of(const json_t *o, const char *spec)
{
	char name[512], want[512];
	size_t len;

	snprintf(want, sizeof(want), "%s", spec + (strncmp(spec, "static ", 7) ? 0 : 7));
	want[strcspn(want, "(@")] = '\0';
	snprintf(name, sizeof(name), "%s.%s", json_text(o, "class"), json_text(o, "name"));
	len = strlen(want) - strlen(name);
	return len <= strlen(want) && !strcmp(want + len, name);
}

/* The arguments of all calls of @spec's method. */
static json_t *calls_of(const json_t *events, const char *spec)
{
	json_t *calls = json_array(), *o, *arg;
	size_t i, j;

	json_array_foreach (events, i, o) {
		json_t *call = json_array();

		if (!is_call_of(o, spec)) {
			json_decref(call);
			continue;
		}
		json_array_foreach (json_object_get(o, "args"), j, arg)
			json_array_append_new(call, argument(arg));
		json_array_append_new(calls, call);
	}
	return calls;
}

/* Are all of @want in @got, in that order? */
static bool is_among(const json_t *want, const json_t *got)
{
	size_t i, found = 0;
	json_t *call;

	json_array_foreach (got, i, call)
		found += json_equal(call, json_array_get(want, found));
	return found == json_array_size(want);
}

static void check_calls(const struct run *run, const json_t *events, const struct expect *e,
			bool in_place)
{
	json_t *want = parse(in_place && e->in_place ? e->in_place : e->calls);
	json_t *got = calls_of(events, e->spec);

	if (e->others ? !is_among(want, got) : !json_equal(got, want))
		fail_msg("%s, %s: %s was called with %s", run->image,
			 in_place ? "all processes" : "one process", e->spec, json_dumps(got, 0));
	json_decref(got);
	json_decref(want);
}

/* --- the runs --------------------------------------------------------------------------------- */

static void trace_run(const struct run *run, bool one_process)
{
	const char *path = image_or_skip(run->image), *specs[EXPECTS_MAX + 1];
	struct child *c = NULL, *hp;
	json_t *events = json_array();
	size_t n = 0;
	pid_t pid = 0;

	for (const struct expect *e = run->expects; e->spec; e++)
		if (!one_process || !e->early)
			specs[n++] = e->spec;
	specs[n] = NULL;
	if (one_process) {
		c = image_start(path, run->args);
		image_await_input(c);
		pid = child_pid(c);
	}
	hp = image_trace(path, pid, specs, NULL);
	if (!c)
		c = image_start(path, run->args);
	pid = child_pid(c);
	free(image_end(c, run->input));
	image_trace_end(hp, one_process, pid, events);
	for (const struct expect *e = run->expects; e->spec; e++)
		if (!one_process || !e->early)
			check_calls(run, events, e, !one_process);
	json_decref(events);
}

/* Arguments in every process of an image are what its command line and its input say. */
static void arguments_in_all_processes(void **state _unused_)
{
	test_needs_root();
	image_new_cache();
	for (size_t i = 0; i < ARRAY_SIZE(runs); i++)
		trace_run(&runs[i], false);
}

/* So are those in one process, floating-point numbers too. */
static void arguments_in_one_process(void **state _unused_)
{
	test_needs_root();
	image_new_cache();
	for (size_t i = 0; i < ARRAY_SIZE(runs); i++)
		trace_run(&runs[i], true);
}

/* --- what is known in other ways -------------------------------------------------------------- */

/* One run of the compiler with @specs traced in all processes. Return: its calls. */
static json_t *closure_calls(const char *path, const char *const specs[], json_t **attached)
{
	static const char *const args[] = WHITESPACE_ONLY;
	struct child *hp = image_trace(path, 0, specs, attached), *c = image_start(path, args);
	json_t *events = json_array();
	pid_t pid = child_pid(c);

	free(image_end(c, SCRIPT));
	image_trace_end(hp, false, pid, events);
	return events;
}

/* What a caller passes as null is null, not an object that cannot be read. */
static void null_is_null(void **state _unused_)
{
	static const char spec[] = JSCOMP "SourceFile.setCodeAndDoBookkeeping(String)";
	json_t *events, *calls, *call, *null = json_pack("[n]");
	size_t i, n = 0;

	test_needs_root();
	image_new_cache();
	events = closure_calls(image_or_skip("ce25"), (const char *[]){spec, NULL}, NULL);
	calls = calls_of(events, spec);
	json_array_foreach (calls, i, call) {
		n += json_equal(call, null);
		assert_false(json_is_object(json_array_get(call, 0)));
	}
	assert_true(n > 0 && n < json_array_size(calls));
	json_decref(null);
	json_decref(calls);
	json_decref(events);
}

/* The next file in the archive that is part of an image. Return: its size unpacked; 0: no more. */
static uint32_t next_size(const char **at, const char *end)
{
	/* Source: PKWARE APPNOTE.TXT 4.3.12, central directory header. */
	static const char magic[] = "PK\x01\x02";
	enum {
		METHOD = 10,
		SIZE = 24,
		NAME_LEN = 28,
		HEADER = 46,
		DEFLATED = 8,
		NAME_MAX_LEN = 255
	};

	for (const char *p = *at; (p = memmem(p, (size_t)(end - p), magic, 4)); p += 4) {
		uint16_t method, name_len;
		uint32_t size;

		if (end - p < HEADER)
			return 0;
		memcpy(&method, p + METHOD, sizeof(method));
		memcpy(&name_len, p + NAME_LEN, sizeof(name_len));
		memcpy(&size, p + SIZE, sizeof(size));
		*at = p + 4;
		if (method == DEFLATED && name_len <= NAME_MAX_LEN && size)
			return size;
	}
	return 0;
}

/* The room for each file that is unpacked: its size, or what a buffer holds. */
static void check_sizes(const char *image, size_t len, const json_t *calls)
{
	const char *at = image, *end = image + len;
	uint32_t size = next_size(&at, end), files = 0;
	json_t *call;
	size_t i;

	json_array_foreach (calls, i, call) {
		json_int_t in = json_integer_value(json_array_get(call, 3));
		json_int_t off = json_integer_value(json_array_get(call, 5));
		json_int_t room = json_integer_value(json_array_get(call, 6));

		assert_int_equal(json_array_size(call), 7);
		assert_true(in >= 0 && in <= 512 && off >= 0 && room > 0 && off + room <= 8192);
		if (room != MIN(size, 8192) || off)
			continue;
		files++;
		size = next_size(&at, end);
	}
	if (size || files < 100)
		fail_msg("%u files, then none of %u bytes", files, size);
}

/* The 7th and 8th word are on the stack: they are the sizes of the archive that the image carries.
 */
static void words_on_the_stack(void **state _unused_)
{
	static const char spec[] = "java.util.zip.Inflater.inflateBytesBytes(long, byte[], int, "
				   "int, byte[], int, int)";
	const char *path = image_or_skip("ce25");
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	json_t *events, *calls;
	struct stat st;
	void *image;

	test_needs_root();
	image_new_cache();
	assert_int_equal(fstat(fd, &st), 0);
	image = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(image, MAP_FAILED);
	events = closure_calls(path, (const char *[]){spec, NULL}, NULL);
	calls = calls_of(events, spec);
	check_sizes(image, (size_t)st.st_size, calls);
	munmap(image, (size_t)st.st_size);
	json_decref(calls);
	json_decref(events);
}

/* --- overloads -------------------------------------------------------------------------------- */

/* A call of any overload: what it is told with when its types are not known. */
static void check_untyped(const json_t *o)
{
	assert_int_equal(json_integer_value(json_object_get(o, "overloads")), 2);
	assert_int_equal(json_array_size(json_object_get(o, "raw")), 6);
	assert_true(json_is_null(json_object_get(o, "args")));
	assert_true(json_is_null(json_object_get(o, "signature")));
}

/* A name without parameters is all its overloads; an address picks one, which may then have types.
 */
static void overloads_are_all_probed(void **state _unused_)
{
	static const char name[] = JSCOMP "CodeGenerator.add"; /* (Node), and (Node, Context) */
	const char *path = image_or_skip("ce25");
	json_t *list, *attached, *all, *picked, *o;
	size_t sum = 0, i;

	test_needs_root();
	image_new_cache();
	list = hp_json((const char *[]){"methods", "--json", "-x", path, name, NULL}, 0);
	all = closure_calls(path, (const char *[]){name, NULL}, &attached);
	assert_int_equal(json_integer_value(json_object_get(attached, "sites")), 2);
	json_array_foreach (all, i, o)
		check_untyped(o);
	json_decref(attached);
	json_array_foreach (list, i, o) {
		char spec[128];

		snprintf(spec, sizeof(spec), "%s(" RHINO "Node)@%s", name, json_text(o, "entry"));
		picked = closure_calls(path, (const char *[]){spec, NULL}, &attached);
		assert_int_equal(json_integer_value(json_object_get(attached, "sites")), 1);
		sum += json_array_size(picked);
		o = json_object_get(json_array_get(picked, 0), "args");
		assert_ptr_equal(strstr(json_text(json_array_get(o, 0), "class"), RHINO "Node"),
				 json_text(json_array_get(o, 0), "class"));
		json_decref(attached);
		json_decref(picked);
	}
	assert_int_equal(json_array_size(list), 2);
	assert_int_equal(sum, json_array_size(all));
	json_decref(all);
	json_decref(list);
}

/* Where symbols have digests of the signature, parameters pick the overload and are known for sure.
 */
static void digest_knows_the_signature(void **state _unused_)
{
	static const char spec[] =
		JSCOMP "parsing.IRFactory.newStringNode(" RHINO "Token, String)" RHINO "Node";
	json_t *attached, *events, *calls, *o, *want;
	size_t i;

	test_needs_root();
	image_new_cache();
	events = closure_calls(image_or_skip("ce19-symbols"), (const char *[]){spec, NULL},
			       &attached);
	assert_int_equal(json_integer_value(json_object_get(attached, "methods")), 1);
	json_array_foreach (events, i, o) {
		assert_string_equal(json_text(o, "signature"), "image");
		assert_string_equal(
			json_text(o, "symbol"),
			"IRFactory_newStringNode_f31e3dd924f56003e4c571746db7aea92be5a4ef");
		assert_int_equal(json_integer_value(json_object_get(o, "overloads")), 2);
	}
	calls = calls_of(events, spec);
	want = parse("[[{|class|:|" RHINO "Token|}, |pear|], [{|class|:|" RHINO
		     "Token|}, |console|]]");
	assert_true(is_among(want, calls));
	json_decref(attached);
	json_decref(want);
	json_decref(calls);
	json_decref(events);
}

/* --- processes -------------------------------------------------------------------------------- */

static void check_event(const json_t *o, pid_t pid)
{
	assert_int_equal(json_integer_value(json_object_get(o, "pid")), pid);
	assert_true(json_integer_value(json_object_get(o, "tid")) > 0);
	assert_string_equal(json_text(o, "thread"), "jscompiler");
	assert_string_equal(json_text(o, "kind"), "native-image");
	assert_string_equal(json_text(o, "signature"), "spec");
	assert_string_equal(json_text(o, "class"), JSCOMP "CodeConsumer");
	assert_int_equal(json_integer_value(json_object_get(o, "overloads")), 1);
	assert_true(json_is_null(json_object_get(o, "symbol")));
	assert_null(json_object_get(o, "raw"));
}

/* Of @all, those of @pid: one call, of addIdentifier(@name). */
static void check_process(const json_t *all, pid_t pid, const char *name)
{
	size_t i, n = 0;
	json_t *o;

	json_array_foreach (all, i, o) {
		if (json_integer_value(json_object_get(o, "pid")) != pid)
			continue;
		check_event(o, pid);
		assert_string_equal(
			json_text(json_array_get(json_object_get(o, "args"), 0), "value"), name);
		n++;
	}
	assert_int_equal(n, 1);
}

static void check_attached(const json_t *o, const char *path)
{
	assert_string_equal(json_text(o, "kind"), "native-image");
	assert_string_equal(json_text(o, "binary"), path);
	assert_string_equal(json_text(o, "via"), "uprobe");
	assert_true(json_is_null(json_object_get(o, "pid")));
	assert_int_equal(json_integer_value(json_object_get(o, "methods")), 1);
	assert_int_equal(json_array_size(json_object_get(o, "waiting")), 1);
}

/* A process from before, one from after, both at once: each call is told of the process it was in.
 */
static void processes_are_told_apart(void **state _unused_)
{
	static const char *const args[] = WHITESPACE_ONLY;
	const char *path = image_or_skip("ce25");
	json_t *events = json_array(), *attached;
	struct child *before, *after, *hp;
	pid_t pids[2];

	test_needs_root();
	image_new_cache();
	before = image_start(path, args);
	image_await_input(before);
	hp = image_trace(path, 0,
			 (const char *[]){JSCOMP "CodeConsumer.addIdentifier(String)",
					  "no.such.Method", NULL},
			 &attached);
	check_attached(attached, path);
	after = image_start(path, args);
	pids[0] = child_pid(before);
	pids[1] = child_pid(after);
	image_await_input(after);
	child_send(before, "var early = 1;");
	child_send(after, "var late = 2;");
	child_close_stdin(before);
	free(image_end(after, NULL));
	free(image_end(before, NULL));
	image_trace_end(hp, false, 0, events);
	check_process(events, pids[0], "early");
	check_process(events, pids[1], "late");
	json_decref(attached);
	json_decref(events);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		jvm_test(arguments_in_all_processes),
		jvm_test(arguments_in_one_process),
		jvm_test(null_is_null),
		jvm_test(words_on_the_stack),
		jvm_test(overloads_are_all_probed),
		jvm_test(digest_knows_the_signature),
		jvm_test(processes_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
