/* SPDX-License-Identifier: MIT */
/*
 * test_agent_load.c - whichever way the agent is loaded, how often, beside whom and with whatever
 * options: the JVM runs on, and the agent works or says in one line why not.
 */
#include "lib/cmocka_all.h"
#include "lib/hp.h"
#include "lib/inside.h"

/* --- others in the same JVM --------------------------------------------------------------------*/

static int number_in(const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	int n = 0;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &n), 1);
	return n;
}

static void with_others(const struct jdk *jdk)
{
	_cleanup_free_ char *second = inside_second_library(), *flag = NULL, *said = NULL,
			    *told = NULL;
	const char *const jfr = "-XX:StartFlightRecording:filename=rec.jfr,settings=profile";
	struct lines *l;
	struct jvm j;

	assert_true(asprintf(&flag, "-agentpath:%s", second) > 0);
	/* Twice, as with JAVA_TOOL_OPTIONS and a flag, and once more by attaching. */
	jvm_start(&j, jdk,
		  (const char *const[]){flag, inside_flag(NULL), jfr, inside_flag(NULL), NULL},
		  (const char *const[]){"prog.Inside", NULL});
	jvm_ready(&j);
	l = inside_read(&j);
	json_decref(inside_replay(l));
	free(jvm_ask(&j, "warm 300000"));
	json_decref(inside_until(l, "compiled", "name", "outer", NULL));
	said = inside_attach(&j, env_agent(), "events=more");
	assert_non_null(strstr(said, "return code: 0"));
	assert_true(asprintf(&told, "%s/told", j.dir) > 0);
	free(inside_attach(&j, second, "count"));
	assert_true(number_in(told) > 0);
	free(jvm_ask(&j, "thread visitor"));
	json_decref(inside_until(l, "thread_end", "name", "visitor", NULL));
	jvm_check_unhurt(&j);
	jvm_quit(&j);
	lines_close(l);
}

/* Loaded three times, with another agent of its kind and a flight recording: all go on working. */
static void agents_side_by_side(void **state _unused_)
{
	inside_each_jdk(with_others);
}

/* A copy under another name is another library to the JVM: it notices the first, and stays out. */
static void copy_stays_out(void **state _unused_)
{
	_cleanup_free_ char *dir = test_dir(), *command = NULL, *flag = NULL, *errors = NULL;
	struct lines *l;
	struct jvm j;

	assert_true(asprintf(&command, "cp %s %s/copy.so", env_agent(), dir) > 0);
	assert_int_equal(system(command), 0);
	assert_true(asprintf(&flag, "-agentpath:%s/copy.so=events=copied", dir) > 0);
	jvm_start(&j, jdk_or_skip("jdk17"), (const char *const[]){inside_flag(NULL), flag, NULL},
		  (const char *const[]){"prog.Inside", NULL});
	jvm_ready(&j);
	errors = child_errors(j.c);
	assert_string_equal(
		errors,
		"hotprobe: another copy of the agent is loaded, which hotprobe trace -p finds: "
		"the JVM goes on without the agent\n");
	l = inside_read(&j);
	json_decref(inside_replay(l));
	jvm_quit(&j);
	lines_close(l);
}

static void by_environment(const struct jdk *jdk)
{
	_cleanup_free_ char *variable = NULL;
	struct lines *l;
	struct jvm j;

	assert_true(asprintf(&variable, "JAVA_TOOL_OPTIONS=%s", inside_flag("quiet")) > 0);
	jvm_start_with(&j, jdk, (const char *const[]){"env", variable, NULL},
		       (const char *const[]){inside_flag("events=told"), NULL},
		       (const char *const[]){"prog.Inside", NULL});
	jvm_ready(&j);
	l = inside_read(&j);
	json_decref(inside_replay(l));
	jvm_quit(&j);
	lines_close(l);
}

/* By the environment and by a flag: one agent, with the options of both. */
static void environment_and_flag(void **state _unused_)
{
	inside_each_jdk(by_environment);
}

static void attached_late(const struct jdk *jdk)
{
	_cleanup_free_ char *said = NULL;
	struct lines *l;
	json_t *seen;
	struct jvm j;

	jvm_start(&j, jdk, NULL, (const char *const[]){"prog.Inside", NULL});
	jvm_ready(&j);
	free(jvm_ask(&j, "warm 300000"));
	jvm_settle(&j, NULL);
	said = inside_attach(&j, env_agent(), "events=told");
	assert_non_null(strstr(said, "return code: 0"));
	l = inside_read(&j);
	seen = inside_replay(l);
	assert_non_null(inside_method(seen, "prog.Inside", "outer"));
	json_decref(seen);
	jvm_quit(&j);
	lines_close(l);
}

/* Loaded into a running JVM it tells the same as from the start. */
static void attach_late_replays(void **state _unused_)
{
	inside_each_jdk(attached_late);
}

/* A child process of the JVM has none of our descriptors, and nothing else changes for it. */
static void child_process_undisturbed(void **state _unused_)
{
	_cleanup_free_ char *said = NULL;
	struct lines *l;
	struct jvm j;

	inside_start(&j, jdk_or_skip("jdk17"), "events=told");
	l = inside_read(&j);
	json_decref(inside_replay(l));
	said = jvm_ask(&j, "exec ls -l /proc/self/fd");
	assert_int_equal(strncmp(said, "0 ", 2), 0);
	assert_null(strstr(said, "socket:"));
	assert_null(strstr(said, "eventfd"));
	assert_null(strstr(said, "told"));
	free(jvm_ask(&j, "thread visitor"));
	json_decref(inside_until(l, "thread_end", "name", "visitor", NULL));
	jvm_quit(&j);
	lines_close(l);
}

/* --- mistakes ----------------------------------------------------------------------------------*/

static void refused(const struct jdk *jdk, const char *options, const char *why)
{
	_cleanup_free_ char *errors = NULL;
	struct jvm j;

	inside_start(&j, jdk, options);
	assert_int_equal(inside_connect(&j, SOCK_STREAM, ""), -ECONNREFUSED);
	assert_int_equal(inside_connect(&j, SOCK_SEQPACKET, ".control"), -ECONNREFUSED);
	assert_false(jvm_maps_has(&j, "hotprobe-"));
	free(jvm_ask(&j, "warm 1000"));
	errors = child_errors(j.c);
	if (why) {
		assert_int_equal(strncmp(errors, "hotprobe: ", 10), 0);
		assert_non_null(strstr(errors, why));
		assert_ptr_equal(strchr(errors, '\n'), errors + strlen(errors) - 1);
	} else {
		assert_string_equal(errors, "");
	}
	jvm_quit(&j);
}

static void mistakes_told(const struct jdk *jdk)
{
	refused(jdk, "event=x", "unknown option 'event=x'");
	refused(jdk, "queue=7", "bad value in 'queue=7'");
	refused(jdk, "queue=7,quiet", NULL);
}

/* A wrong option is said in one line (or none if quiet), and the JVM runs without the agent. */
static void options_wrong(void **state _unused_)
{
	inside_each_jdk(mistakes_told);
}

/* A file that cannot be written, or is none, is said in one line; the rest of the agent works. */
static void file_unusable(void **state _unused_)
{
	static const char *const options[] = {"events=/nowhere/told", "events=/dev/null",
					      "events=/proc/self/fd/1"};

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		_cleanup_free_ char *errors = NULL;
		struct lines *l;
		struct jvm j;

		inside_start(&j, jdk_or_skip("jdk17"), options[i]);
		errors = child_errors(j.c);
		assert_non_null(strstr(errors, "hotprobe: cannot write events to /"));
		l = inside_read(&j);
		json_decref(inside_replay(l));
		jvm_quit(&j);
		lines_close(l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		jvm_test(agents_side_by_side),
		jvm_test(copy_stays_out),
		jvm_test(environment_and_flag),
		jvm_test(attach_late_replays),
		jvm_test(child_process_undisturbed),
		jvm_test(options_wrong),
		jvm_test(file_unusable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
