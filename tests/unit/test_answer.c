// SPDX-License-Identifier: MIT
/* test_answer.c - how a failure becomes an exit status. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "base/log.h"
#include "engine/answer.h"

static void quiet(enum log_level level, const char *text, void *arg)
{
	(void)level;
	snprintf(arg, FAIL_TEXT_MAX, "%s", text);
}

static pid_t start_child(void)
{
	pid_t pid = fork();

	if (!pid) {
		pause();
		_exit(0);
	}
	assert_true(pid > 0);
	return pid;
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static enum status failed(const struct answer *a, int err, const char *text)
{
	struct fail f = {0};

	fail_set(&f, err, "%s", text);
	return answer_failed(a, err, &f);
}

/* A target that was there and is gone explains every failure, whatever the failure says. */
static void answer_failed_when_the_target_ended(void **state)
{
	char said[FAIL_TEXT_MAX] = "";
	struct answer a = {0};
	pid_t pid = start_child();

	(void)state;
	log_set_sink(quiet, said);
	answer_about(&a, pid);
	end_child(pid);
	assert_int_equal(failed(&a, -ESRCH, "no such process"), STATUS_TARGET_ENDED);
	assert_non_null(strstr(said, "ended"));
	assert_int_equal(failed(&a, -EFAULT, "unreadable"), STATUS_TARGET_ENDED);
	assert_int_equal(failed(&a, -EINVAL, "bad SPEC"), STATUS_USAGE);
	assert_string_equal(said, "bad SPEC");
	log_set_sink(NULL, NULL);
}

/* Of a process that never was, only that is said; one that lives explains nothing. */
static void answer_failed_when_nothing_ended(void **state)
{
	char said[FAIL_TEXT_MAX] = "";
	struct answer a = {0};
	pid_t pid = start_child();

	(void)state;
	log_set_sink(quiet, said);
	answer_about(&a, pid);
	assert_int_equal(failed(&a, -EPERM, "not permitted"), STATUS_UNSUPPORTED);
	assert_string_equal(said, "not permitted");
	end_child(pid);
	answer_about(&a, pid);
	assert_int_equal(failed(&a, -ESRCH, "no such process"), STATUS_FAILED);
	assert_string_equal(said, "no such process");
	log_set_sink(NULL, NULL);
}

/* --- a slow client ---------------------------------------------------------------------------- */

/* What the client does each time that it is listened to. */
struct script {
	struct answer a;
	struct conn conn;
	int listens;
	int go_at, stop_at, gone_at, settle_at; /* 0: never */
	int waited_ms;
};

static bool listen_script(struct answer *a, int timeout_ms)
{
	struct script *s = container_of(a, struct script, a);
	int n = ++s->listens;

	assert_true(timeout_ms >= -1 && timeout_ms <= 3001);
	if (timeout_ms > 0 && n != s->go_at && n != s->stop_at && n != s->settle_at) {
		struct timespec t = {.tv_sec = timeout_ms / 1000,
				     .tv_nsec = timeout_ms % 1000 * 1000000L};
		nanosleep(&t, NULL);
		s->waited_ms += timeout_ms;
	}
	if (n == s->go_at)
		a->held = false;
	if (n == s->stop_at) {
		a->stopped = true;
		a->stopped_ns = clock_ns();
	}
	if (n == s->settle_at) {
		a->settled = true;
		a->unwritten += 17;
	}
	return n != s->gone_at;
}

static struct script *script_new(void)
{
	struct script *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->a = (struct answer){.conn = &s->conn, .listen = listen_script, .held = true};
	return s;
}

static void script_free(struct script *s)
{
	buf_fini(&s->conn.out);
	free(s);
}

/* A listing waits for a reader for ever, but not for one that is gone or wants no more. */
static void answer_room_waits(void **state)
{
	static const struct script cases[] = {{.go_at = 3}, {.stop_at = 3}, {.gone_at = 3}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct script *s = script_new();

		s->go_at = cases[i].go_at;
		s->stop_at = cases[i].stop_at;
		s->gone_at = cases[i].gone_at;
		assert_true(answer_room(&s->a)); /* little is there: nobody is looked at */
		assert_int_equal(s->listens, 0);
		assert_non_null(buf_reserve(&s->conn.out, 1 << 19));
		s->conn.out.len = 1 << 19;
		assert_int_equal(answer_room(&s->a), i == 0);
		assert_int_equal(s->listens, 3);
		script_free(s);
	}
}

/* At the end, one that does not go on is given a second, and less once it has said "stop". */
static void answer_drain_has_a_deadline(void **state)
{
	struct script *s = script_new();

	(void)state;
	assert_false(answer_drain(&s->a));
	assert_in_range(s->waited_ms, 900, 1100);
	s->a.stopped = true;
	s->a.stopped_ns = clock_ns() - 2 * NSEC_PER_SEC;
	s->waited_ms = 0;
	assert_false(answer_drain(&s->a));
	assert_int_equal(s->waited_ms, 0);
	s->go_at = s->listens + 1;
	s->a.stopped_ns = clock_ns();
	assert_true(answer_drain(&s->a));
	script_free(s);
}

/* What could not be written is asked for, and not waited for for ever. */
static void answer_settle_has_a_deadline(void **state)
{
	struct script *s = script_new();

	(void)state;
	s->settle_at = 2;
	assert_int_equal(answer_settle(&s->a), 17);
	assert_memory_equal(s->conn.out.data, "{\"ending\":true}\n", 16);
	s->a.settled = false;
	s->a.unwritten = 0;
	assert_int_equal(answer_settle(&s->a), 0);
	assert_in_range(s->waited_ms, 2900, 6200);
	script_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answer_failed_when_the_target_ended),
		cmocka_unit_test(answer_failed_when_nothing_ended),
		cmocka_unit_test(answer_room_waits),
		cmocka_unit_test(answer_drain_has_a_deadline),
		cmocka_unit_test(answer_settle_has_a_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
