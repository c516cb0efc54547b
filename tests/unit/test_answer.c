// SPDX-License-Identifier: MIT
/* test_answer.c - how a failure becomes an exit status. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answer_failed_when_the_target_ended),
		cmocka_unit_test(answer_failed_when_nothing_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
