// SPDX-License-Identifier: MIT
/*
 * test_coverage.c - for each kind of method that a user may ask for, hotprobe says what of its
 * calls is seen, and why not: at the attach, when it changes, and at the end.
 */
#include <signal.h>

#include "lib/cmocka_all.h"
#include "lib/hp.h"
#include "lib/inside.h"
#include "lib/jvm.h"

#define COVER	"prog.Cover."
#define LOOK_MS 100

struct want {
	const char *spec, *method; /* NULL: the SPEC means none, or many */
	const char *state, *why, *mean;
};

static const struct want wants[] = {
	{COVER "big", COVER "big(int)", "seen", "compiled (level 4)", NULL},
	{COVER "excluded", COVER "excluded(int)", "never", "excluded from compilation", NULL},
	{COVER "huge", COVER "huge(int)", "never", "-XX:-DontCompileHugeMethods", NULL},
	{COVER "seldom", COVER "seldom(int)", "not yet", "(at least 7 calls)", NULL},
	{COVER "uncalled", COVER "uncalled(int)", "not yet", "no call of it has been counted",
	 NULL},
	{COVER "overloaded(int, String)", COVER "overloaded(int, java.lang.String)", "not yet",
	 "no call", NULL},
	{COVER "overloaded(long)", NULL, "never", "there are overloaded(int", NULL},
	{"static " COVER "instance", NULL, "never", "not static", NULL},
	{COVER "instance", COVER "instance(int)", "not yet", "(at least 1 call)", NULL},
	{COVER "<clinit>", COVER "<clinit>()", "never", "runs once", NULL},
	/* written wrongly */
	{COVER "nosuch", NULL, "never", "has no method nosuch", NULL},
	{COVER "laef", NULL, "never", "has no method laef", COVER "leaf"},
	{COVER "Leaf", NULL, "never", "has no method Leaf", COVER "leaf"},
	{"prog.cover.leaf", NULL, "not yet", "no class prog.cover is loaded", COVER "leaf"},
	{"prog.Covre.leaf", NULL, "not yet", "no class prog.Covre is loaded", COVER "leaf"},
	{"Cover.leaf", NULL, "not yet", "no class Cover is loaded", COVER "leaf"},
	{"com.other.Cover.leaf", NULL, "not yet", "no class com.other.Cover", COVER "leaf"},
	{"com.other.Cover.nosuch", NULL, "not yet", "no class com.other.Cover", NULL},
	{"prog/Cover.leaf", NULL, "never", "written with dots", COVER "leaf"},
	{"prog.Cover", NULL, "never", "that is a class", COVER "*"},
	{"prog.Cover.Square.area", NULL, "never", "with '$'", "prog.Cover$Square.area"},
	{"cover.leaf", NULL, "not yet", "no class cover is loaded", COVER "leaf"},
	{"Covre.leaf", NULL, "not yet", "no class Covre is loaded", COVER "leaf"},
	{"prog.Covre.laef", NULL, "not yet", "no class prog.Covre", COVER "leaf"},
	{"com.other.Cover.laef", NULL, "not yet", "no class com.other.Cover", COVER "leaf"},
	{"prog.Covre.nosuch", NULL, "not yet", "no class prog.Covre", COVER "*"},
	{"no.such.String.laef", NULL, "not yet", "no class no.such.String", NULL},
	{"string.equals", NULL, "not yet", "no class string is", "java.lang.String.equals"},
	{"Cover.Square.area", NULL, "not yet", "no class Cover.Square", "prog.Cover$Square.area"},
	{COVER "Cover", NULL, "never", "a constructor is called <init>", COVER "<init>"},
	{"Cover::new", NULL, "not yet", "no class Cover is", COVER "<init>"},
	{"prog/*.leaf", NULL, "not yet", "matches no method of the ", "prog.*.leaf"},
	{"no.such.Thing.x", NULL, "not yet", "waiting for it to be loaded", NULL},
	{"**.zzz*", NULL, "not yet", "matches no method of the ", NULL},
	/* other classes */
	{"prog.Cover$Square.inherited", NULL, "never", "inherits it", "prog.Cover$Base.inherited"},
	{"prog.Cover$Square.corners", NULL, "never", "inherits it", "prog.Cover$Shape.corners"},
	{"prog.Cover$Base.area", "prog.Cover$Base.area(int)", "never", "abstract", NULL},
	{"prog.Cover$Base.inNative", "prog.Cover$Base.inNative(int)", "not yet", "native", NULL},
	{"prog.Cover$Unused.never", "prog.Cover$Unused.never(int)", "not yet",
	 "nothing of it has run", NULL},
	{"prog.Cover$Failing.failing", "prog.Cover$Failing.failing(int)", "never",
	 "initializer of its class has failed: nothing can call it", NULL},
	{"prog.Cover$Failing.kept", "prog.Cover$Failing.kept(int)", "not yet",
	 "only objects that were made before", NULL},
	{"**.Cover.lambda$main$*", "prog.Cover.lambda$main$0(java.lang.String[])", "not yet", "",
	 NULL},
	/* intrinsics; a native one is probed at its wrapper */
	{"java.lang.System.arraycopy",
	 "java.lang.System.arraycopy(java.lang.Object, int, java.lang.Object, int, int)",
	 "seen in part", "native, and its wrapper is seen, but it is an intrinsic", NULL},
	{"java.lang.Object.getClass", "java.lang.Object.getClass()", NULL, "an intrinsic", NULL},
	{"java.lang.Math.max(int, int)", "java.lang.Math.max(int, int)", NULL, "an intrinsic",
	 NULL},
	{"java.lang.System.nanoTime", "java.lang.System.nanoTime()", NULL, "an intrinsic", NULL},
	/* many */
	{"prog.**", NULL, "seen in part", " methods: ", NULL},
	{"prog.Cover$Late.late", NULL, "not yet", "no class prog.Cover$Late is loaded", NULL},
	/* inlined: see below */
	{COVER "leaf", COVER "leaf(int)", NULL, "", NULL},
	{COVER "middle", COVER "middle(int)", NULL, "", NULL},
};

static void cover_start(struct jvm *j, const struct jdk *jdk, const char *flag)
{
	struct codelist l = {0};
	bool ready = false;

	jvm_start(j, jdk,
		  (const char *const[]){"-XX:CompileCommand=quiet",
					"-XX:CompileCommand=exclude,prog.Cover::excluded",
					"-XX:CompileCommand=dontinline,prog.Cover::big", flag,
					NULL},
		  (const char *const[]){"prog.Cover", NULL});
	jvm_ready(j);
	for (uint64_t until = mono_ms() + JVM_TIMEOUT_MS; !ready && mono_ms() < until;) {
		jvm_codelist(j, &l);
		ready = codelist_find(&l, COVER "round", 4) && codelist_find(&l, COVER "big", 4) &&
			codelist_find(&l, COVER "leaf", -1) &&
			codelist_find(&l, COVER "middle", -1);
		codelist_free(&l);
		pause_ms(20);
	}
	if (!ready)
		jvm_fail(j, "it did not compile what it should");
}

/* The last event of this SPEC and, unless NULL, method. */
static json_t *coverage_of(const json_t *events, const char *spec, const char *method)
{
	json_t *o, *found = NULL;
	size_t i;

	json_array_foreach (events, i, o)
		if (!strcmp(json_text(o, "event"), "coverage") &&
		    !strcmp(json_text(o, "spec"), spec) &&
		    (!method || !strcmp(json_text(o, "method"), method)))
			found = o;
	return found;
}

static bool is_wanted(const json_t *o, const struct want *w)
{
	return o && (!w->state || !strcmp(json_text(o, "state"), w->state)) &&
	       strstr(json_text(o, "why"), w->why) &&
	       !strcmp(json_text(o, "did_you_mean"), w->mean ? w->mean : "");
}

static void check_want(const struct child *hp, const json_t *events, const struct want *w)
{
	const json_t *o = coverage_of(events, w->spec, w->method);
	_cleanup_free_ char *shown = o ? json_dumps(o, JSON_COMPACT) : NULL;

	if (!o)
		hp_fail((struct child *)hp, "nothing is said of '%s', method %s", w->spec,
			w->method ? w->method : "-");
	if (!is_wanted(o, w))
		hp_fail((struct child *)hp, "'%s' is %s, because of '%s', did you mean '%s'?\n%s",
			w->spec, w->state ? w->state : "?", w->why, w->mean ? w->mean : "", shown);
	assert_int_equal(json_is_true(json_object_get(o, "complete")),
			 !strcmp(json_text(o, "state"), "seen"));
}

/* The first one of which nothing right is said yet; NULL: all is. */
static const struct want *first_unsaid(const json_t *events)
{
	for (size_t i = 0; i < ARRAY_SIZE(wants); i++)
		if (!is_wanted(coverage_of(events, wants[i].spec, wants[i].method), &wants[i]))
			return &wants[i];
	return NULL;
}

/*
 * Read until what is right is said of each, which takes the JVM's counters and, where others have
 * the processors, more looks than one.
 */
static void read_coverage(struct child *hp, json_t *events)
{
	uint64_t until_ms = mono_ms() + HP_TIMEOUT_MS;
	const struct want *w;

	while ((w = first_unsaid(events))) {
		json_t *o = hp_next(hp, LOOK_MS);

		if (o)
			json_array_append_new(events, o);
		else if (!child_running(hp) || mono_ms() > until_ms)
			check_want(hp, events, w);
	}
}

static struct child *trace_wants(struct jvm *j)
{
	const char *args[ARRAY_SIZE(wants) + 2] = {"--count-only"};

	for (size_t i = 0; i < ARRAY_SIZE(wants); i++)
		args[i + 1] = wants[i].spec;
	return hp_trace(j->pid, args);
}

/* JDK 25 says where everything is inlined, older ones only what debug information needs. */
static void check_inlined(struct child *hp, const json_t *events, const struct jdk *jdk, bool agent)
{
	const json_t *leaf = coverage_of(events, COVER "leaf", COVER "leaf(int)");
	const json_t *middle = coverage_of(events, COVER "middle", COVER "middle(int)");
	const json_t *big = coverage_of(events, COVER "big", COVER "big(int)");
	const char *holder =
		json_string_value(json_array_get(json_object_get(middle, "inlined_into"), 0));

	if (!holder || strncmp(holder, COVER "round(", 12) ||
	    !strstr(json_text(middle, "why"), COVER "round"))
		hp_fail(hp, "middle: %s", json_text(middle, "why"));
	assert_string_equal(json_text(middle, "state"), "seen in part");
	assert_string_equal(json_text(leaf, "state"), "seen in part");
	if (jdk->version >= 25 || agent) {
		holder =
			json_string_value(json_array_get(json_object_get(leaf, "inlined_into"), 0));
		if (!holder || strncmp(holder, COVER "round(", 12))
			hp_fail(hp, "leaf: %s", json_text(leaf, "why"));
	} else if (!strstr(json_text(leaf, "why"), COVER "round (level 3)") &&
		   (!strstr(json_text(leaf, "why"), "usually inlined") ||
		    !json_is_null(json_object_get(leaf, "inlined_into")))) {
		/* A body of C1's that counts names it, too, if there is one again. */
		hp_fail(hp, "leaf: %s", json_text(leaf, "why"));
	}
	if (jdk->version >= 25 && json_array_size(json_object_get(big, "inlined_into")))
		hp_fail(hp, "big: %s", json_text(big, "why"));
	assert_true(json_is_false(json_object_get(big, "interpreted")));
	assert_int_equal(json_integer_value(json_array_get(json_object_get(big, "compiled"), 0)),
			 4);
}

/* A class that is loaded later is heard of, and at the end each SPEC is told of once more. */
static void check_change_and_end(struct jvm *j, struct child *hp)
{
	json_t *o, *events = json_array();
	size_t i;

	free(jvm_ask(j, "late"));
	do {
		o = hp_until(hp, "coverage", events);
		json_array_append_new(events, o);
	} while (strcmp(json_text(o, "method"), "prog.Cover$Late.late(int)"));
	assert_string_equal(json_text(o, "state"), "not yet");
	assert_non_null(strstr(json_text(o, "why"), "3 calls"));
	json_array_clear(events);
	json_decref(hp_finish(hp, SIGINT, 0, events));
	for (i = 0; i < ARRAY_SIZE(wants); i++)
		if (!coverage_of(events, wants[i].spec, NULL))
			hp_fail(hp, "nothing is said of '%s' at the end", wants[i].spec);
	json_decref(events);
}

static int times(const char *text, const char *part)
{
	int n = 0;

	for (text = strstr(text, part); text; text = strstr(text + 1, part))
		n++;
	return n;
}

/* In text what had no call, and what is inlined, is said again at the end; what was seen is not. */
static void check_text(const struct jvm *j)
{
	struct hp_result r;
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", j->pid);
	hp_run(&r, (const char *const[]){"trace", "-p", pid, "-d", "300ms", "--count-only",
					 COVER "big", COVER "uncalled", COVER "middle", "**.zzz*",
					 "java.lang.System.arraycopy", NULL});
	assert_int_equal(r.status, 0);
	if (times(r.err, COVER "big(int): ") != 1 ||
	    times(r.err, COVER "uncalled(int): not yet: no call of it") != 2 ||
	    times(r.err, COVER "middle(int): seen in part: compiled") != 2 ||
	    times(r.err, "'**.zzz*': not yet: ") != 2)
		fail_msg("%s%s", r.out, r.err);
	hp_result_free(&r);
}

/* Without a probe the same is said: `methods --coverage`. */
static void check_methods(const struct jvm *j)
{
	struct hp_result r;
	json_t *events;
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", j->pid);
	hp_run(&r, (const char *const[]){"methods", "--coverage", "-p", pid, COVER "uncalled",
					 COVER "laef", "prog.**", NULL});
	assert_int_equal(r.status, 0);
	if (strncmp(r.out, "not yet            " COVER "uncalled(int): no call of it", 52) ||
	    !strstr(r.out, "\nnever              " COVER "laef: class prog.Cover has no method") ||
	    !strstr(r.out, "; did you mean " COVER "leaf?\n") ||
	    !strstr(r.out, "\nseen in part       prog.**: "))
		fail_msg("%s%s", r.out, r.err);
	hp_result_free(&r);
	events = hp_json((const char *const[]){"methods", "--coverage", "--json", "-p", pid,
					       COVER "huge", COVER "instance", NULL},
			 0);
	assert_int_equal(json_array_size(events), 2);
	check_want(NULL, events,
		   &(struct want){COVER "huge", COVER "huge(int)", "never", "", NULL});
	json_decref(events);
	hp_run(&r, (const char *const[]){"methods", "--coverage", "-p", pid, "a.b(", NULL});
	assert_int_equal(r.status, 2);
	hp_result_free(&r);
	hp_run(&r, (const char *const[]){"methods", "--coverage", "-p", pid, NULL});
	assert_int_equal(r.status, 2);
	assert_non_null(strstr(r.err, "which methods?"));
	hp_result_free(&r);
}

static void each_kind(const struct jdk *jdk, const char *flag, bool agent)
{
	json_t *attached, *events = json_array();
	struct child *hp;
	struct jvm j;

	print_message("  %s%s\n", jdk->name, agent ? ", with the agent" : "");
	cover_start(&j, jdk, flag);
	hp = trace_wants(&j);
	attached = hp_attached(hp);
	read_coverage(hp, events);
	for (size_t i = 0; i < ARRAY_SIZE(wants); i++)
		check_want(hp, events, &wants[i]);
	check_inlined(hp, events, jdk, agent);
	check_change_and_end(&j, hp);
	check_text(&j);
	check_methods(&j);
	json_decref(attached);
	json_decref(events);
	child_free(hp);
	jvm_check_unhurt(&j);
	jvm_quit(&j);
}

static void each_kind_of_method(void **state _unused_)
{
	static const char *const jdks[] = {"jdk17", "jdk21", "jdk25"};

	for (size_t i = 0; i < ARRAY_SIZE(jdks); i++)
		each_kind(jdk_or_skip(jdks[i]), NULL, false);
}

/* With the agent an older JVM notes what it inlines, too. */
static void inlined_with_agent(void **state _unused_)
{
	each_kind(jdk_or_skip("jdk17"), inside_flag(NULL), true);
}

/*
 * Nothing is compiled with -Xint, which is said; "0 calls" never stands alone; and -q is quiet.
 */
static void interpreter_only(void **state _unused_)
{
	const struct jdk *jdk = jdk_or_skip("jdk17");
	char pid[16];
	struct hp_result r;
	struct jvm j;
	const char *at;

	jvm_start(&j, jdk, (const char *const[]){"-Xint", NULL},
		  (const char *const[]){"prog.Cover", NULL});
	jvm_ready(&j);
	snprintf(pid, sizeof(pid), "%d", j.pid);
	hp_run(&r, (const char *const[]){"trace", "-p", pid, "-d", "100ms", COVER "leaf", NULL});
	assert_int_equal(r.status, 0);
	at = strstr(r.err, COVER "leaf(int): never: this JVM compiles nothing (-Xint");
	at = at ? strstr(at + 1, COVER "leaf(int): never: this JVM compiles nothing") : NULL;
	if (!at || !strstr(at, "0 calls"))
		fail_msg("%s", r.err);
	hp_result_free(&r);
	jvm_quit(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		jvm_test(each_kind_of_method),
		jvm_test(inlined_with_agent),
		jvm_test(interpreter_only),
	};

	test_needs_root();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
