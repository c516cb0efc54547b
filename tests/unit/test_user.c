// SPDX-License-Identifier: MIT
/* Which user ids stand for one user only, in and out of user namespaces. */
#include <limits.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "lib/env.h"
#include "proc/user.h"

#define OVERFLOW 65534

enum { OVERFLOW_CERTAIN = 1, OWN_CERTAIN = 2, OTHER_CERTAIN = 4 };

static int seen(void)
{
	return user_is_certain(OVERFLOW) * OVERFLOW_CERTAIN |
	       user_is_certain(geteuid()) * OWN_CERTAIN |
	       user_is_certain(OVERFLOW - 1) * OTHER_CERTAIN;
}

/* In a child, in a user namespace with this map; "": none, NULL: our own namespace. */
static int seen_with(const char *map)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		FILE *f = map && !unshare(CLONE_NEWUSER) ? fopen("/proc/self/uid_map", "we") : NULL;

		if (map && (!f || fputs(map, f) < 0 || (*map && fflush(f))))
			_exit(64);
		_exit(seen());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* The number of the unmapped stands for one user only where nobody is unmapped. */
static void user_is_certain_unless_unmapped(void **state _unused_)
{
	char root[32];

	test_needs_user_namespace();
	snprintf(root, sizeof(root), "0 %u 1", geteuid());
	assert_int_equal(seen_with(NULL), seen());
	assert_int_equal(seen_with(""), OTHER_CERTAIN);
	assert_int_equal(seen_with(root), OTHER_CERTAIN | OWN_CERTAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(user_is_certain_unless_unmapped)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
