/* SPDX-License-Identifier: MIT */
/*
 * test_badinput.c - what cannot be done is refused with one clear line and the right status, and
 * costs the target nothing.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "lib/cmocka_all.h"
#include "lib/exact.h"

#define NOBODY 65534
#define WORK   "prog.Busy.work"

static const char *const busy_flags[] = {JVM_C2, "-XX:CompileCommand=dontinline,prog.Busy::*",
					 NULL};

static void busy_start(struct jvm *j)
{
	jvm_start(j, jdk_or_skip("jdk17"), busy_flags, (const char *const[]){"prog.Busy", NULL});
	jvm_ready(j);
}

/* The JVM runs, its results are right, and nothing of ours is in it. */
static void busy_finish(struct jvm *j)
{
	char *answer = jvm_ask(j, "stop");

	if (strncmp(answer, "0 errors", 8) || jvm_maps_has(j, "memfd:hotprobe"))
		jvm_fail(j, "not unharmed: %s", answer);
	free(answer);
	jvm_check_unhurt(j);
	jvm_quit(j);
}

/* Run `hotprobe COMMAND -p PID ...` for each command that takes a PID; all must refuse it. */
static void refused_by_all(const char *pid, const char *message)
{
	static const char *const commands[][2] = {
		{"trace", WORK}, {"methods", NULL}, {"clean", NULL}};
	struct hp_result r;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		hp_run(&r, (const char *const[]){commands[i][0], "-p", pid, commands[i][1], NULL});
		if (r.status != 4)
			hp_result_check(&r, 1);
		else
			hp_result_check(&r, 4);
		if (message && !strstr(r.err, message))
			fail_msg("%s -p %s: '%s' does not say '%s'", commands[i][0], pid, r.err,
				 message);
		if (!strstr(r.err, pid))
			fail_msg("%s: '%s' does not name PID %s", commands[i][0], r.err, pid);
		hp_result_free(&r);
	}
	hp_run(&r, (const char *const[]){"check", "-p", pid, NULL});
	assert_int_equal(r.status, 4);
	hp_result_free(&r);
}

/* --- PIDs ------------------------------------------------------------------------------------- */

/* A PID that nobody has. */
static void pid_of_nobody(void **state _unused_)
{
	const char *const argv[] = {"true", NULL};
	struct child *c = child_start(argv, NULL);
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", child_pid(c));
	assert_int_equal(child_wait(c, HP_TIMEOUT_MS), 0);
	child_free(c);
	refused_by_all(pid, NULL);
}

/* A process that is no JVM. */
static void pid_of_no_jvm(void **state _unused_)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	refused_by_all(pid, NULL);
}

/* The id of a thread is not that of a process, though /proc has it. */
static void pid_of_a_thread(void **state _unused_)
{
	struct jvm j;
	char tid[16];

	busy_start(&j);
	snprintf(tid, sizeof(tid), "%d", jvm_other_thread(&j));
	refused_by_all(tid, NULL);
	busy_finish(&j);
}

/* Maps the file of argv[2] as a JVM maps libjvm.so and waits: see fake_jvm_files(). */
static int map_file(const char *path)
{
	int fd = open(path, O_RDONLY);
	char c;

	if (fd < 0 || mmap(NULL, 1 << 16, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED)
		return 1;
	puts("mapped");
	fflush(stdout);
	return read(0, &c, 1) < 0;
}

static void fake_jvm(const char *name, const void *bytes, size_t len)
{
	_cleanup_free_ char *dir = test_dir(), *path = NULL, *line = NULL;
	struct hp_result r;
	struct child *c;
	char pid[16];
	FILE *f;

	print_message("  %s of %zu bytes\n", name, len);
	assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	fclose(f);
	c = child_start((const char *const[]){"/proc/self/exe", "--map", path, NULL}, NULL);
	line = child_line(c, HP_TIMEOUT_MS);
	assert_string_equal(line, "mapped");
	snprintf(pid, sizeof(pid), "%d", child_pid(c));
	refused_by_all(pid, NULL);
	hp_run(&r, (const char *const[]){"list", "--json", NULL});
	assert_int_equal(r.status, 0);
	hp_result_free(&r);
	assert_true(child_running(c));
	child_free(c);
}

/* Programs that map a file called like a JVM's library, with anything at all inside. */
static void fake_jvm_files(void **state _unused_)
{
	uint8_t bytes[8192];
	FILE *f = fopen("/proc/self/exe", "re");

	assert_non_null(f);
	assert_int_equal(fread(bytes, 1, sizeof(bytes), f), sizeof(bytes));
	fclose(f);
	fake_jvm("libjvm.so", "", 0);
	fake_jvm("libjvm.so", "\177ELF", 4);
	fake_jvm("libjvm.so", bytes, 64);
	fake_jvm("libjvm.so", bytes, sizeof(bytes));
	fake_jvm("libj9vm29.so", bytes, sizeof(bytes));
	bytes[4] = 1; /* ELFCLASS32 */
	fake_jvm("libjvm.so", bytes, sizeof(bytes));
	memset(bytes + 64, 0xff, sizeof(bytes) - 64);
	bytes[4] = 2;
	fake_jvm("libjvm.so", bytes, sizeof(bytes));
}

/* --- SPECs and options ------------------------------------------------------------------------ */

/* A SPEC that is none: status 2, the message names the column, the target is not touched. */
static void spec_malformed(void **state _unused_)
{
	static const struct {
		const char *spec;
		int column; /* 0: any */
	} t[] = {
		{"", 0},
		{"work", 0},
		{"prog.", 0},
		{".work", 1},
		{"prog..Busy.work", 6},
		{"prog.Busy.work(", 0},
		{"prog.Busy.work(int", 0},
		{"prog.Busy.work(int,)", 0},
		{"prog.Busy.work)", 15},
		{"prog.Busy.work(int)x y", 21},
		{"prog.Busy.work(int)@", 21},
		{"prog.Busy.work(int)@x", 21},
		{"prog.Busy.wo rk", 0},
		{"prog.Busy.work(int[)", 0},
		{"prog.Busy.<work>", 0},
		{"prog.Busy.work(\x01)", 16},
	};
	struct jvm j;
	char pid[16];

	busy_start(&j);
	snprintf(pid, sizeof(pid), "%d", j.pid);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		const char *column;
		struct hp_result r;
		int at;

		hp_run(&r, (const char *const[]){"trace", "-p", pid, WORK, t[i].spec, NULL});
		hp_result_check(&r, 2);
		column = strstr(r.err, "column ");
		at = column ? atoi(column + 7) : 0;
		if (at < 1 || at > (int)strlen(t[i].spec) + 1 || (t[i].column && at != t[i].column))
			fail_msg("'%s': '%s' names no column, or not %d", t[i].spec, r.err,
				 t[i].column);
		hp_result_free(&r);
	}
	assert_false(jvm_maps_has(&j, "memfd:hotprobe"));
	busy_finish(&j);
}

/* A method that does not exist is waited for, and said so: other SPECs are traced meanwhile. */
static void spec_matches_nothing(void **state _unused_)
{
	json_t *attached, *waiting, *events = json_array();
	_cleanup_free_ char *note = NULL;
	struct child *hp;
	struct jvm j;

	busy_start(&j);
	hp = hp_trace(j.pid, (const char *const[]){"prog.Busy.noSuchMethod", WORK,
						   "no.such.Class.method(int)", NULL});
	attached = hp_attached(hp);
	waiting = json_object_get(attached, "waiting");
	assert_int_equal(json_array_size(waiting), 2);
	assert_string_equal(json_string_value(json_array_get(waiting, 0)),
			    "prog.Busy.noSuchMethod");
	assert_string_equal(json_string_value(json_array_get(waiting, 1)),
			    "no.such.Class.method(int)");
	free(jvm_ask(&j, "calls 10"));
	json_decref(hp_finish(hp, SIGINT, 0, events));
	assert_int_equal(events_count(events, "entry"), 10);
	note = child_errors(hp);
	assert_non_null(strstr(note, "prog.Busy.noSuchMethod"));
	assert_non_null(strstr(note, "no.such.Class.method(int)"));
	json_decref(attached);
	json_decref(events);
	child_free(hp);
	busy_finish(&j);
}

/* Wrong usage: status 2, something on stderr, nothing on stdout. */
static void usage_errors(void **state _unused_)
{
	static const char *const t[][8] = {
		{NULL},
		{"nosuchcommand"},
		{"--nosuchoption"},
		{"trace"},
		{"trace", WORK},
		{"trace", "-p"},
		{"trace", "-p", "1"},
		{"trace", "-p", "abc", WORK},
		{"trace", "-p", "0", WORK},
		{"trace", "-p", "-1", WORK},
		{"trace", "-p", "1x", WORK},
		{"trace", "-p", "99999999999999999999", WORK},
		{"trace", "-p", "1", "-n", "0", WORK},
		{"trace", "-p", "1", "-n", "x", WORK},
		{"trace", "-p", "1", "-d", "0", WORK},
		{"trace", "-p", "1", "-d", "1y", WORK},
		{"trace", "-p", "1", "--string-max", "4097", WORK},
		{"trace", "-p", "1", "--string-max", "-1", WORK},
		{"trace", "-p", "1", "--ring-size", "1", WORK},
		{"trace", "-p", "1", "--nosuchoption", WORK},
		{"methods"},
		{"methods", "-p", "1", "a", "b"},
		{"list", "x"},
		{"check", "x"},
		{"clean"},
		{"clean", "-p", "1", "x"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct hp_result r;

		hp_run(&r, t[i]);
		if (r.status != 2 || !*r.err || *r.out)
			fail_msg("%s %s %s ...: status %d, '%s', '%s'", t[i][0] ? t[i][0] : "",
				 t[i][0] && t[i][1] ? t[i][1] : "",
				 t[i][0] && t[i][1] && t[i][2] ? t[i][2] : "", r.status, r.out,
				 r.err);
		hp_result_free(&r);
	}
}

/* What is wrong with an option is said in one line, with its name and what it may be. */
static void option_errors_say_what_is_right(void **state _unused_)
{
	static const struct {
		const char *args[8], *said;
	} t[] = {
		{{"trace", "-p", "0", WORK},
		 "--pid must be a process id, 1 to 2147483647, not '0'"},
		{{"trace", "-p"}, "--pid needs a value"},
		{{"trace", "-p", "1", "-n", "0", WORK},
		 "--count must be a number of events, 1 or more, not '0'"},
		{{"trace", "-p", "1", "-d", "1y", WORK}, "--duration must be a time of 1ns to"},
		{{"trace", "-p", "1", "--string-max", "4097", WORK},
		 "--string-max must be a number of bytes, 0 to 4096, not '4097'"},
		{{"trace", "-p", "1", "--ring-size", "1", WORK},
		 "--ring-size must be a size of 64K to 1G, not '1'"},
		{{"trace", "-p", "1", "-i", "0", WORK},
		 "--interval must be a time of 0.1s or more"},
		{{"trace", "-p", "1", "--via", "x", WORK}, "--via must be ptrace, agent or auto"},
		{{"trace", "-p", "1", "--cuont", "3", WORK}, "did you mean '--count'?"},
		{{"trace", "-p", "1", "--cou", "3", WORK}, "'--cou' may be one of several"},
		{{"trace", "-p", "1", "--json=3", WORK}, "--json takes no value"},
		{{"methods", "-p", "1", "-Z"}, "there is no option '-Z'"},
		{{"run", "-n", "x", WORK, "--", "true"}, "--count must be a number"},
		{{"list", "--xyz"}, "there is no option '--xyz'"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct hp_result r;

		hp_run(&r, t[i].args);
		hp_result_check(&r, 2);
		if (!strstr(r.err, t[i].said))
			fail_msg("not '%s': '%s'", t[i].said, r.err);
		hp_result_free(&r);
	}
}

/* --help explains each command, with an example. */
static void help_of_each_command(void **state _unused_)
{
	static const char *const commands[] = {"check", "list", "methods", "trace", "clean"};
	struct hp_result r, all;

	hp_run(&all, (const char *const[]){"--help", NULL});
	assert_int_equal(all.status, 0);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		hp_run(&r, (const char *const[]){commands[i], "--help", NULL});
		assert_int_equal(r.status, 0);
		assert_non_null(strstr(r.out, "Example"));
		assert_non_null(strstr(all.out, commands[i]));
		hp_result_free(&r);
	}
	hp_result_free(&all);
}

/* --- output ----------------------------------------------------------------------------------- */

/* Text that JSON cannot carry as UTF-8 is shown in text mode too: one line a call, no error. */
static void text_output_of_any_string(void **state _unused_)
{
	const char *const flags[] = {JVM_C1, "-XX:CompileCommand=dontinline,prog.Target::*", NULL};
	size_t lines = 0, calls;
	struct child *hp;
	struct jvm j;
	char pid[16], *text, *err;
	json_t *want;

	jvm_start(&j, jdk_or_skip("jdk17"), flags, (const char *const[]){"prog.Args", NULL});
	jvm_ready(&j);
	snprintf(pid, sizeof(pid), "%d", j.pid);
	hp = hp_start((const char *const[]){"trace", "-p", pid, "prog.Target.one",
					    "prog.Target.fixed", NULL});
	do {
		err = child_error_line(hp, HP_TIMEOUT_MS);
		assert_non_null(err);
		calls = strstr(err, "attached") != NULL;
		free(err);
	} while (!calls);
	free(jvm_ask(&j, "texts"));
	child_signal(hp, SIGINT);
	assert_int_equal(child_wait(hp, HP_TIMEOUT_MS), 0);
	want = json_file(j.rec);
	calls = json_array_size(want);
	text = child_text(hp);
	err = child_errors(hp);
	for (char *p = text; *p; p++) {
		lines += *p == '\n';
		if ((*p >= 0 && *p < ' ' && *p != '\n') || *p == 0x7f)
			fail_msg("control character %#x reached the terminal", *p);
	}
	if (lines != calls || strstr(err, "error"))
		jvm_fail(&j, "%zu calls, %zu lines; '%s'", calls, lines, err);
	free(text);
	free(err);
	json_decref(want);
	child_free(hp);
	jvm_quit(&j);
}

/* A file that cannot be opened is refused before anything is touched. */
static void output_cannot_be_opened(void **state _unused_)
{
	struct hp_result r;
	struct jvm j;
	char pid[16];

	busy_start(&j);
	snprintf(pid, sizeof(pid), "%d", j.pid);
	hp_run(&r, (const char *const[]){"trace", "-p", pid, "-o", "/no/such/dir/f", WORK, NULL});
	hp_result_check(&r, 1);
	hp_result_free(&r);
	busy_finish(&j);
}

/* A full disk ends the trace, with status 1 and a restored target; it is not ignored. */
static void output_to_full_disk(void **state _unused_)
{
	struct child *hp;
	struct jvm j;
	char pid[16];

	busy_start(&j);
	snprintf(pid, sizeof(pid), "%d", j.pid);
	hp = hp_start(
		(const char *const[]){"trace", "-p", pid, "--json", "-o", "/dev/full", WORK, NULL});
	for (int i = 0; i < 100 && child_running(hp); i++)
		free(jvm_ask(&j, "calls 1000"));
	assert_int_equal(child_wait(hp, HP_TIMEOUT_MS), 1);
	child_free(hp);
	busy_finish(&j);
}

/* What would be written goes nowhere else: not into a socket that got the number of stdout. */
static void output_is_closed(void **state _unused_)
{
	_cleanup_free_ char *command = NULL, *said = NULL;
	struct child *sh;

	assert_true(asprintf(&command, "%s check 2>&1 >&-", env_bin()) > 0);
	sh = child_start((const char *const[]){"sh", "-c", command, NULL}, NULL);
	said = child_line(sh, HP_TIMEOUT_MS);
	assert_non_null(said);
	assert_string_equal(said, "hotprobe: error: cannot write stdout: Bad file descriptor");
	assert_int_equal(child_wait(sh, HP_TIMEOUT_MS), 1);
	child_free(sh);
}

/* `hotprobe trace ... | head -1`: the reader goes away, hotprobe detaches and ends. */
static void output_reader_goes_away(void **state _unused_)
{
	_cleanup_free_ char *command = NULL, *first = NULL;
	struct child *sh;
	struct jvm j;

	busy_start(&j);
	assert_true(asprintf(&command, "%s trace -p %d --json %s | head -1", env_bin(), j.pid,
			     WORK) > 0);
	sh = child_start((const char *const[]){"sh", "-c", command, NULL}, NULL);
	first = child_line(sh, HP_TIMEOUT_MS);
	assert_non_null(first);
	assert_non_null(strstr(first, "attached"));
	for (int i = 0; i < 1000 && child_running(sh); i++)
		free(jvm_ask(&j, "calls 100"));
	assert_int_not_equal(child_wait(sh, HP_TIMEOUT_MS), CHILD_TIMEOUT);
	child_free(sh);
	busy_finish(&j);
}

/* --- who may ---------------------------------------------------------------------------------- */

static void copy_file(const char *from, const char *to)
{
	_cleanup_free_ char *command = NULL;
	struct child *c;

	assert_true(asprintf(&command, "cp -r %s %s && chmod -R a+rX %s", from, to, to) > 0);
	c = child_start((const char *const[]){"sh", "-c", command, NULL}, NULL);
	assert_int_equal(child_wait(c, HP_TIMEOUT_MS), 0);
	child_free(c);
}

/* A user without privileges gets one line and status 4 (1 where the kernel hides the process). */
static void user_without_privileges(void **state _unused_)
{
	_cleanup_free_ char *dir = test_dir(), *bin = NULL, *err = NULL;
	struct child *c;
	struct jvm j;
	char pid[16], none[] = "";
	int status;

	test_needs_root();
	assert_true(asprintf(&bin, "%s/hotprobe", dir) > 0);
	copy_file(env_bin(), bin);
	busy_start(&j);
	snprintf(pid, sizeof(pid), "%d", j.pid);
	c = child_start((const char *const[]){bin, "trace", "-p", pid, WORK, NULL},
			&(struct child_opts){.uid = NOBODY, .cwd = "/"});
	status = child_wait(c, HP_TIMEOUT_MS);
	err = child_errors(c);
	hp_result_check(&(struct hp_result){.status = status, .out = none, .err = err},
			status == 1 ? 1 : 4);
	child_free(c);
	c = child_start((const char *const[]){bin, "check", NULL},
			&(struct child_opts){.uid = NOBODY, .cwd = "/"});
	assert_int_equal(child_wait(c, HP_TIMEOUT_MS), 4);
	child_free(c);
	busy_finish(&j);
}

/* Root traces another user's JVM; that user's own files and limits do not matter. */
static void target_of_another_user(void **state _unused_)
{
	const char *const prefix[] = {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
				      NULL};
	_cleanup_free_ char *dir = test_dir(), *classes = NULL;
	json_t *events = json_array();
	struct child *hp;
	struct jvm j;

	test_needs_root();
	assert_true(asprintf(&classes, "%s/classes", dir) > 0);
	copy_file(env_classes(), classes);
	jvm_start_with(&j, jdk_or_skip("jdk17"), prefix, busy_flags,
		       (const char *const[]){"-cp", classes, "prog.Busy", NULL});
	jvm_ready(&j);
	hp = hp_trace(j.pid, (const char *const[]){WORK, NULL});
	json_decref(hp_attached(hp));
	free(jvm_ask(&j, "calls 50"));
	json_decref(hp_finish(hp, SIGINT, 0, events));
	assert_int_equal(events_count(events, "entry"), 50);
	json_decref(events);
	child_free(hp);
	busy_finish(&j);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		jvm_test(pid_of_nobody),
		jvm_test(pid_of_no_jvm),
		jvm_test(pid_of_a_thread),
		jvm_test(fake_jvm_files),
		jvm_test(spec_malformed),
		jvm_test(spec_matches_nothing),
		jvm_test(usage_errors),
		jvm_test(option_errors_say_what_is_right),
		jvm_test(help_of_each_command),
		jvm_test(text_output_of_any_string),
		jvm_test(output_cannot_be_opened),
		jvm_test(output_to_full_disk),
		jvm_test(output_is_closed),
		jvm_test(output_reader_goes_away),
		jvm_test(user_without_privileges),
		jvm_test(target_of_another_user),
	};

	if (argc == 3 && !strcmp(argv[1], "--map"))
		return map_file(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
