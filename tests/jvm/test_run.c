// SPDX-License-Identifier: MIT
/*
 * test_run.c - `hotprobe run`: a command and the JVMs that come of it, traced from their first
 * compiled method on; the command itself is as it would be without us.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "lib/cmocka_all.h"
#include "lib/exact.h"

#define STEP	   "prog.Run.step"
#define RUN_MAX	   32
#define SLOW_CALLS 20 /* made by "slow 20" */
#define BURST	   500
#define TRIES_MAX  20

/* A method is compiled at its first call, and by one compiler only. */
#define ONE_COMPILE                                                                                \
	"-Xcomp", "-XX:-TieredCompilation", "-XX:CompileCommand=quiet",                            \
		"-XX:CompileCommand=compileonly,prog.Run::step"

struct launch {
	struct child *hp;
	char *dir, *events; /* where its JSON goes: its stdout is the command's */
};

/* hotprobe run @options... prog.Run.step -- @command... */
static void launch(struct launch *l, const char *const *options, const char *const *command,
		   const char *const *env)
{
	const char *argv[RUN_MAX] = {env_bin(), "run", "--json", "-o"};
	size_t n = 4;

	l->dir = test_dir();
	if (asprintf(&l->events, "%s/events", l->dir) < 0)
		abort();
	argv[n++] = l->events;
	for (; options && *options && n < RUN_MAX - 3; options++)
		argv[n++] = *options;
	argv[n++] = STEP;
	argv[n++] = "--";
	for (; *command; command++) {
		assert_true(n < RUN_MAX - 1);
		argv[n++] = *command;
	}
	l->hp = child_start(argv, &(struct child_opts){.cwd = l->dir, .env = env});
}

static void launch_java(struct launch *l, const struct jdk *jdk, const char *const *options,
			const char *const *env)
{
	launch(l, options,
	       (const char *const[]){jdk->java, "-cp", env_classes(), ONE_COMPILE, "prog.Run",
				     "main", NULL},
	       env);
}

static char *expect(struct launch *l, const char *word)
{
	for (;;) {
		char *line = child_line(l->hp, HP_TIMEOUT_MS);

		if (!line)
			hp_fail(l->hp, "the command says no '%s'", word);
		if (!strncmp(line, word, strlen(word))) {
			memmove(line, line + strlen(word), strlen(line + strlen(word)) + 1);
			return line;
		}
		free(line);
	}
}

static char *ask(struct launch *l, const char *command)
{
	child_send(l->hp, command);
	return expect(l, "DONE ");
}

/* Wait for the command's end and that of hotprobe. Return: every object that it wrote. */
static json_t *finish(struct launch *l, int status)
{
	int got = child_wait(l->hp, HP_TIMEOUT_MS);
	json_t *events;

	if (got != status)
		hp_fail(l->hp, "exit status %d for %d", got, status);
	events = json_file(l->events);
	child_free(l->hp);
	free(l->events);
	free(l->dir);
	return events;
}

static size_t count(const json_t *events, const char *event, long pid)
{
	size_t i, n = 0;
	json_t *o;

	json_array_foreach (events, i, o)
		n += !strcmp(json_text(o, "event"), event) &&
		     (!pid || json_integer_value(json_object_get(o, "pid")) == pid);
	return n;
}

static long number_of(const json_t *entry)
{
	json_t *arg = json_array_get(json_object_get(entry, "args"), 0);

	return (long)json_integer_value(json_object_get(arg, "value"));
}

/* Is a call of @pid in its file? The last line there may not be whole yet. */
static bool is_seen(const struct launch *l, long pid)
{
	_cleanup_fclose_ FILE *f = fopen(l->events, "re");
	_cleanup_free_ char *line = NULL;
	char key[32];
	size_t cap = 0;

	snprintf(key, sizeof(key), "\"pid\":%ld,", pid);
	while (f && getline(&line, &cap, f) > 0)
		if (strstr(line, "\"event\":\"entry\"") && strstr(line, key))
			return true;
	return false;
}

/* The PID of a command that is a JVM, as it says itself. */
static long expect_ready(struct launch *l)
{
	_cleanup_free_ char *pid = expect(l, "READY ");

	return strtol(pid, NULL, 10);
}

/*
 * Let @pid, which is the command, call until its method is probed and a call is seen: from then on
 * each one is. Return: how many calls were made.
 */
static size_t call_until_seen(struct launch *l, long pid)
{
	uint64_t deadline = mono_ms() + HP_TIMEOUT_MS;
	size_t made;

	for (made = 0; !is_seen(l, pid); made += SLOW_CALLS) {
		if (mono_ms() > deadline)
			hp_fail(l->hp, "no call is seen");
		free(ask(l, "slow 20"));
	}
	return made;
}

/* Nanoseconds of its wall clock between the first event and the first entry. */
static long long held_ns(const json_t *events)
{
	size_t i;
	json_t *o;

	json_array_foreach (events, i, o)
		if (!strcmp(json_text(o, "event"), "entry"))
			return json_integer_value(json_object_get(o, "ts")) -
			       json_integer_value(json_object_get(json_array_get(events, 0), "ts"));
	return 0;
}

/* What must be so however busy the machine is. Return: how many of the @made first calls were seen.
 */
static size_t check_first_compile(const json_t *events, long pid, size_t made)
{
	size_t k, entries = 0, all = count(events, "entry", pid), slow;
	json_t *o = json_array_get(events, 0);

	assert_int_equal(count(events, "attached", pid), 1);
	assert_int_equal(count(events, "detached", pid), 1);
	assert_string_equal(json_text(o, "event"), "attached");
	assert_int_equal(json_integer_value(json_object_get(o, "methods")), 0);
	assert_int_equal(count(events, "probed", pid), 1);
	assert_in_range(all, BURST + 1, BURST + made);
	slow = all - BURST;
	json_array_foreach (events, k, o) {
		if (strcmp(json_text(o, "event"), "entry"))
			continue;
		if (entries++ >= slow)
			assert_int_equal(number_of(o), (long)(entries - 1 - slow));
	}
	return slow;
}

/* Return: was it quick? All but the first 50 ms seen, and not held for the agent's ten seconds. */
static bool traced_from_first_compile(const struct jdk *jdk)
{
	struct launch l;
	json_t *events;
	size_t made, slow;
	bool quick;
	long pid;

	launch_java(&l, jdk, NULL, NULL);
	pid = expect_ready(&l);
	made = call_until_seen(&l, pid);
	free(ask(&l, "calls 500"));
	free(ask(&l, "property java.home"));
	child_close_stdin(l.hp);
	events = finish(&l, 0);
	slow = check_first_compile(events, pid, made);
	quick = made - slow <= 5 && held_ns(events) < 5 * (long long)NSEC_PER_SEC;
	if (!quick)
		print_message("    %zu of %zu first calls, %lld ms after it was attached to\n",
			      slow, made, held_ns(events) / (long long)NSEC_PER_MSEC);
	json_decref(events);
	return quick;
}

/*
 * Attached before anything is compiled; calls some milliseconds after the first are seen, and then
 * every one, on every JDK. A busy machine may make it late; but not each time.
 */
static void run_traces_from_first_compile(void **state _unused_)
{
	const struct jdk *jdks;
	size_t n = jdks_get(&jdks);

	for (size_t i = 0; i < n; i++) {
		int tries = 0;

		if (jdks[i].altered)
			continue;
		print_message("  %s\n", jdks[i].name);
		while (!traced_from_first_compile(&jdks[i]))
			if (++tries == TRIES_MAX)
				fail_msg("%s: too late, each time", jdks[i].name);
	}
}

/* The exit status is the command's own, whatever it is. */
static void run_exit_status_is_the_commands(void **state _unused_)
{
	static const struct {
		const char *const command[4];
		int status;
	} cases[] = {
		{{"true", NULL}, 0},
		{{"sh", "-c", "exit 7", NULL}, 7},
		{{"sh", "-c", "kill -9 $$", NULL}, 128 + SIGKILL},
		{{"/nonexistent/java", NULL}, 127},
		{{"/etc/passwd", NULL}, 126},
	};
	struct launch l;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		launch(&l, NULL, cases[i].command, NULL);
		json_decref(finish(&l, cases[i].status));
	}
	launch_java(&l, jdk_or_skip("jdk17"), NULL, NULL);
	free(expect(&l, "READY "));
	child_send(l.hp, "exit 42");
	json_decref(finish(&l, 42));
}

/* A script that starts a JVM; what JAVA_TOOL_OPTIONS held before still holds. */
static void run_script_keeps_tool_options(void **state _unused_)
{
	const struct jdk *jdk = jdk_or_skip("jdk17");
	_cleanup_free_ char *script = NULL;
	struct launch l;
	json_t *events;
	char *kept;

	if (asprintf(&script, "echo before; %s -cp %s prog.Run main; exit 3", jdk->java,
		     env_classes()) < 0)
		abort();
	launch(&l, NULL, (const char *const[]){"sh", "-c", script, NULL},
	       (const char *const[]){"JAVA_TOOL_OPTIONS=-Dkept=yes '-Dblank=a b'", NULL});
	free(expect(&l, "before"));
	free(expect(&l, "READY "));
	kept = ask(&l, "property kept");
	assert_string_equal(kept, "yes");
	free(kept);
	kept = ask(&l, "property blank");
	assert_string_equal(kept, "a b");
	free(kept);
	child_close_stdin(l.hp);
	events = finish(&l, 3);
	assert_int_equal(count(events, "attached", 0), 1);
	json_decref(events);
}

/* PIDs of the JVMs that were attached to. */
static size_t attached_pids(const json_t *events, long pids[static 2])
{
	size_t i, n = 0;
	json_t *o;

	json_array_foreach (events, i, o)
		if (!strcmp(json_text(o, "event"), "attached") && n++ < 2)
			pids[n - 1] = (long)json_integer_value(json_object_get(o, "pid"));
	return n;
}

/* The number of the last call that @pid was seen to make. */
static long last_seen(const json_t *events, long pid)
{
	long seen = -1;
	size_t i;
	json_t *o;

	json_array_foreach (events, i, o)
		if (!strcmp(json_text(o, "event"), "entry") &&
		    json_integer_value(json_object_get(o, "pid")) == pid)
			seen = number_of(o);
	return seen;
}

#define CHILD_MS    300
#define CHILD_TRIES 5

/* Return: false if the child's time was up before its method could be probed. */
static bool children_traced(const char *const *options, int child_ms)
{
	_cleanup_free_ char *start = NULL, *last = NULL, *status = NULL;
	struct launch l;
	json_t *events;
	long pids[2] = {0}, seen, pid;
	size_t before;

	launch_java(&l, jdk_or_skip("jdk17"), options, NULL);
	pid = expect_ready(&l);
	assert_true(asprintf(&start, "start -Dx=y child %d", child_ms) > 0);
	child_send(l.hp, start);
	last = expect(&l, "LAST ");
	status = expect(&l, "DONE ");
	assert_string_equal(status, "0");
	before = call_until_seen(&l, pid);
	free(ask(&l, "slow 20"));
	child_close_stdin(l.hp);
	events = finish(&l, 0);
	assert_int_equal(attached_pids(events, pids), options ? 1 : 2);
	assert_int_equal(pids[0], pid);
	assert_in_range(count(events, "entry", pids[0]), SLOW_CALLS, before + SLOW_CALLS);
	if (!options)
		assert_int_equal(count(events, "detached", pids[1]), 1);
	seen = last_seen(events, pids[1]);
	/* Its very last records may have been lost to a full ring, and that is said. */
	if (!options && seen >= 0 && !count(events, "lost", pids[1]))
		assert_int_equal(seen, strtol(last, NULL, 10));
	json_decref(events);
	return options || seen >= 0;
}

/* A JVM that a traced JVM starts is traced as well, under its own PID; or with an option, not. */
static void run_children(void **state _unused_)
{
	static const char *const no_children[] = {"--no-children", NULL};

	for (int without = 0; without < 2; without++) {
		int tries = 0;

		while (!children_traced(without ? no_children : NULL, CHILD_MS << tries))
			assert_true(++tries < CHILD_TRIES);
	}
}

#define SIBLINGS 5

/*
 * JVMs that overlap and follow each other, as start scripts have them: each is traced, and the end
 * of each is seen although others were forked meanwhile.
 */
static void run_jvms_overlap(void **state _unused_)
{
	const struct jdk *jdk = jdk_or_skip("jdk17");
	_cleanup_free_ char *java = NULL, *script = NULL;
	struct launch l;
	json_t *events;

	if (asprintf(&java,
		     "%s -cp %s -Xcomp -XX:-TieredCompilation -XX:CompileCommand=quiet "
		     "-XX:CompileCommand=compileonly,prog.Run::step prog.Run",
		     jdk->java, env_classes()) < 0 ||
	    asprintf(&script, "%s a 900 & %s b 600 & %s c 300; %s d 1; %s e 1; wait; exit 5", java,
		     java, java, java, java) < 0)
		abort();
	launch(&l, NULL, (const char *const[]){"sh", "-c", script, NULL}, NULL);
	events = finish(&l, 5);
	assert_int_equal(count(events, "attached", 0), SIBLINGS);
	assert_int_equal(count(events, "detached", 0), SIBLINGS);
	json_decref(events);
}

/* Let the command call until this many lines begin with @head. */
static void call_until_said(struct launch *l, const char *head, int lines)
{
	uint64_t deadline = mono_ms() + HP_TIMEOUT_MS;

	child_send(l->hp, "slow 20");
	while (lines) {
		_cleanup_free_ char *line = child_line(l->hp, HP_TIMEOUT_MS);

		if (!line || mono_ms() > deadline)
			hp_fail(l->hp, "too few lines begin with '%s'", head);
		lines -= !strncmp(line, head, strlen(head));
		if (!strncmp(line, "DONE ", 5))
			child_send(l->hp, "slow 20");
	}
	free(expect(l, "DONE "));
}

/* Text: each call says which JVM made it. */
static void run_text_names_the_jvm(void **state _unused_)
{
	const struct jdk *jdk = jdk_or_skip("jdk17");
	char *errors, *text, head[32];
	struct child *hp;
	struct launch l = {0};

	hp = child_start((const char *const[]){env_bin(), "run", "-n", "3", STEP, "--", jdk->java,
					       "-cp", env_classes(), ONE_COMPILE, "prog.Run",
					       "main", NULL},
			 NULL);
	l.hp = hp;
	snprintf(head, sizeof(head), "%ld ", expect_ready(&l));
	call_until_said(&l, head, 3);
	child_close_stdin(hp);
	assert_int_equal(child_wait(hp, HP_TIMEOUT_MS), 0);
	text = child_text(hp);
	errors = child_errors(hp);
	assert_null(strstr(text, STEP));
	assert_non_null(strstr(errors, "attached to PID "));
	assert_non_null(strstr(errors, "(count): 3 calls"));
	free(text);
	free(errors);
	child_free(hp);
}

/* SIGTERM is for the command: it ends as it would, and so does hotprobe. */
static void run_passes_signals_on(void **state _unused_)
{
	struct launch l;
	json_t *events;

	launch_java(&l, jdk_or_skip("jdk17"), NULL, NULL);
	call_until_seen(&l, expect_ready(&l));
	child_signal(l.hp, SIGTERM);
	events = finish(&l, 128 + SIGTERM);
	assert_int_equal(count(events, "detached", 0), 1);
	json_decref(events);
}

/* Where we may not trace, the command runs as if we were not there, and we say so. */
static void run_without_privileges(void **state _unused_)
{
	const struct jdk *jdk = jdk_or_skip("jdk17");
	struct launch l = {0};
	char *errors, *sum;

	l.hp = child_start((const char *const[]){env_bin(), "run", STEP, "--", jdk->java, "-cp",
						 env_classes(), "prog.Run", "main", NULL},
			   &(struct child_opts){.uid = 65534});
	free(expect(&l, "READY "));
	sum = ask(&l, "calls 1000");
	assert_string_equal(sum, "503500");
	free(sum);
	child_close_stdin(l.hp);
	assert_int_equal(child_wait(l.hp, HP_TIMEOUT_MS), 0);
	errors = child_errors(l.hp);
	assert_non_null(strstr(errors, "hotprobe: error: "));
	free(errors);
	child_free(l.hp);
}

/* The command may be another user's, and is then traced all the same. */
static void run_as_other_user(void **state _unused_)
{
	struct launch l;
	json_t *events;
	struct stat st;
	char path[64];
	size_t before;
	long pid;

	test_needs_root();
	launch_java(&l, jdk_or_skip("jdk17"), (const char *const[]){"--user", "nobody", NULL},
		    NULL);
	pid = expect_ready(&l);
	snprintf(path, sizeof(path), "/proc/%ld", pid);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 65534);
	before = call_until_seen(&l, pid);
	free(ask(&l, "slow 20"));
	child_close_stdin(l.hp);
	events = finish(&l, 0);
	assert_in_range(count(events, "entry", 0), SLOW_CALLS, before + SLOW_CALLS);
	json_decref(events);
}

/* Which way an "attached" event says was taken into @j. */
static void check_via(struct jvm *j, const char *option, const char *via)
{
	const char *const args[] = {STEP, option, NULL};
	struct child *hp = hp_trace(j->pid, args);
	json_t *attached = hp_attached(hp);

	assert_string_equal(json_text(attached, "via"), via);
	json_decref(attached);
	json_decref(hp_finish(hp, SIGINT, 0, NULL));
	child_free(hp);
}

/* An agent that the variable has brought is found and used; where there is none, ptrace is. */
static void trace_finds_the_agent(void **state _unused_)
{
	char variable[PATH_MAX + 64];

	snprintf(variable, sizeof(variable), "JAVA_TOOL_OPTIONS=-agentpath:%s=quiet", env_agent());
	for (int with = 0; with < 2; with++) {
		struct jvm j;

		jvm_start_with(&j, jdk_or_skip("jdk17"),
			       (const char *const[]){"env", with ? variable : "UNUSED=", NULL},
			       NULL, (const char *const[]){"prog.Run", "main", NULL});
		jvm_ready(&j);
		check_via(&j, NULL, with ? "agent" : "ptrace");
		check_via(&j, "--via=ptrace", "ptrace");
		check_via(&j, "--via=auto", with ? "agent" : "ptrace");
		jvm_quit(&j);
		jvm_free(&j);
	}
}

/* What `run` says of @command on stderr, as a text; the command's exit status must be 0. */
static char *run_says(const char *command)
{
	struct hp_result r;

	hp_run(&r, (const char *const[]){"run", STEP, "--", "sh", "-c", command, NULL});
	if (r.status)
		fail_msg("%s: exit status %d: %s", command, r.status, r.err);
	free(r.out);
	return r.err;
}

static void check_says(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in '%s'", part, text);
}

/*
 * As a JVM whose library is @path looks from outside, for some time; and for some of that, its
 * child that is about to execute something, and does not come to it.
 */
static int pretend(const char *path, const char *ms)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	prctl(PR_SET_NAME, "VM Thread");
	if (fd < 0 || mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED)
		return 1;
	if (!fork()) {
		prctl(PR_SET_NAME, "process reaper");
		poll(NULL, 0, atoi(ms) / 2);
		_exit(0);
	}
	poll(NULL, 0, atoi(ms));
	wait(NULL);
	return 0;
}

/* "DIR/NAME", an empty library, which this very program maps: a command for pretend(). */
static char *pretender(const char *dir, const char *name)
{
	char *command, exe[PATH_MAX] = "";

	assert_true(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
	assert_true(asprintf(&command, "%s/%s", dir, name) > 0);
	fclose(fopen(command, "w"));
	free(command);
	assert_true(asprintf(&command, "%s --pretend %s/%s 3000", exe, dir, name) > 0);
	return command;
}

/*
 * Each JVM that comes of the command is accounted for, also those that the agent does not get into:
 * it is traced, or why not. So is a command of which none comes.
 */
static void run_accounts_for_each_jvm(void **state _unused_)
{
	_cleanup_free_ char *dir = test_dir(), *hotspot = pretender(dir, "libjvm.so"),
			    *openj9 = pretender(dir, "libj9vm29.so"), *command = NULL;
	const char *java = jdk_or_skip("jdk17")->java;
	char *said;

	assert_true(asprintf(&command,
			     "env -i %s -cp %s prog.Run child 2000 & %s -cp %s prog.Run child 10 & "
			     "unshare -n %s & %s & wait",
			     java, env_classes(), java, env_classes(), hotspot, openj9) > 0);
	said = run_says(command);
	check_says(said, "not traced: its environment lacks our JAVA_TOOL_OPTIONS");
	check_says(said, "not traced: it is in another network namespace");
	check_says(said, "not traced: it is a 64-bit openj9 JVM: only HotSpot");
	check_says(said, "attached to PID ");
	check_says(said, "warning: 4 JVMs came of the command: 1 traced, 3 not traced\n");
	free(said);
	said = run_says("true");
	check_says(said, "warning: no JVM of the command was seen: nothing was traced\n");
	free(said);
}

/* The address of the one socket of @hp that agents connect to, from the list that anybody may read.
 */
static socklen_t find_door(pid_t hp, struct sockaddr_un *ret)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/net/unix", "re");
	_cleanup_free_ char *line = NULL;
	char key[64], *p = NULL;
	size_t cap = 0, len;

	snprintf(key, sizeof(key), "@hotprobe.run.%d.", hp);
	while (f && !p && getline(&line, &cap, f) > 0)
		p = strstr(line, key);
	assert_non_null(p);
	len = strcspn(p, "\n");
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(ret->sun_path + 1, p + 1, len - 1);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

/* Whoever knocks at the socket of `run` without coming of its command gets nothing for it. */
static void run_heeds_no_strangers(void **state _unused_)
{
	_cleanup_free_ char *script = NULL, *errors = NULL;
	const char *java = jdk_or_skip("jdk17")->java;
	struct sockaddr_un sa;
	struct child *hp;
	socklen_t len;
	pid_t pids[8];
	size_t before;
	int fds[300];

	assert_true(asprintf(&script, "echo up; read x; exec %s -cp %s prog.Run child 10", java,
			     env_classes()) > 0);
	hp = hp_start((const char *const[]){"run", STEP, "--", "sh", "-c", script, NULL});
	free(child_line(hp, HP_TIMEOUT_MS));
	before = child_descendants(child_pid(hp), pids, ARRAY_SIZE(pids));
	len = find_door(child_pid(hp), &sa);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(fds[i], (struct sockaddr *)&sa, len), 0);
	}
	free(child_error_line(hp, HP_TIMEOUT_MS)); /* it has taken the first */
	/* No more processes than before: the command, and whoever writes. */
	assert_int_equal(child_descendants(child_pid(hp), pids, ARRAY_SIZE(pids)), before);
	child_send(hp, "go");
	assert_int_equal(child_wait(hp, HP_TIMEOUT_MS), 0);
	errors = child_errors(hp);
	check_says(errors, "warning: 300 connections did not come of the command\n");
	check_says(errors, "hotprobe: 1 JVM came of the command: 1 traced, 0 not traced\n");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	child_free(hp);
}

/* Run a JVM, as nobody if @nobodys, by a copy of hotprobe in a new folder of this name and mode. */
static void run_from(struct hp_result *r, const char *folder, mode_t mode, bool nobodys)
{
	_cleanup_free_ char *dir = test_dir(), *path = NULL, *bin = NULL;
	const char *const env[] = {"JAVA_TOOL_OPTIONS=-Dkept='a b'", NULL};
	const char *const java = jdk_or_skip("jdk17")->java;
	struct child *c;

	assert_int_equal(chmod(dir, 0755), 0);
	if (asprintf(&path, "%s/%s", dir, folder) < 0 || asprintf(&bin, "%s/hotprobe", path) < 0)
		abort();
	assert_int_equal(mkdir(path, mode), 0);
	c = child_start((const char *const[]){"cp", env_bin(), env_agent(), path, NULL}, NULL);
	assert_int_equal(child_wait(c, HP_TIMEOUT_MS), 0);
	child_free(c);
	c = child_start((const char *const[]){bin, "run", "-v", STEP, "--", "setpriv",
					      nobodys ? "--reuid=65534" : "--reuid=0",
					      "--clear-groups", java, "-XshowSettings:properties",
					      "-cp", env_classes(), "prog.Run", "main", "200",
					      NULL},
			&(struct child_opts){.env = env});
	*r = (struct hp_result){.status = child_wait(c, HP_TIMEOUT_MS),
				.out = child_text(c),
				.err = child_errors(c)};
	child_free(c);
}

/* The path of the copy that JVMs load, if there was one, from what `run -v` says. To be freed. */
static char *copied_to(const char *said)
{
	static const char key[] = "load a copy of the agent, ";
	const char *p = strstr(said, key);

	return p ? strndup(p + strlen(key), strcspn(p + strlen(key), "\n")) : NULL;
}

/*
 * Whatever the folder is called, and whoever may enter it, JVMs find the agent. Where its path
 * cannot be written for a JVM, or a JVM's user cannot read it, they find a copy, of which nothing
 * stays.
 */
static void run_from_any_folder(void **state _unused_)
{
	static const struct {
		const char *name;
		mode_t mode;
		bool nobodys, copy;
	} cases[] = {
		{"q'\"r", 0755, true, false}, {"s p,\\\n%p", 0755, false, false},
		{"a=b", 0755, true, true},    {"$ORIGIN", 0755, false, true},
		{"hidden", 0700, true, true},
	};

	test_needs_root();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *copy = NULL;
		struct hp_result r;

		run_from(&r, cases[i].name, cases[i].mode, cases[i].nobodys);
		if (r.status)
			fail_msg("from '%s': %s", cases[i].name, r.err);
		check_says(r.err, "kept = a b");
		check_says(r.err, "attached to PID ");
		copy = copied_to(r.err);
		assert_int_equal(copy != NULL, cases[i].copy);
		if (copy)
			assert_int_equal(access(copy, F_OK), -1);
		hp_result_free(&r);
	}
}

/* Wrong usage is said in one line and nothing is started. */
static void run_wrong_usage(void **state _unused_)
{
	static const char *const bad[][6] = {
		{"run", NULL},
		{"run", STEP, NULL},
		{"run", STEP, "--", NULL},
		{"run", "--", "true", NULL},
		{"run", "-p", "1", STEP, NULL},
		{"run", "--user", "no such user", STEP, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct hp_result r;

		hp_run(&r, bad[i]);
		hp_result_check(&r, 2);
		hp_result_free(&r);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		jvm_test(run_traces_from_first_compile),
		jvm_test(run_exit_status_is_the_commands),
		jvm_test(run_script_keeps_tool_options),
		jvm_test(run_children),
		jvm_test(run_jvms_overlap),
		jvm_test(run_text_names_the_jvm),
		jvm_test(run_passes_signals_on),
		jvm_test(run_without_privileges),
		jvm_test(run_as_other_user),
		jvm_test(run_from_any_folder),
		jvm_test(run_accounts_for_each_jvm),
		jvm_test(run_heeds_no_strangers),
		jvm_test(run_wrong_usage),
		jvm_test(trace_finds_the_agent),
	};

	if (argc == 4 && !strcmp(argv[1], "--pretend"))
		return pretend(argv[2], argv[3]);
	return cmocka_run_group_tests_name("run", tests, NULL, NULL);
}
