// SPDX-License-Identifier: MIT
#include "lib/image_work.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "lib/cmocka_all.h"
#include "lib/image_text.h"

#define ARGS_MAX   32
#define COMPILE_MS 300000

char *compiler_script(int times)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX], *text;
	struct stat st;
	size_t len;

	snprintf(path, sizeof(path), "%s/rxjs.js", env_apps());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		test_skip("no %s: tests/tools/fetch-apps could not get it", path);
	len = (size_t)st.st_size;
	text = calloc((size_t)times, len + 1);
	if (!text || read(fd, text, len) != (ssize_t)len)
		fail_msg("cannot read %s", path);
	for (int i = 1; i < times; i++)
		memcpy(text + (size_t)i * len, text, len);
	return text;
}

struct child *compiler_start(const char *path, const char *const *before, const char *const *opts)
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

void compiler_feed(struct child *c, const char *script)
{
	child_send(c, script);
	child_close_stdin(c);
}

char *compiler_result(struct child *c)
{
	int status = child_wait(c, COMPILE_MS);

	if (status)
		hp_fail(c, "the compiler did not end well: %d", status);
	return child_text(c);
}

char *compiler_expected(const char *path, const char *script)
{
	struct child *c = compiler_start(path, NULL, NULL);
	char *text;

	compiler_feed(c, script);
	text = compiler_result(c);
	child_free(c);
	assert_true(strlen(text) > 1000);
	return text;
}

void compiler_check(struct child *c, const char *want)
{
	_cleanup_free_ char *text = compiler_result(c);

	if (strcmp(text, want))
		hp_fail(c, "it compiled to something else");
	child_free(c);
}

/* --- Pkl -------------------------------------------------------------------------------------- */

struct child *repl_start(const char *path, const char *const *before)
{
	const char *argv[ARGS_MAX] = {NULL};
	struct child *c;
	size_t n = 0;

	while (before && *before)
		argv[n++] = *before++;
	argv[n++] = path;
	argv[n++] = "repl";
	assert_true(n < ARGS_MAX);
	c = child_start(argv, NULL);
	repl_ask(c, "1200 + 34", "1234");
	return c;
}

void repl_ask(struct child *c, const char *line, const char *want)
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

void repl_end(struct child *c)
{
	repl_ask(c, "9000 + 87", "9087");
	child_close_stdin(c);
	assert_int_equal(child_wait(c, HP_TIMEOUT_MS), 0);
	child_free(c);
}

/* --- traces ----------------------------------------------------------------------------------- */

json_int_t member(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

void trace_end(struct child *hp, int sig, const char *reason, json_int_t *hits)
{
	json_t *events = json_array(), *last = hp_finish(hp, sig, 0, events);

	assert_string_equal(json_text(last, "reason"), reason);
	assert_true(json_is_true(json_object_get(last, "restored")));
	if (hits)
		*hits = json_integer_value(json_object_get(last, "hits"));
	json_decref(last);
	json_decref(events);
	child_free(hp);
}

void trace_check_diverted(pid_t pid, const json_t *attached)
{
	struct image_text t;

	image_text_look(pid, &t);
	assert_int_equal(t.diverted, member(attached, "diverted"));
	assert_int_equal(t.other, 0);
	assert_true(t.trapped <=
		    (size_t)(member(attached, "emulated") + member(attached, "stepped")));
	assert_false(t.writable);
	assert_true(t.region);
}

void trace_clean(pid_t pid)
{
	struct hp_result r;
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	hp_run(&r, (const char *const[]){"clean", "-p", text, NULL});
	hp_result_check(&r, 0);
	hp_result_free(&r);
}
