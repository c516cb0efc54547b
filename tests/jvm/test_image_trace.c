// SPDX-License-Identifier: MIT
/*
 * test_image_trace.c - calls of methods of published native images, while these do what they were
 * made for: every argument must be what the command line or the input says. Needs
 * tests/fetch-images and root.
 */
#include "cmocka_all.h"
#include "image_run.h"

/* --- what is run ------------------------------------------------------------------------------ */

#define JSCOMP	    "com.google.javascript.jscomp."
#define RHINO	    "com.google.javascript.rhino."
#define ARGS_MAX    12
#define EXPECTS_MAX 12

/* Calls of one method: their arguments, one array a call. In JSON, but with | for ". */
struct expect {
	const char *spec, *calls;
	const char *in_place; /* if they are others where the probe is in place */
	bool early;  /* it is called before the input is read */
	bool others; /* there are other calls, too */
};

struct run {
	const char *image;
	const char *args[ARGS_MAX];
	const char *input;
	struct expect expects[EXPECTS_MAX];
};

#define CALLS(s, c)	   {.spec = s, .calls = c}
#define BEFORE_INPUT(s, c) {.spec = s, .calls = c, .early = true}
#define AMONG_OTHERS(s, c) {.spec = s, .calls = c, .others = true}

/* A double in an xmm register: only a slot's code sees that. */
#define DOUBLES(s, c, n) {.spec = s, .calls = c, .in_place = n}
#define NO_XMM		 "{|error|:|the slot did not save the floating-point registers|}"

#define WHITESPACE_ONLY {"--compilation_level", "WHITESPACE_ONLY", "--charset", "UTF-8"}
#define SCRIPT                                                                                     \
	"var pear = \"Grüße, 世界\"; /* a comment */\n"                                            \
	"function addUp(größe, second) { return !größe + second * 3.25; }\n"                       \
	"console.log(addUp(1, 0.125), pear, /a+b/, 1e300);"
#define NUMBER "{|class|:|" RHINO "Node$NumberNode|}"
#define CLOSURE_EXPECTS                                                                            \
	BEFORE_INPUT("org.kohsuke.args4j.CmdLineParser.isOption(String)",                          \
		     "[[|--compilation_level|], [|--charset|]]"),                                  \
	CALLS(JSCOMP "CodeConsumer.addIdentifier(String)",                                         \
	      "[[|pear|], [|addUp|], [|gr\\\\u00f6\\\\u00dfe|], [|second|], "                        \
	      "[|gr\\\\u00f6\\\\u00dfe|], [|second|], [|console|], [|log|], [|addUp|], [|pear|]]"),  \
	CALLS(JSCOMP "CodeConsumer.appendOp(String, boolean)",                                     \
	      "[[|=|, true], [|,|, true], [|!|, false], [|+|, true], [|*|, true], [|,|, true], "   \
	      "[|,|, true], [|,|, true], [|,|, true]]"),                                           \
	/* The last character so far and the first to come, wherever a space may be needed. */     \
	AMONG_OTHERS("static " JSCOMP "CodeConsumer.isWordChar(char)",                             \
		     "[[|v|], [|\\u0000|], [|p|], [| |], [|\\u0022|], [|;|], [|)|], [|/|]]"),        \
	DOUBLES(JSCOMP "CodeConsumer.addNumber(double, " RHINO "Node)",                            \
		"[[3.25, " NUMBER "], [1.0, " NUMBER "], [0.125, " NUMBER "], [1e300, " NUMBER     \
		"]]",                                                                              \
		"[[" NO_XMM ", " NUMBER "], [" NO_XMM ", " NUMBER "], [" NO_XMM ", " NUMBER        \
		"], [" NO_XMM ", " NUMBER "]]")

#define EVAL	   {"eval", "-x", PKL_EXPR, "-"}
#define PKL_SOURCE "name = \"Grüße, 世界\"\nd = 3.25\npart = name.substring(2, 4)\n"
#define PKL_EXPR   "/* 世界 */ part + (1.5 + d).toString() + d.toFixed(3)"
#define PKL_EXPECTS                                                                                \
	BEFORE_INPUT("org.pkl.core.EvaluatorImpl.evaluateExpressionString(Object, String)",        \
		     "[[{|class|:|org.pkl.core.ModuleSource|}, |" PKL_EXPR "|]]"),                 \
	CALLS("static org.pkl.core.runtime.Identifier.property(String)",                           \
	      "[[|name|], [|d|], [|part|]]"),                                                      \
	CALLS("static org.pkl.core.runtime.VmUtils.codePointOffsetToCharOffset(String, long)",     \
	      "[[|Grüße, 世界|, 2], [|Grüße, 世界|, 2]]"),                                         \
	/* Exponent and fraction of 3.25. */                                                       \
	AMONG_OTHERS("jdk.internal.math.FloatingDecimal$BinaryToASCIIBuffer.dtoa(int, long, int, " \
		     "boolean)",                                                                   \
		     "[[1, 7318349394477056, 53, true]]")

#define APEX_SOURCE                                                                                \
	"public class Foo { Integer bar = 5; Double d = 3.25d; String s = 'Grüße 世界'; }"

static const struct run runs[] = {
	{"ce19-symbols", WHITESPACE_ONLY, SCRIPT,
	 {CLOSURE_EXPECTS,
	  /* With `this`, the last one is the seventh word: on the stack. */
	  CALLS(JSCOMP "CodeGenerator.strEscape(String, String, String, String, String, boolean)",
		"[[|Grüße, 世界|, |\\\\\\u0022|, |'|, |`|, |\\\\\\\\|, false], "
		"[|a+b|, |\\u0022|, |'|, |`|, |\\\\|, false]]")}},
	{"ce25", WHITESPACE_ONLY, SCRIPT,
	 {CLOSURE_EXPECTS, CALLS(JSCOMP "CodeGenerator.jsString(String)", "[[|Grüße, 世界|]]")}},
	{"ce22", EVAL, PKL_SOURCE,
	 {PKL_EXPECTS, DOUBLES("org.pkl.core.stdlib.base.FloatNodes$toFixed.eval(double, long)",
			       "[[3.25, 3]]", "[[" NO_XMM ", 3]]")}},
	{"oracle21", EVAL, PKL_SOURCE,
	 {PKL_EXPECTS, DOUBLES("static jdk.internal.math.DoubleToDecimal.toString(double)",
			       "[[4.75]]", "[[" NO_XMM "]]")}},
	{"ce25-truffle", EVAL, PKL_SOURCE,
	 {PKL_EXPECTS, DOUBLES("org.pkl.core.stdlib.base.FloatNodes$toFixed.eval(double, long)",
			       "[[3.25, 3]]", "[[" NO_XMM ", 3]]")}},
	{"oracle23-pie", {"-a", "-p"}, APEX_SOURCE,
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

	json_array_foreach(events, i, o) {
		json_t *call = json_array();

		if (!is_call_of(o, spec)) {
			json_decref(call);
			continue;
		}
		json_array_foreach(json_object_get(o, "args"), j, arg)
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

	json_array_foreach(got, i, call)
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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		jvm_test(arguments_in_all_processes),
		jvm_test(arguments_in_one_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
