/* SPDX-License-Identifier: MIT */
/*
 * test_leave.c - however hotprobe ends, the JVM runs on, and nothing of ours is left in it:
 * at once after an orderly end, at the next attach or `hotprobe clean` after a kill.
 */
#include <signal.h>

#include "lib/cmocka_all.h"
#include "lib/code.h"
#include "lib/exact.h"

#define NOINLINE "-XX:CompileCommand=dontinline,prog.Busy::*"
#define WORK	 "prog.Busy.work"
#define EVERY	 "**.*"

static const char *const work_specs[] = {"prog.Busy.work", "prog.Busy.instance", NULL};

static void busy_start(struct jvm *j, const struct jdk *jdk, const char *const *flags)
{
	jvm_start(j, jdk, flags, (const char *const[]){"prog.Busy", NULL});
	jvm_ready(j);
}

static void busy_check(struct jvm *j)
{
	char *answer = jvm_ask(j, "stop");

	if (strncmp(answer, "0 errors", 8))
		jvm_fail(j, "results went wrong: %s", answer);
	free(answer);
	jvm_check_unhurt(j);
}

/* The JVM must say that it was restored, for this reason. */
static void check_detached(json_t *detached, const char *reason)
{
	assert_string_equal(json_text(detached, "reason"), reason);
	assert_true(json_is_true(json_object_get(detached, "restored")));
	json_decref(detached);
}

/* --- bytes ------------------------------------------------------------------------------------ */

static void bytes_restored(const struct jdk *jdk, const char *const *flags)
{
	struct code_bytes before;
	json_t *attached, *events = json_array();
	struct child *hp;
	struct jvm j;
	size_t sites, changed;

	print_message("  %s %s\n", jdk->name, flags[0]);
	busy_start(&j, jdk, flags);
	code_take(&j, &before);
	hp = hp_trace(j.pid, (const char *const[]){EVERY, NULL});
	attached = hp_attached(hp);
	sites = (size_t)json_integer_value(json_object_get(attached, "sites"));
	changed = code_changed(&j, &before);
	print_message("    %zu sites, %zu methods changed\n", sites, changed);
	/* An idle JVM still has timers: a few may have been compiled or retired since. */
	assert_true(sites > 20 && changed >= sites - sites / 20);
	assert_true(jvm_maps_has(&j, "memfd:hotprobe"));
	check_detached(hp_finish(hp, SIGINT, 0, events), "interrupted");
	code_check_restored(&j, &before);
	code_free(&before);
	jvm_quit(&j);
	child_free(hp);
	json_decref(attached);
	json_decref(events);
}

/* Every byte of every compiled method is the same before attaching to all of them and after. */
static void leave_every_byte_restored(void **state _unused_)
{
	const struct jdk *jdks;
	size_t n = jdks_get(&jdks);

	for (size_t i = 0; i < n; i++) {
		bytes_restored(&jdks[i], (const char *const[]){"-XX:+UseG1GC", NULL});
		if (jdks[i].altered)
			continue;
		bytes_restored(&jdks[i], (const char *const[]){"-XX:+UseZGC", NULL});
		bytes_restored(&jdks[i],
			       (const char *const[]){"-XX:-TieredCompilation", "-Xbatch", NULL});
	}
}

/* The same after the probed methods were called, while that call's events came. */
static void leave_bytes_restored_after_calls(void **state _unused_)
{
	const char *const flags[] = {JVM_C2, NOINLINE, NULL};
	struct code_bytes before;
	json_t *events = json_array();
	struct child *hp;
	struct jvm j;

	busy_start(&j, jdk_or_skip("jdk17"), flags);
	free(jvm_ask(&j, "calls 20000"));
	code_take(&j, &before);
	hp = hp_trace(j.pid, work_specs);
	json_decref(hp_attached(hp));
	free(jvm_ask(&j, "calls 1000"));
	check_detached(hp_finish(hp, SIGINT, 0, events), "interrupted");
	assert_int_equal(events_count(events, "entry"), 1000);
	code_check_restored(&j, &before);
	code_free(&before);
	busy_check(&j);
	jvm_quit(&j);
	child_free(hp);
	json_decref(events);
}

/* --- ways to end -------------------------------------------------------------------------------
 */

static void ends_cleanly(const char *const *args, int sig, bool group, const char *reason,
			 size_t entries)
{
	const char *const flags[] = {JVM_C2, NOINLINE, NULL};
	struct code_bytes before;
	json_t *events = json_array(), *detached;
	struct child *hp;
	struct jvm j;

	print_message("  %s\n", reason);
	busy_start(&j, jdk_or_skip("jdk17"), flags);
	free(jvm_ask(&j, "calls 20000"));
	code_take(&j, &before);
	hp = hp_trace(j.pid, args);
	json_decref(hp_attached(hp));
	free(jvm_ask(&j, "calls 100"));
	if (group)
		child_signal_group(hp, sig);
	detached = hp_finish(hp, group ? 0 : sig, 0, events);
	assert_int_equal(events_count(events, "entry"), entries);
	assert_int_equal(json_integer_value(json_object_get(detached, "events")), entries);
	check_detached(detached, reason);
	code_check_restored(&j, &before);
	code_free(&before);
	busy_check(&j);
	jvm_quit(&j);
	child_free(hp);
	json_decref(events);
}

/* Ctrl-C at a terminal reaches hotprobe and its helper alike: events, clean end, status 0. */
static void leave_at_ctrl_c(void **state _unused_)
{
	ends_cleanly((const char *const[]){WORK, NULL}, SIGINT, true, "interrupted", 100);
}

/* SIGTERM to hotprobe alone does the same. */
static void leave_at_sigterm(void **state _unused_)
{
	ends_cleanly((const char *const[]){WORK, NULL}, SIGTERM, false, "interrupted", 100);
}

/* -n 5 ends after exactly five events. */
static void leave_at_count(void **state _unused_)
{
	ends_cleanly((const char *const[]){"-n", "5", WORK, NULL}, 0, false, "count", 5);
}

/* -d ends after that time, in which the calls can be made on any machine. */
static void leave_at_duration(void **state _unused_)
{
	ends_cleanly((const char *const[]){"-d", "8", WORK, NULL}, 0, false, "duration", 100);
}

/* The data goes to the file of -o, and nowhere else. */
static void leave_output_in_file(void **state _unused_)
{
	const char *const flags[] = {JVM_C2, NOINLINE, NULL};
	_cleanup_free_ char *dir = test_dir(), *path = NULL;
	json_t *events;
	struct child *hp;
	struct jvm j;
	char *out;

	assert_true(asprintf(&path, "%s/out", dir) > 0);
	busy_start(&j, jdk_or_skip("jdk17"), flags);
	hp = hp_trace(j.pid, (const char *const[]){"-o", path, "-n", "7", WORK, NULL});
	while (child_running(hp))
		free(jvm_ask(&j, "calls 10"));
	assert_int_equal(child_wait(hp, HP_TIMEOUT_MS), 0);
	out = child_text(hp);
	assert_string_equal(out, "");
	events = json_file(path);
	assert_int_equal(events_count(events, "entry"), 7);
	assert_int_equal(events_count(events, "attached"), 1);
	assert_int_equal(events_count(events, "detached"), 1);
	free(out);
	json_decref(events);
	child_free(hp);
	jvm_quit(&j);
}

/* The target ends while it is traced: what was seen is printed, the status is 3. */
static void leave_when_target_ends(void **state _unused_)
{
	const char *const flags[] = {JVM_C2, NOINLINE, NULL};
	json_t *events = json_array(), *detached;
	struct child *hp;
	struct jvm j;

	for (int killed = 0; killed < 2; killed++) {
		busy_start(&j, jdk_or_skip("jdk17"), flags);
		hp = hp_trace(j.pid, (const char *const[]){WORK, NULL});
		json_decref(hp_attached(hp));
		free(jvm_ask(&j, "calls 100"));
		if (killed)
			child_signal(j.c, SIGKILL);
		else
			jvm_quit(&j);
		detached = hp_finish(hp, 0, 3, events);
		assert_string_equal(json_text(detached, "reason"), "target exited");
		json_decref(detached);
		child_free(hp);
		jvm_free(&j);
	}
	json_decref(events);
}

/* --- two at once ------------------------------------------------------------------------------ */

static bool names_helper(const char *text, pid_t pid)
{
	pid_t helpers[8];
	size_t n = child_descendants(pid, helpers, ARRAY_SIZE(helpers));
	char name[16];

	for (size_t i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%d", helpers[i]);
		if (strstr(text, name))
			return true;
	}
	return false;
}

/* While one instance traces, another is turned away with the first one's PID; the first goes on. */
static void leave_second_instance_refused(void **state _unused_)
{
	const char *const flags[] = {JVM_C2, NOINLINE, NULL};
	json_t *events = json_array();
	struct hp_result r;
	struct child *hp;
	struct jvm j;
	char pid[16], first[16];
	bool bare;

	env_via(&bare);
	busy_start(&j, jdk_or_skip("jdk17"), flags);
	hp = hp_trace(j.pid, work_specs);
	json_decref(hp_attached(hp));
	snprintf(pid, sizeof(pid), "%d", j.pid);
	snprintf(first, sizeof(first), "%d", child_pid(hp));
	hp_run(&r, (const char *const[]){"trace", "-p", pid, "--json", WORK, NULL});
	hp_result_check(&r, 1);
	/* Without a right to the target there is no lock to see, and the agent does not say. */
	if (!bare && !strstr(r.err, first) && !names_helper(r.err, child_pid(hp)))
		jvm_fail(&j, "'%s' does not name %s, nor a helper of it", r.err, first);
	hp_result_free(&r);
	hp_run(&r, (const char *const[]){"clean", "-p", pid, NULL});
	hp_result_check(&r, 1);
	hp_result_free(&r);
	free(jvm_ask(&j, "calls 100"));
	check_detached(hp_finish(hp, SIGINT, 0, events), "interrupted");
	assert_int_equal(events_count(events, "entry"), 100);
	busy_check(&j);
	jvm_quit(&j);
	child_free(hp);
	json_decref(events);
}

/* --- killed ----------------------------------------------------------------------------------- */

static void clean(struct jvm *j)
{
	struct hp_result r;
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", j->pid);
	hp_run(&r, (const char *const[]){"clean", "-p", pid, NULL});
	hp_result_check(&r, 0);
	hp_result_free(&r);
}

/* Trace, let calls pass, and kill hotprobe with all its processes. */
static void trace_and_kill(struct jvm *j)
{
	struct child *hp = hp_trace(j->pid, work_specs);

	json_decref(hp_attached(hp));
	free(jvm_ask(j, "calls 100"));
	child_kill_tree(hp);
	assert_int_equal(child_wait(hp, HP_TIMEOUT_MS), 128 + SIGKILL);
	child_free(hp);
}

/* kill -9 at work: the JVM runs on through what is left, and `clean` takes it away. */
static void leave_after_kill_clean_restores(void **state _unused_)
{
	const struct jdk *jdks;
	size_t n = jdks_get(&jdks);
	const char *const flags[] = {JVM_C2, NOINLINE, NULL};

	for (size_t i = 0; i < n; i++) {
		struct code_bytes before;
		struct jvm j;

		print_message("  %s\n", jdks[i].name);
		busy_start(&j, &jdks[i], flags);
		free(jvm_ask(&j, "calls 20000"));
		code_take(&j, &before);
		trace_and_kill(&j);
		free(jvm_ask(&j, "calls 100000"));
		assert_true(code_changed(&j, &before) >= 2);
		clean(&j);
		code_check_restored(&j, &before);
		clean(&j); /* with nothing left to do */
		code_check_restored(&j, &before);
		code_free(&before);
		busy_check(&j);
		jvm_quit(&j);
	}
}

/* kill -9 at work: the next attach works, sees every call, and leaves the JVM as it first was. */
static void leave_after_kill_next_attach_works(void **state _unused_)
{
	const char *const flags[] = {JVM_C2, NOINLINE, NULL};
	json_t *events = json_array();
	struct code_bytes before;
	struct child *hp;
	struct jvm j;

	busy_start(&j, jdk_or_skip("jdk17"), flags);
	free(jvm_ask(&j, "calls 20000"));
	code_take(&j, &before);
	for (int i = 0; i < 5; i++)
		trace_and_kill(&j);
	hp = hp_trace(j.pid, work_specs);
	json_decref(hp_attached(hp));
	free(jvm_ask(&j, "calls 100"));
	check_detached(hp_finish(hp, SIGINT, 0, events), "interrupted");
	assert_int_equal(events_count(events, "entry"), 100);
	code_check_restored(&j, &before);
	code_free(&before);
	busy_check(&j);
	jvm_quit(&j);
	child_free(hp);
	json_decref(events);
}

#define RESTARTS       5
#define KILLS	       40
#define KILL_WITHIN_MS 120

/* kill -9 at any moment of attach or detach: always cleanable, never harmful. */
static void leave_after_kill_at_any_moment(void **state _unused_)
{
	const char *const flags[] = {JVM_C2, NOINLINE, NULL};
	struct code_bytes before;
	struct jvm j;

	busy_start(&j, jdk_or_skip("jdk17"), flags);
	free(jvm_ask(&j, "calls 20000"));
	code_take(&j, &before);
	for (int i = 0; i < KILLS; i++) {
		struct child *hp = hp_trace(j.pid, (const char *const[]){EVERY, NULL});

		if (i % 2) { /* or while it detaches */
			json_decref(hp_attached(hp));
			child_signal(hp, SIGINT);
		}
		pause_ms(KILL_WITHIN_MS * i / KILLS);
		child_kill_tree(hp);
		child_free(hp);
		free(jvm_ask(&j, "calls 1000"));
	}
	clean(&j);
	code_check_restored(&j, &before);
	code_free(&before);
	busy_check(&j);
	jvm_quit(&j);
}

/* Not one that has ended, whose new parent has not asked yet. */
static bool runs(pid_t pid)
{
	char path[64], text[512] = "", *p;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	p = strrchr(text, ')');
	return p && strncmp(p, ") Z", 3) && strncmp(p, ") X", 3);
}

/* Nobody has to wait, or try again, because the one before was killed a moment ago. */
static void check_restarts(struct jvm *j)
{
	struct child *hp = NULL;

	for (int i = 0; i < RESTARTS; i++) {
		if (hp)
			child_signal(hp, SIGKILL);
		while (hp && child_running(hp)) /* its helpers may go on for a moment */
			pause_ms(1);
		child_free(hp);
		hp = hp_trace(j->pid, work_specs);
		json_decref(hp_attached(hp));
	}
	check_detached(hp_finish(hp, SIGINT, 0, NULL), "interrupted");
	child_free(hp);
}

/* Only the command dies: its helper notices, detaches, and ends by itself. */
static void leave_when_only_the_command_is_killed(void **state _unused_)
{
	const char *const flags[] = {JVM_C2, NOINLINE, NULL};
	uint64_t until = mono_ms() + HP_TIMEOUT_MS;
	struct code_bytes before;
	pid_t helpers[8];
	struct child *hp;
	struct jvm j;
	size_t n;

	busy_start(&j, jdk_or_skip("jdk17"), flags);
	code_take(&j, &before);
	hp = hp_trace(j.pid, work_specs);
	json_decref(hp_attached(hp));
	n = child_descendants(child_pid(hp), helpers, ARRAY_SIZE(helpers));
	child_signal(hp, SIGKILL);
	for (size_t i = 0; i < n; i++)
		while (runs(helpers[i])) {
			if (mono_ms() > until)
				jvm_fail(&j, "helper %d stays", helpers[i]);
			pause_ms(20);
		}
	code_check_restored(&j, &before);
	check_restarts(&j);
	code_check_restored(&j, &before);
	code_free(&before);
	child_free(hp);
	jvm_quit(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		jvm_test(leave_every_byte_restored),
		jvm_test(leave_bytes_restored_after_calls),
		jvm_test(leave_at_ctrl_c),
		jvm_test(leave_at_sigterm),
		jvm_test(leave_at_count),
		jvm_test(leave_at_duration),
		jvm_test(leave_output_in_file),
		jvm_test(leave_when_target_ends),
		jvm_test(leave_second_instance_refused),
		jvm_test(leave_after_kill_clean_restores),
		jvm_test(leave_after_kill_next_attach_works),
		jvm_test(leave_after_kill_at_any_moment),
		jvm_test(leave_when_only_the_command_is_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
