/* SPDX-License-Identifier: MIT */
/*
 * test_real.c - programs that were not written for us: a database server under load and a compiler
 * at work. Arguments of their own methods are what was sent to them, and their results are those of
 * an unprobed run.
 */
#include <signal.h>
#include <sys/stat.h>

#include "lib/cmocka_all.h"
#include "lib/exact.h"

/* --- H2 --------------------------------------------------------------------------------------- */

#define H2_METHOD     "org.h2.engine.SessionLocal.prepareLocal"
#define H2_READY      "TCP" /* "TCP server running at tcp://..." */
#define H2_WARM	      6000
#define H2_WARMS_MAX  20
#define H2_STATEMENTS 600

static const char *const h2_flags[] = {
	JVM_QUIET, "-XX:CompileCommand=dontinline,org.h2.engine.SessionLocal::prepareLocal", NULL};

struct h2 {
	struct jvm server, client;
	char *jar;
};

/* The port that the server was given and says: "server running at tcp://127.0.1.1:40001 (...)". */
static int h2_port(struct jvm *j)
{
	_cleanup_free_ char *text = jvm_expect(j, H2_READY);
	const char *at = strstr(text, "tcp://"), *colon = at ? strchr(at + 6, ':') : NULL;
	int port = colon ? atoi(colon + 1) : 0;

	if (!port)
		jvm_fail(j, "no port: TCP %s", text);
	return port;
}

/*
 * A busy machine compiles later, in the middle of what is recorded: so until the second compiler
 * has done its work, which is the last that there will be.
 */
static void h2_warm(struct h2 *h)
{
	for (int i = 0; i < H2_WARMS_MAX; i++) {
		struct codelist list;
		size_t n;

		free(jvm_ask(&h->client, "anew"));
		jvm_do(&h->client, "warm %d", H2_WARM);
		jvm_settle(&h->server, &list);
		n = codelist_find(&list, H2_METHOD "(", 4);
		codelist_free(&list);
		if (n)
			return;
	}
	jvm_fail(&h->server, H2_METHOD " is not compiled by C2");
}

static char *app_or_skip(const char *name)
{
	char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", env_apps(), name) > 0);
	if (access(path, R_OK))
		test_skip("no %s (tests/tools/fetch-apps gets it)", path);
	return path;
}

static void h2_start(struct h2 *h, const struct jdk *jdk)
{
	char url[128], cp[2 * PATH_MAX];

	h->jar = app_or_skip("h2.jar");
	snprintf(cp, sizeof(cp), "%s:%s", env_classes(), h->jar);
	jvm_start(&h->server, jdk, h2_flags,
		  (const char *const[]){"-cp", h->jar, "org.h2.tools.Server", "-tcp", "-tcpPort",
					"0", "-ifNotExists", NULL});
	snprintf(url, sizeof(url), "jdbc:h2:tcp://127.0.0.1:%d/mem:test", h2_port(&h->server));
	jvm_start(&h->client, jdk_find("jdk17"), NULL,
		  (const char *const[]){"-cp", cp, "prog.H2Client", url, NULL});
	jvm_ready(&h->client);
	h2_warm(h);
}

static void h2_stop(struct h2 *h)
{
	jvm_check_unhurt(&h->server);
	jvm_quit(&h->client);
	jvm_free(&h->server);
	free(h->jar);
}

/* Each statement that the client sent is an argument that the server's method got, in order. */
static void h2_compare(struct h2 *h, const json_t *events)
{
	json_t *want = json_file(h->client.rec), *o;
	size_t i, n = 0;
	char why[256];

	assert_int_equal(json_array_size(want), H2_STATEMENTS);
	json_array_foreach (events, i, o) {
		const json_t *w =
			json_array_get(json_object_get(json_array_get(want, n), "args"), 0);
		const json_t *g = json_array_get(json_object_get(o, "args"), 0);

		if (strcmp(json_text(o, "event"), "entry"))
			continue;
		if (!w || !compare_arg(w, g, why, sizeof(why)))
			jvm_fail(&h->server, "statement %zu: %s: sent %s, seen %s", n,
				 w ? why : "too many", json_dumps(w, JSON_COMPACT),
				 json_dumps(g, JSON_COMPACT));
		if (strncmp(json_text(o, "thread"), "H2 TCP Server", 13))
			jvm_fail(&h->server, "thread is '%s'", json_text(o, "thread"));
		n++;
	}
	if (n != H2_STATEMENTS)
		jvm_fail(&h->server, "%d statements, %zu seen", H2_STATEMENTS, n);
	json_decref(want);
}

/* @first: results of the first JDK, unprobed; 0: this is it. */
static void h2_exact(const struct jdk *jdk, long *first)
{
	json_t *events = json_array();
	long probed, unprobed;
	struct child *hp;
	struct h2 h;

	h2_start(&h, jdk);
	unprobed = jvm_do(&h.client, "warm %d", H2_STATEMENTS);
	*first = *first ? *first : unprobed;
	h2_warm(&h);
	hp = hp_trace(h.server.pid, (const char *const[]){"--string-max", "256", H2_METHOD, NULL});
	json_decref(hp_attached(hp));
	probed = jvm_do(&h.client, "record %d", H2_STATEMENTS);
	json_decref(hp_finish(hp, SIGINT, 0, events));
	h2_compare(&h, events);
	if (probed != unprobed || probed != *first)
		jvm_fail(&h.server, "results differ from those of an unprobed run");
	print_message("  %s: %d statements as sent, results %lx\n", jdk->name, H2_STATEMENTS,
		      probed);
	h2_stop(&h);
	child_free(hp);
	json_decref(events);
}

/* The H2 server gets the very SQL that the client sent, and answers as ever. */
static void real_h2_statements(void **state _unused_)
{
	const struct jdk *jdks;
	size_t n = jdks_get(&jdks);
	long first = 0;

	for (size_t i = 0; i < n; i++)
		if (!jdks[i].altered)
			h2_exact(&jdks[i], &first);
}

/* --- closure compiler ------------------------------------------------------------------------- */

#define CLOSURE_MAIN "com.google.javascript.jscomp.CommandLineRunner"
#define IDENTIFIER   "com.google.javascript.jscomp.parsing.parser.IdentifierToken"
#define TOKENS	     "com.google.javascript.rhino.TokenStream"
#define CLOSURE_SPECS                                                                              \
	IDENTIFIER ".<init>", TOKENS ".isKeyword(String)",                                         \
		"com.google.javascript.rhino.Node.matchesName(String)"

static char *file_text(const char *path)
{
	struct stat st;
	char *text;
	FILE *f = fopen(path, "re");

	assert_non_null(f);
	assert_int_equal(fstat(fileno(f), &st), 0);
	text = calloc(1, (size_t)st.st_size + 1);
	assert_non_null(text);
	assert_int_equal(fread(text, 1, (size_t)st.st_size, f), st.st_size);
	fclose(f);
	return text;
}

static void closure_start(struct jvm *j, const struct jdk *jdk, const char *script)
{
	_cleanup_free_ char *jar = app_or_skip("closure-compiler.jar");
	char cp[2 * PATH_MAX];

	snprintf(cp, sizeof(cp), "%s:%s", env_classes(), jar);
	jvm_start(j, jdk, NULL,
		  (const char *const[]){"-cp", cp, "prog.Hold", CLOSURE_MAIN, "--js", script,
					"--js_output_file", "out.js", "--warning_level", "QUIET",
					NULL});
	jvm_ready(j);
}

static char *closure_finish(struct jvm *j)
{
	_cleanup_free_ char *path = NULL;
	char *text;

	assert_int_equal(child_wait(j->c, JVM_TIMEOUT_MS), 0);
	assert_true(asprintf(&path, "%s/out.js", j->dir) > 0);
	text = file_text(path);
	jvm_free(j);
	return text;
}

/* A JavaScript identifier, as far as rxjs and the compiler's own libraries use them. */
static bool is_identifier(const char *s)
{
	size_t len = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_$0123456789");

	return len && !s[len] && (*s < '0' || *s > '9');
}

/* Each text is an identifier: of the script (1), or of the compiler's own declarations (0). */
static size_t check_identifiers(struct child *hp, const json_t *o, const char *script)
{
	const char *class = json_text(o, "class");
	const json_t *arg = json_array_get(json_object_get(o, "args"), !strcmp(class, IDENTIFIER));

	if (strcmp(json_text(o, "event"), "entry") ||
	    (strcmp(class, IDENTIFIER) && strcmp(class, TOKENS)))
		return 0;
	if (!is_identifier(json_text(arg, "value")))
		hp_fail(hp, "no identifier: %s", json_dumps(arg, JSON_COMPACT));
	return strstr(script, json_text(arg, "value")) != NULL;
}

static char *closure_unprobed(const struct jdk *jdk)
{
	_cleanup_free_ char *script = app_or_skip("rxjs.js");
	struct jvm j;

	closure_start(&j, jdk, script);
	child_send(j.c, "go");
	return closure_finish(&j);
}

static void closure_equal(const struct jdk *jdk, const char *unprobed)
{
	_cleanup_free_ char *script_path = app_or_skip("rxjs.js"), *script = NULL;
	char *probed;
	size_t entries = 0, identifiers = 0;
	long long lost;
	struct child *hp;
	struct jvm j;
	json_t *o, *last = NULL;

	script = file_text(script_path);
	closure_start(&j, jdk, script_path);
	hp = hp_trace(j.pid, (const char *const[]){"--ring-size", "256M", CLOSURE_SPECS, NULL});
	json_decref(hp_attached(hp));
	child_send(j.c, "go");
	while ((o = hp_next(hp, HP_TIMEOUT_MS))) {
		json_decref(last);
		last = o;
		entries += !strcmp(json_text(o, "event"), "entry");
		identifiers += check_identifiers(hp, o, script);
	}
	assert_int_equal(child_wait(hp, HP_TIMEOUT_MS), 3);
	probed = closure_finish(&j);
	lost = (long long)json_integer_value(json_object_get(last, "lost"));
	print_message("  %s: %zu calls, %zu identifiers of the script; %lld lost\n", jdk->name,
		      entries, identifiers, lost);
	assert_string_equal(json_text(last, "reason"), "target exited");
	assert_int_equal(lost, 0);
	assert_true(entries > 10000 && identifiers > 1000);
	assert_true(strlen(probed) > 10000);
	assert_string_equal(probed, unprobed);
	json_decref(last);
	child_free(hp);
	free(probed);
}

/* A compiler that is traced while it compiles writes the same output. */
static void real_closure_output(void **state _unused_)
{
	_cleanup_free_ char *unprobed = NULL;
	const struct jdk *jdks;
	size_t n = jdks_get(&jdks), ran = 0;

	for (size_t i = 0; i < n; i++) {
		if (jdks[i].version < 21 || jdks[i].altered)
			continue;
		if (!unprobed)
			unprobed = closure_unprobed(&jdks[i]);
		closure_equal(&jdks[i], unprobed);
		ran++;
	}
	if (!ran)
		test_skip("the closure compiler needs JDK 21: none in %s", env_jdks());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		jvm_test(real_h2_statements),
		jvm_test(real_closure_output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
