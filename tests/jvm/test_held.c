// SPDX-License-Identifier: MIT
/*
 * test_held.c - a JVM that somebody else holds, a debugger or a frozen cgroup, is left alone: one
 * line says who holds it and what to do, whichever way was asked for, at the attach, at the detach
 * and by `clean`; and when it is let go, all is put in order.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/cmocka_all.h"
#include "lib/exact.h"

#define WORK	    "prog.Busy.work"
#define DEBUGGER    "some-debugger"
#define THREADS_MAX 256

static const char *const ways[][3] = {
	{NULL}, {"--via", "ptrace", NULL}, {"--via", "auto", NULL}, {"--via", "agent", NULL}};

static char pid_arg[16];

static void start(struct jvm *j)
{
	const char *const flags[] = {JVM_C2, "-XX:CompileCommand=dontinline,prog.Busy::*", NULL};

	jvm_start(j, jdk_or_skip("jdk17"), flags, (const char *const[]){"prog.Busy", NULL});
	jvm_ready(j);
	free(jvm_ask(j, "calls 20000"));
	snprintf(pid_arg, sizeof(pid_arg), "%d", j->pid);
}

/* --- a debugger ------------------------------------------------------------------------------- */

struct debugger {
	pid_t pid;
	int go[2]; /* closed: let it go */
};

static void debug(const pid_t *tids, size_t n, int ready, int go)
{
	char c;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, DEBUGGER);
	for (size_t i = 0; i < n; i++)
		if (!ptrace(PTRACE_SEIZE, tids[i], 0, 0) &&
		    !ptrace(PTRACE_INTERRUPT, tids[i], 0, 0))
			waitpid(tids[i], NULL, __WALL);
	if (write(ready, "x", 1) == 1 && read(go, &c, 1) >= 0)
		_exit(0);
	_exit(1);
}

/* Holds all threads of the JVM, in its own process. */
static void debugger_hold(struct debugger *d, struct jvm *j)
{
	pid_t tids[THREADS_MAX];
	size_t n = jvm_threads(j, tids, THREADS_MAX);
	int ready[2];
	char c;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(d->go), 0);
	d->pid = fork();
	assert_true(d->pid >= 0);
	if (!d->pid) {
		close(d->go[1]);
		debug(tids, n, ready[1], d->go[0]);
	}
	close(ready[1]);
	close(d->go[0]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
}

static void debugger_let_go(struct debugger *d)
{
	close(d->go[1]);
	assert_int_equal(waitpid(d->pid, NULL, 0), d->pid);
}

/* --- what is said ----------------------------------------------------------------------------- */

static void run_refused(const char *command, const char *const way[3], const char *said)
{
	const char *argv[8] = {command, "-p", pid_arg};
	struct hp_result r;
	size_t n = 3;

	for (size_t i = 0; i < 3 && way[i]; i++)
		argv[n++] = way[i];
	if (!strcmp(command, "trace"))
		argv[n++] = WORK;
	hp_run(&r, argv);
	if (r.status != 4 || !strstr(r.err, said))
		fail_msg("%s %s: status %d, not '%s' in: %s", command, way[0] ? way[1] : "",
			 r.status, said, r.err);
	hp_result_free(&r);
}

static void all_refused(const char *said)
{
	struct hp_result r;

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		run_refused("trace", ways[i], said);
	hp_run(&r, (const char *[]){"check", "-p", pid_arg, NULL});
	if (!strstr(r.out, said))
		fail_msg("check: not '%s' in: %s", said, r.out);
	hp_result_free(&r);
}

/* Everything works again, and the JVM computes as ever. */
static void works(struct jvm *j)
{
	struct child *hp = hp_trace(j->pid, (const char *const[]){WORK, NULL});
	json_t *last;

	json_decref(hp_attached(hp));
	free(jvm_ask(j, "calls 100"));
	last = hp_finish(hp, SIGINT, 0, NULL);
	assert_true(json_is_true(json_object_get(last, "restored")));
	json_decref(last);
	child_free(hp);
	jvm_check_unhurt(j);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void held_by_debugger(void **state _unused_)
{
	struct debugger d;
	char said[128];
	struct child *hp;
	struct jvm j;

	start(&j);
	debugger_hold(&d, &j);
	snprintf(said, sizeof(said), "it is held by another tracer, " DEBUGGER " (PID %d)", d.pid);
	all_refused(said);
	debugger_let_go(&d);
	works(&j);

	/* What a killed instance left stays as long as it is held. */
	hp = hp_trace(j.pid, (const char *const[]){WORK, NULL});
	json_decref(hp_attached(hp));
	child_kill_tree(hp);
	child_free(hp);
	debugger_hold(&d, &j);
	snprintf(said, sizeof(said), DEBUGGER " (PID %d)", d.pid);
	run_refused("clean", ways[0], said);
	run_refused("clean", ways[1], said);
	debugger_let_go(&d);
	works(&j);
	jvm_quit(&j);
}

/* It comes while probes are there: what stays is said, with who is in the way and what to do. */
static void held_at_detach(void **state _unused_)
{
	struct debugger d;
	char said[128];
	struct child *hp;
	struct hp_result r;
	json_t *last;
	struct jvm j;
	char *err;

	start(&j);
	hp = hp_trace(j.pid, (const char *const[]){WORK, NULL});
	json_decref(hp_attached(hp));
	debugger_hold(&d, &j);
	last = hp_finish(hp, SIGINT, 1, NULL);
	assert_true(json_is_false(json_object_get(last, "restored")));
	json_decref(last);
	err = child_errors(hp);
	snprintf(said, sizeof(said), DEBUGGER " (PID %d)", d.pid);
	if (!strstr(err, said) || !strstr(err, "hotprobe clean -p"))
		fail_msg("said: %s", err);
	free(err);
	child_free(hp);
	debugger_let_go(&d);
	hp_run(&r, (const char *[]){"clean", "-p", pid_arg, NULL});
	hp_result_check(&r, 0);
	assert_non_null(strstr(r.out, "restored 1 methods"));
	hp_result_free(&r);
	works(&j);
	jvm_quit(&j);
}

static void write_to(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/* A cgroup of its own with the JVM in it. Return: false if there is no such hierarchy here. */
static bool cgroup_make(char path[static 64], const char *hierarchy)
{
	char procs[96];

	snprintf(procs, sizeof(procs), "%s/cgroup.procs", hierarchy);
	snprintf(path, 64, "%s/hotprobe-test-%d", hierarchy, getpid());
	if (access(procs, W_OK) || mkdir(path, 0755))
		return false;
	snprintf(procs, sizeof(procs), "%s/cgroup.procs", path);
	write_to(procs, pid_arg);
	return true;
}

struct freezer {
	const char *hierarchy, *control, *freeze, *thaw;
	const char *state, *frozen; /* the file that tells, and what it says then */
};

static bool file_has(const char *path, const char *text)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, text))
			return true;
	return false;
}

static void frozen_by(struct jvm *j, const struct freezer *z)
{
	char path[64], control[128], state[128], procs[128];

	if (!cgroup_make(path, z->hierarchy))
		return;
	print_message("  frozen by %s\n", z->hierarchy);
	snprintf(control, sizeof(control), "%s/%s", path, z->control);
	snprintf(state, sizeof(state), "%s/%s", path, z->state);
	snprintf(procs, sizeof(procs), "%s/cgroup.procs", z->hierarchy);
	write_to(control, z->freeze);
	while (!file_has(state, z->frozen))
		pause_ms(1);
	all_refused("its cgroup is frozen");
	write_to(control, z->thaw);
	works(j);
	write_to(procs, pid_arg);
	rmdir(path);
}

static void held_by_frozen_cgroup(void **state _unused_)
{
	static const struct freezer freezers[] = {
		{"/sys/fs/cgroup", "cgroup.freeze", "1", "0", "cgroup.events", "frozen 1"},
		{"/sys/fs/cgroup/unified", "cgroup.freeze", "1", "0", "cgroup.events", "frozen 1"},
		{"/sys/fs/cgroup/freezer", "freezer.state", "FROZEN", "THAWED", "freezer.state",
		 "FROZEN"},
	};
	struct jvm j;

	start(&j);
	for (size_t i = 0; i < ARRAY_SIZE(freezers); i++)
		frozen_by(&j, &freezers[i]);
	jvm_quit(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		jvm_test(held_by_debugger),
		jvm_test(held_at_detach),
		jvm_test(held_by_frozen_cgroup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
