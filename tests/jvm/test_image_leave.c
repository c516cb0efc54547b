// SPDX-License-Identifier: MIT
/*
 * test_image_leave.c - however a trace of a native image ends, its processes run on to the right
 * result, and nothing of ours is left in them: not a byte of their text, not a permission, no region.
 * At once after an orderly end, at the next attach or `hotprobe clean` after a kill.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "cmocka_all.h"
#include "hp.h"
#include "image_run.h"
#include "image_text.h"
#include "jvm.h"

/* Methods that are called all the time while it compiles, some hundred of them. */
#define BUSY "com.google.javascript.rhino.Node.*"
#define ONE  "com.google.javascript.rhino.Node.addChildToBack"
#define MANY "com.google.javascript.jscomp.**.*"

static const char *const quiet[] = {"--count-only", BUSY, NULL};

#define ARGS_MAX   32
#define COMPILE_MS 300000

static char *script_of(int times)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX], *text;
	struct stat st;
	size_t len;

	snprintf(path, sizeof(path), "%s/rxjs.js", env_apps());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		test_skip("no %s: tests/fetch-apps could not get it", path);
	len = (size_t)st.st_size;
	text = calloc((size_t)times, len + 1);
	if (!text || read(fd, text, len) != (ssize_t)len)
		fail_msg("cannot read %s", path);
	for (int i = 1; i < times; i++)
		memcpy(text + (size_t)i * len, text, len);
	return text;
}

/*
 * Start the compiler at @path, with @before in front of the command and @opts behind it: it waits for
 * its script.
 */
static struct child *compiler(const char *path, const char *const *before, const char *const *opts)
{
	const char *argv[ARGS_MAX] = {NULL};
	struct child *c;
	size_t n = 0;

	while (before && *before)
		argv[n++] = *before++;
	argv[n++] = path;
	while (opts && *opts)
		argv[n++] = *opts++;
	argv[n++] = "--warning_level";
	argv[n++] = "QUIET";
	assert_true(n < ARGS_MAX);
	c = child_start(argv, NULL);
	free(child_error_line(c, COMPILE_MS)); /* it says that it waits */
	if (!child_running(c))
		hp_fail(c, "the compiler did not start");
	return c;
}

static void feed(struct child *c, const char *script)
{
	child_send(c, script);
	child_close_stdin(c);
}

static char *result(struct child *c)
{
	int status = child_wait(c, COMPILE_MS);

	if (status)
		hp_fail(c, "the compiler did not end well: %d", status);
	return child_text(c);
}

/* What it makes of @script when nobody looks on. */
static char *expected(const char *path, const char *script)
{
	struct child *c = compiler(path, NULL, NULL);
	char *text;

	feed(c, script);
	text = result(c);
	child_free(c);
	assert_true(strlen(text) > 1000);
	return text;
}

static void check_result(struct child *c, const char *want)
{
	_cleanup_free_ char *text = result(c);

	if (strcmp(text, want))
		hp_fail(c, "it compiled to something else");
	child_free(c);
}

static json_int_t member(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static void end_trace(struct child *hp, int sig, const char *reason, json_int_t *hits)
{
	json_t *events = json_array(), *last = hp_finish(hp, sig, 0, events);

	assert_string_equal(json_text(last, "reason"), reason);
	assert_true(json_is_true(json_object_get(last, "restored")));
	if (hits)
		*hits = member(last, "hits");
	json_decref(last);
	json_decref(events);
	child_free(hp);
}

/* The text must hold the diversions that are reported, and nothing else. */
static void check_diverted(pid_t pid, const json_t *attached)
{
	struct image_text t;

	image_text_look(pid, &t);
	assert_int_equal(t.diverted, member(attached, "diverted"));
	assert_int_equal(t.other, 0);
	assert_true(t.trapped <= (size_t)(member(attached, "emulated") + member(attached, "stepped")));
	assert_false(t.writable);
	assert_true(t.region);
}

/* --- every byte ------------------------------------------------------------------------------- */

static void bytes_of_compiler(const char *name, const char *script)
{
	_cleanup_free_ char *path = image_copy(name);
	_cleanup_free_ char *want = expected(path, script);
	struct child *c = compiler(path, NULL, NULL), *hp;
	json_int_t hits;
	json_t *attached;

	image_text_check(child_pid(c));
	hp = hp_trace(child_pid(c), (const char *const[]){"--count-only", MANY, NULL});
	attached = hp_attached(hp);
	print_message("  %s: %lld methods, %lld diverted\n", name,
		      (long long)member(attached, "methods"), (long long)member(attached, "diverted"));
	assert_true(member(attached, "diverted") > 1000);
	check_diverted(child_pid(c), attached);
	feed(c, script);
	pause_ms(300);
	end_trace(hp, SIGINT, "interrupted", &hits);
	assert_true(hits > 0);
	if (child_running(c))
		image_text_check(child_pid(c));
	check_result(c, want);
	json_decref(attached);
}

/* What it answers to a line, without what it prints before it. */
static void ask(struct child *c, const char *line, const char *want)
{
	child_send(c, line);
	for (char *got; (got = child_error_line(c, HP_TIMEOUT_MS));) {
		bool found = strstr(got, want);

		free(got);
		if (found)
			return;
	}
	hp_fail(c, "no %s to %s", want, line);
}

static void bytes_of_repl(const char *name)
{
	_cleanup_free_ char *path = image_copy(name);
	struct child *c = child_start((const char *[]){path, "repl", NULL}, NULL), *hp;
	json_t *attached;

	ask(c, "1200 + 34", "1234");
	image_text_check(child_pid(c));
	hp = hp_trace(child_pid(c), (const char *const[]){"--count-only", "org.pkl.**.*", NULL});
	attached = hp_attached(hp);
	print_message("  %s: %lld methods, %lld diverted\n", name,
		      (long long)member(attached, "methods"), (long long)member(attached, "diverted"));
	assert_true(member(attached, "diverted") > 1000);
	check_diverted(child_pid(c), attached);
	ask(c, "5600 + 78", "5678");
	end_trace(hp, SIGINT, "interrupted", NULL);
	image_text_check(child_pid(c));
	ask(c, "9000 + 87", "9087");
	child_close_stdin(c);
	assert_int_equal(child_wait(c, HP_TIMEOUT_MS), 0);
	child_free(c);
	json_decref(attached);
}

/* A class in Apex, to a serializer that is at a random address and has two executable segments. */
static void bytes_of_pie(void)
{
	static const char script[] = "public class A { public Integer b(Integer c) { return c + 1; } }";
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
			check_diverted(child_pid(c), attached);
			json_decref(attached);
			end_trace(hp, SIGINT, "interrupted", NULL);
			image_text_check(child_pid(c));
			hp = hp_trace(child_pid(c),
				      (const char *const[]){"--count-only", "apex.**.*", NULL});
			json_decref(hp_attached(hp));
		}
		child_send(c, script);
		child_close_stdin(c);
		*(traced ? &got : &want) = result(c);
		child_free(c);
	}
	json_decref(hp_finish(hp, 0, 3, json_array()));
	child_free(hp);
	assert_non_null(strstr(want, "Integer"));
	assert_string_equal(got, want);
}

/* Every byte of the text is the file's before and after; in between only the diverted words differ. */
static void leave_every_byte_restored(void **state _unused_)
{
	_cleanup_free_ char *script = script_of(1);

	bytes_of_compiler("ce19-symbols", script);
	bytes_of_compiler("ce25", script);
	bytes_of_pie();
	bytes_of_repl("ce22");
	bytes_of_repl("ce25-truffle");
}

/* --- ways to end ------------------------------------------------------------------------------ */

static void ends_cleanly(const char *const *args, int sig, bool group, const char *reason)
{
	_cleanup_free_ char *path = image_copy("ce25");
	_cleanup_free_ char *script = script_of(3), *want = expected(path, script);
	struct child *c = compiler(path, NULL, NULL), *hp = hp_trace(child_pid(c), args);

	json_decref(hp_attached(hp));
	feed(c, script);
	if (sig)
		json_decref(hp_until(hp, "entry", NULL));
	if (group)
		child_signal_group(hp, sig);
	end_trace(hp, group ? 0 : sig, reason, NULL);
	if (child_running(c))
		image_text_check(child_pid(c));
	else
		test_pass_over("it had ended before it could be looked at");
	check_result(c, want);
}

/* Ctrl-C, SIGTERM, -n and -d end it cleanly while the image is at work. */
static void leave_in_every_way(void **state _unused_)
{
	ends_cleanly((const char *const[]){ONE, NULL}, SIGINT, true, "interrupted");
	ends_cleanly((const char *const[]){ONE, NULL}, SIGTERM, false, "interrupted");
	ends_cleanly((const char *const[]){"-n", "5", ONE, NULL}, 0, false, "count");
	ends_cleanly((const char *const[]){"-d", "0.5", ONE, NULL}, 0, false, "duration");
}

/* --- killed ----------------------------------------------------------------------------------- */

#define KILLS 24

static void clean(pid_t pid)
{
	struct hp_result r;
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	hp_run(&r, (const char *const[]){"clean", "-p", text, NULL});
	hp_result_check(&r, 0);
	hp_result_free(&r);
}

/* A killed process's descriptors, and with them its uprobes, go some time after it. */
static void check_clean_soon(pid_t pid)
{
	uint64_t until = mono_ms() + HP_TIMEOUT_MS;
	struct image_text t;

	do {
		pause_ms(20);
		image_text_look(pid, &t);
	} while (t.trapped && mono_ms() < until);
	image_text_check(pid);
}

/* How long an attach takes here, from its start to the first line of output. */
static uint64_t attach_ms(pid_t pid)
{
	uint64_t start = mono_ms(), took;
	struct child *hp = hp_trace(pid, (const char *const[]){"--count-only", MANY, NULL});

	json_decref(hp_attached(hp));
	took = mono_ms() - start;
	end_trace(hp, SIGINT, "interrupted", NULL);
	return took;
}

/* kill -9 at any moment of attach or detach: always cleanable, never harmful. */
static void leave_after_kill_at_any_moment(void **state _unused_)
{
	_cleanup_free_ char *path = image_copy("ce25");
	_cleanup_free_ char *script = script_of(1), *want = expected(path, script);
	struct child *c = compiler(path, NULL, NULL);
	uint64_t within_ms = attach_ms(child_pid(c));

	for (int i = 0; i < KILLS; i++) {
		struct child *hp = hp_trace(child_pid(c),
					    (const char *const[]){"--count-only", MANY, NULL});

		if (i % 2) { /* or while it detaches */
			json_decref(hp_attached(hp));
			child_signal(hp, SIGINT);
		}
		pause_ms((int)(within_ms * (uint64_t)i / KILLS));
		child_kill_tree(hp);
		child_free(hp);
		if (i % 4 == 3) { /* the others are left to the next attach */
			clean(child_pid(c));
			check_clean_soon(child_pid(c));
		}
	}
	clean(child_pid(c));
	check_clean_soon(child_pid(c));
	feed(c, script);
	check_result(c, want);
}

/* Killed at work, the image works on through what is left. */
static void leave_works_on_after_kill(void **state _unused_)
{
	_cleanup_free_ char *path = image_copy("ce25");
	_cleanup_free_ char *script = script_of(3), *want = expected(path, script);
	struct child *c = compiler(path, NULL, NULL);
	struct child *hp = hp_trace(child_pid(c), quiet);
	json_t *attached = hp_attached(hp);

	feed(c, script);
	pause_ms(200);
	child_kill_tree(hp);
	child_free(hp);
	if (child_running(c)) {
		check_diverted(child_pid(c), attached);
		clean(child_pid(c));
		check_clean_soon(child_pid(c));
	}
	check_result(c, want);
	json_decref(attached);
}

/* --- at work ---------------------------------------------------------------------------------- */

#define ROUNDS 30

/*
 * Attach and detach again and again, while a small heap is collected all the time and the probed
 * methods are called: what comes out is the same.
 */
static void leave_busy_image_alone(void **state _unused_)
{
	_cleanup_free_ char *path = image_copy("ce25");
	const char *const small[] = {"-Xmx96m", NULL};
	_cleanup_free_ char *script = script_of(3), *want = expected(path, script);
	struct child *c = NULL;
	json_int_t hits, all = 0;
	int n = 0, during = 0;

	for (; n < ROUNDS; n++) {
		struct child *hp;
		int status;

		if (!c) {
			c = compiler(path, NULL, small);
			feed(c, script);
		}
		hp = hp_trace(child_pid(c), (const char *const[]){"--count-only", "-d", "0.1", n % 5 ? BUSY : MANY,
					   NULL});
		status = child_wait(hp, HP_TIMEOUT_MS);
		if (status == 3 || status == 1) { /* it ended meanwhile: another one */
			check_result(take_ptr(c), want);
		} else {
			end_trace(hp, 0, "duration", &hits);
			all += hits;
			during += child_running(c);
			continue;
		}
		child_free(hp);
	}
	if (c)
		check_result(c, want);
	print_message("  %d of %d times attached and detached at work, %lld hits\n", during, n,
		      (long long)all);
	assert_true(during > ROUNDS / 3);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		jvm_test(leave_every_byte_restored),
		jvm_test(leave_in_every_way),
		jvm_test(leave_after_kill_at_any_moment),
		jvm_test(leave_works_on_after_kill),
		jvm_test(leave_busy_image_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
