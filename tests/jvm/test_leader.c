// SPDX-License-Identifier: MIT
/*
 * test_leader.c - a JVM whose first thread has ended, as a native launcher's may, is traced like
 * any other: it is listed, checked, probed by both ways, followed, restored and cleaned; and the
 * end of that thread in the middle of a trace changes nothing.
 */
#include <signal.h>

#include "lib/cmocka_all.h"
#include "lib/exact.h"
#include "lib/leader.h"

#define NOINLINE "-XX:CompileCommand=dontinline,prog.Follow*::*"
#define STEP	 "prog.Follow.step"
#define AREA	 "prog.FollowCircle.area" /* has a `this` */
#define CALLS	 300

static char pid[16];

static void start(struct jvm *j, const char *jdk)
{
	const char *const flags[] = {JVM_C1, NOINLINE, NULL};

	jvm_start(j, jdk_or_skip(jdk), flags, (const char *const[]){"prog.Follow", NULL});
	jvm_ready(j);
	free(jvm_ask(j, "quiet 20000"));
	snprintf(pid, sizeof(pid), "%d", j->pid);
}

static void check_restored(json_t *detached)
{
	assert_true(json_is_true(json_object_get(detached, "restored")));
	assert_int_equal(json_integer_value(json_object_get(detached, "lost")), 0);
	json_decref(detached);
}

/* Every call came, and each `this` has its class. */
static void check_calls(const json_t *events, size_t calls)
{
	size_t i, n = 0;
	json_t *o;

	json_array_foreach (events, i, o) {
		const json_t *self = json_object_get(o, "this");

		if (strcmp(json_text(o, "event"), "entry") || !self)
			continue;
		assert_string_equal(json_text(self, "class"), "prog.FollowCircle");
		n++;
	}
	assert_int_equal(n, calls);
}

static void trace_calls(struct jvm *j, const char *via, bool ends)
{
	struct child *hp = hp_trace(j->pid, (const char *const[]){"--via", via, STEP, AREA, NULL});
	json_t *events = json_array(), *attached = hp_attached(hp);

	assert_string_equal(json_text(attached, "via"), via);
	assert_int_equal(json_integer_value(json_object_get(attached, "sites")), 2);
	json_decref(attached);
	free(jvm_ask(j, "quiet %d", CALLS));
	if (ends)
		leader_end(j->pid);
	free(jvm_ask(j, "quiet %d", CALLS));
	check_restored(hp_finish(hp, SIGINT, 0, events));
	check_calls(events, 2 * CALLS);
	json_decref(events);
	child_free(hp);
}

/* A method that is compiled while there is no leader is seen, and probed. */
static void follow_compiled(struct jvm *j)
{
	struct child *hp = hp_trace(j->pid, (const char *const[]){"prog.FollowGone.call", NULL});
	json_t *events = json_array();

	json_decref(hp_attached(hp));
	free(jvm_ask(j, "load"));
	json_decref(hp_until(hp, "probed", NULL));
	free(jvm_ask(j, "gone %d", CALLS));
	check_restored(hp_finish(hp, SIGINT, 0, events));
	json_decref(events);
	child_free(hp);
}

static void clean_killed(struct jvm *j)
{
	struct child *hp = hp_trace(j->pid, (const char *const[]){"--via", "ptrace", STEP, NULL});
	struct hp_result r;

	json_decref(hp_attached(hp));
	child_kill_tree(hp);
	hp_run(&r, (const char *const[]){"clean", "-p", pid, "--via", "ptrace", NULL});
	if (r.status || !strstr(r.out, "restored 1 methods"))
		fail_msg("status %d: %s%s", r.status, r.out, r.err);
	hp_result_free(&r);
	child_free(hp);
}

static bool listed(const char *what)
{
	json_t *all = hp_json((const char *const[]){"list", "--json", NULL}, 0), *o;
	bool found = false;
	size_t i;

	json_array_foreach (all, i, o)
		if (json_integer_value(json_object_get(o, "pid")) == atoi(pid))
			found = !strcmp(json_text(o, "kind"), what) &&
				json_is_true(json_object_get(o, "probeable"));
	json_decref(all);
	return found;
}

static void everything(const char *jdk)
{
	struct hp_result r;
	json_t *methods;
	struct jvm j;

	print_message("  %s\n", jdk);
	start(&j, jdk);
	trace_calls(&j, "ptrace", true);
	assert_true(listed("hotspot"));
	hp_run(&r, (const char *const[]){"check", "-p", pid, NULL});
	assert_int_equal(r.status, 0);
	hp_result_free(&r);
	methods = hp_json((const char *const[]){"methods", "-p", pid, "--json", STEP, NULL}, 0);
	assert_true(json_array_size(methods) > 0);
	json_decref(methods);
	trace_calls(&j, "ptrace", false);
	follow_compiled(&j);
	clean_killed(&j);
	trace_calls(&j, "agent", false);
	assert_true(child_running(j.c));
	jvm_free(&j);
}

/* All commands, on a JVM whose first thread ends in the middle of the first trace. */
static void leader_has_ended(void **state _unused_)
{
	everything("jdk17");
	everything("jdk25");
}

/* The end of the last thread is the end of the process, and told as such. */
static void leader_has_ended_and_then_the_rest(void **state _unused_)
{
	struct child *hp;
	json_t *detached;
	struct jvm j;

	start(&j, "jdk17");
	leader_end(j.pid);
	hp = hp_trace(j.pid, (const char *const[]){STEP, NULL});
	json_decref(hp_attached(hp));
	kill(j.pid, SIGKILL);
	detached = hp_finish(hp, 0, 3, NULL);
	assert_string_equal(json_text(detached, "reason"), "target exited");
	json_decref(detached);
	child_free(hp);
	jvm_free(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		jvm_test(leader_has_ended),
		jvm_test(leader_has_ended_and_then_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
