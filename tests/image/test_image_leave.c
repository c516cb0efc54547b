// SPDX-License-Identifier: MIT
/*
 * test_image_leave.c - however a trace of a native image ends, its processes run on to the right
 * result, and nothing of ours is left in them: not a byte of their text, not a permission, no
 * region. At once after an orderly end, at the next attach or `hotprobe clean` after a kill.
 */
#include <signal.h>

#include "lib/cmocka_all.h"
#include "lib/image_run.h"
#include "lib/image_text.h"
#include "lib/image_work.h"
#include "lib/jvm.h"

/* Methods that are called all the time while it compiles, some hundred of them. */
#define BUSY "com.google.javascript.rhino.Node.*"
#define ONE  "com.google.javascript.rhino.Node.addChildToBack"
#define MANY "com.google.javascript.jscomp.**.*"

static const char *const quiet[] = {"--count-only", BUSY, NULL};

/* --- every byte ------------------------------------------------------------------------------- */

static void bytes_of_compiler(const char *name, const char *script)
{
	_cleanup_free_ char *path = image_copy(name);
	_cleanup_free_ char *want = compiler_expected(path, script);
	struct child *c = compiler_start(path, NULL, NULL), *hp;
	json_int_t hits;
	json_t *attached;

	image_text_check(child_pid(c));
	hp = hp_trace(child_pid(c), (const char *const[]){"--count-only", MANY, NULL});
	attached = hp_attached(hp);
	print_message("  %s: %lld methods, %lld diverted\n", name,
		      (long long)member(attached, "methods"),
		      (long long)member(attached, "diverted"));
	assert_true(member(attached, "diverted") > 1000);
	trace_check_diverted(child_pid(c), attached);
	compiler_feed(c, script);
	pause_ms(300);
	trace_end(hp, SIGINT, "interrupted", &hits);
	assert_true(hits > 0);
	if (child_running(c))
		image_text_check(child_pid(c));
	compiler_check(c, want);
	json_decref(attached);
}

static void bytes_of_repl(const char *name)
{
	_cleanup_free_ char *path = image_copy(name);
	struct child *c = repl_start(path, NULL), *hp;
	json_t *attached;

	image_text_check(child_pid(c));
	hp = hp_trace(child_pid(c), (const char *const[]){"--count-only", "org.pkl.**.*", NULL});
	attached = hp_attached(hp);
	print_message("  %s: %lld methods, %lld diverted\n", name,
		      (long long)member(attached, "methods"),
		      (long long)member(attached, "diverted"));
	assert_true(member(attached, "diverted") > 1000);
	trace_check_diverted(child_pid(c), attached);
	repl_ask(c, "5600 + 78", "5678");
	trace_end(hp, SIGINT, "interrupted", NULL);
	image_text_check(child_pid(c));
	repl_end(c);
	json_decref(attached);
}

/* A class in Apex, to a serializer that is at a random address and has two executable segments. */
static void bytes_of_pie(void)
{
	static const char script[] =
		"public class A { public Integer b(Integer c) { return c + 1; } }";
	_cleanup_free_ char *path = image_copy("oracle23-pie");
	_cleanup_free_ char *want = NULL, *got = NULL;
	json_t *attached;
	struct child *hp = NULL;

	for (int traced = 0; traced < 2; traced++) {
		struct child *c = child_start((const char *[]){path, NULL}, NULL);

		image_await_input(c);
		if (traced) {
			image_text_check(child_pid(c));
			hp = hp_trace(child_pid(c),
				      (const char *const[]){"--count-only", "apex.**.*", NULL});
			attached = hp_attached(hp);
			print_message("  oracle23-pie: %lld methods, %lld diverted\n",
				      (long long)member(attached, "methods"),
				      (long long)member(attached, "diverted"));
			assert_true(member(attached, "diverted") > 1000);
			trace_check_diverted(child_pid(c), attached);
			json_decref(attached);
			trace_end(hp, SIGINT, "interrupted", NULL);
			image_text_check(child_pid(c));
			hp = hp_trace(child_pid(c),
				      (const char *const[]){"--count-only", "apex.**.*", NULL});
			json_decref(hp_attached(hp));
		}
		child_send(c, script);
		child_close_stdin(c);
		*(traced ? &got : &want) = compiler_result(c);
		child_free(c);
	}
	json_decref(hp_finish(hp, 0, 3, json_array()));
	child_free(hp);
	assert_non_null(strstr(want, "Integer"));
	assert_string_equal(got, want);
}

/* Every byte of the text is the file's before and after; in between only the diverted words differ.
 */
static void leave_every_byte_restored(void **state _unused_)
{
	_cleanup_free_ char *script = compiler_script(1);

	bytes_of_compiler("ce19-symbols", script);
	bytes_of_compiler("ce25", script);
	bytes_of_pie();
	bytes_of_repl("ce22");
	bytes_of_repl("ce25-truffle");
}

/* --- ways to end ------------------------------------------------------------------------------ */

/* An image at work: its file, what it is given, and what it makes of that. */
struct work {
	char *path, *script, *want;
};

static void ends_cleanly(const struct work *w, const char *const *args, int sig, bool group,
			 const char *reason)
{
	struct child *c = compiler_start(w->path, NULL, NULL), *hp = hp_trace(child_pid(c), args);

	json_decref(hp_attached(hp));
	compiler_feed(c, w->script);
	if (sig)
		json_decref(hp_until(hp, "entry", NULL));
	if (group)
		child_signal_group(hp, sig);
	trace_end(hp, group ? 0 : sig, reason, NULL);
	if (child_running(c))
		image_text_check(child_pid(c));
	else
		test_pass_over("it had ended before it could be looked at");
	compiler_check(c, w->want);
}

/* Ctrl-C, SIGTERM, -n and -d end it cleanly while the image is at work. */
static void leave_in_every_way(void **state _unused_)
{
	struct work w = {.path = image_copy("ce25"), .script = compiler_script(2)};

	w.want = compiler_expected(w.path, w.script);
	ends_cleanly(&w, (const char *const[]){ONE, NULL}, SIGINT, true, "interrupted");
	ends_cleanly(&w, (const char *const[]){ONE, NULL}, SIGTERM, false, "interrupted");
	ends_cleanly(&w, (const char *const[]){"-n", "5", ONE, NULL}, 0, false, "count");
	ends_cleanly(&w, (const char *const[]){"-d", "0.5", ONE, NULL}, 0, false, "duration");
	free(w.path);
	free(w.script);
	free(w.want);
}

/* --- killed ----------------------------------------------------------------------------------- */

#define KILLS 24

/* How long an attach takes here, from its start to the first line of output. */
static uint64_t attach_ms(pid_t pid)
{
	uint64_t start = mono_ms(), took;
	struct child *hp = hp_trace(pid, (const char *const[]){"--count-only", MANY, NULL});

	json_decref(hp_attached(hp));
	took = mono_ms() - start;
	trace_end(hp, SIGINT, "interrupted", NULL);
	return took;
}

/* kill -9 at any moment of attach or detach: always cleanable, never harmful. */
static void leave_after_kill_at_any_moment(void **state _unused_)
{
	_cleanup_free_ char *path = image_copy("ce25");
	_cleanup_free_ char *script = compiler_script(1), *want = compiler_expected(path, script);
	struct child *c = compiler_start(path, NULL, NULL);
	uint64_t within_ms = attach_ms(child_pid(c));

	for (int i = 0; i < KILLS; i++) {
		struct child *hp =
			hp_trace(child_pid(c), (const char *const[]){"--count-only", MANY, NULL});

		if (i % 2) { /* or while it detaches */
			json_decref(hp_attached(hp));
			child_signal(hp, SIGINT);
		}
		pause_ms((int)(within_ms * (uint64_t)i / KILLS));
		child_kill_tree(hp);
		child_free(hp);
		if (i % 4 == 3) { /* the others are left to the next attach */
			trace_clean(child_pid(c));
			image_text_check_soon(child_pid(c));
		}
	}
	trace_clean(child_pid(c));
	image_text_check_soon(child_pid(c));
	compiler_feed(c, script);
	compiler_check(c, want);
}

/* Killed at work, the image works on through what is left. */
static void leave_works_on_after_kill(void **state _unused_)
{
	_cleanup_free_ char *path = image_copy("ce25");
	_cleanup_free_ char *script = compiler_script(2), *want = compiler_expected(path, script);
	struct child *c = compiler_start(path, NULL, NULL);
	struct child *hp = hp_trace(child_pid(c), quiet);
	json_t *attached = hp_attached(hp);

	compiler_feed(c, script);
	pause_ms(200);
	child_kill_tree(hp);
	child_free(hp);
	if (child_running(c)) {
		trace_check_diverted(child_pid(c), attached);
		trace_clean(child_pid(c));
		image_text_check_soon(child_pid(c));
	}
	compiler_check(c, want);
	json_decref(attached);
}

/* --- at work ---------------------------------------------------------------------------------- */

#define ROUNDS 20

/*
 * Attach and detach again and again, while a small heap is collected all the time and the probed
 * methods are called: what comes out is the same.
 */
static void leave_busy_image_alone(void **state _unused_)
{
	_cleanup_free_ char *path = image_copy("ce25");
	const char *const small[] = {"-Xmx96m", NULL};
	_cleanup_free_ char *script = compiler_script(3), *want = compiler_expected(path, script);
	struct child *c = NULL;
	json_int_t hits, all = 0;
	int n = 0, during = 0;

	for (; n < ROUNDS; n++) {
		struct child *hp;
		int status;

		if (!c) {
			c = compiler_start(path, NULL, small);
			compiler_feed(c, script);
		}
		hp = hp_trace(child_pid(c), (const char *const[]){"--count-only", "-d", "0.1",
								  n % 5 ? BUSY : MANY, NULL});
		status = child_wait(hp, HP_TIMEOUT_MS);
		if (status == 3 || status == 1) { /* it ended meanwhile: another one */
			compiler_check(take_ptr(c), want);
		} else {
			trace_end(hp, 0, "duration", &hits);
			all += hits;
			during += child_running(c);
			continue;
		}
		child_free(hp);
	}
	if (c)
		compiler_check(c, want);
	print_message("  %d of %d times attached and detached at work, %lld hits\n", during, n,
		      (long long)all);
	assert_true(during > ROUNDS / 3);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		jvm_test(leave_every_byte_restored),	  jvm_test(leave_in_every_way),
		jvm_test(leave_after_kill_at_any_moment), jvm_test(leave_works_on_after_kill),
		jvm_test(leave_busy_image_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
