// SPDX-License-Identifier: MIT
/*
 * hotprobe is killed while it makes, uses or removes a region: the target goes on, and the next
 * instance finds everything that is left, puts it back and removes it, whichever remote the two go.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "lib/code_cache.h"
#include "lib/fake_agent.h"
#include "remote/hijack.h"
#include "proc/maps.h"

#define STEPS_MAX     2000
#define SITES	      6
#define CRASHES	      60
#define CRASH_LATE_US 1500
#define LEFT_MAX      8 /* regions that may be left by one death: one, really */

static int steps_left;
static struct victim victim;
/* The remote of who is killed, and of who cleans up. */
static int (*open_remote)(pid_t pid, struct remote **ret),
	(*open_clean)(pid_t pid, struct remote **ret);

static void die_at_step(void)
{
	if (--steps_left == 0)
		kill(getpid(), SIGKILL);
}

static int setup(void **state)
{
	(void)state;
	cache_map();
	victim_start_fn(&victim, cache_victim);
	open_remote = open_clean = remote_ptrace_open;
	return 0;
}

static int setup_agent(void **state)
{
	(void)state;
	cache_map();
	fake_agent_map();
	victim_start_fn(&victim, cache_victim_agent);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	victim_stop(&victim);
	cache_unmap();
	return 0;
}

/* A whole session. Return: 0; a line where it went wrong. */
static int session(void)
{
	size_t restored, skipped;
	struct region *r;
	struct remote *own;
	uint64_t ns;

	if (open_remote(victim.pid, &own) || region_create(own, cache_low(), cache_high(), &r, &ns))
		return __LINE__;
	if (region_run_slot0(r, 4))
		return __LINE__;
	for (uint32_t slot = 1; slot <= SITES; slot++)
		if (cache_divert(r, slot))
			return __LINE__;
	if (region_restore(r, &restored, &skipped) || restored != SITES)
		return __LINE__;
	if (region_unmap(r))
		return __LINE__;
	region_close(r);
	remote_close(own);
	return 0;
}

static void check_nothing_left(struct remote *remote)
{
	struct maps maps;

	assert_int_equal(maps_read(victim.pid, &maps), 0);
	for (size_t i = 0; i < maps.n; i++)
		assert_null(strstr(maps.entries[i].path, "hotprobe"));
	maps_fini(&maps);
	assert_int_equal(region_close_fds(remote), 0);
	for (uint32_t i = 0; i <= SITES; i++)
		assert_int_equal(cache_word(&victim, i), cache_word(&victim, SITES + 1));
}

/* What the next attach does first. */
static void clean_up(void)
{
	size_t restored, skipped;
	struct region *r;
	struct remote *remote;
	pid_t holder;
	int err = 0, n;

	assert_int_equal(open_clean(victim.pid, &remote), 0);
	assert_true(region_close_fds(remote) >= 0);
	for (n = 0; n < LEFT_MAX; n++) {
		err = region_find(remote, cache_low(), cache_high(), 0, &r, &holder);
		if (err)
			break;
		assert_int_equal(region_restore(r, &restored, &skipped), 0);
		/* A thread may be inside for some microseconds. */
		do {
			err = region_unmap(r);
		} while (err == -EBUSY);
		assert_int_equal(err, 0);
		region_close(r);
	}
	assert_int_equal(err, -ENOENT);
	assert_in_range(n, 0, 1);
	check_nothing_left(remote);
	remote_close(remote);
	victim_check(&victim);
}

/* Killed between any two operations on the target. */
static void crash_everywhere(void **state)
{
	int step = 1;

	(void)state;
	for (; step < STEPS_MAX; step++) {
		int status;
		pid_t child = victim_fork();

		if (!child) {
			steps_left = step;
			hijack_step = die_at_step;
			_exit(session() & 0xff);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			break;
		}
		clean_up();
	}
	print_message("%d steps\n", step);
	assert_in_range(step, 100, STEPS_MAX - 1);
	clean_up();
}

/* Killed at a random moment; HP_CRASHES=N makes it longer. */
static void crash_at_random(void)
{
	unsigned int seed = (unsigned int)time(NULL) ^ (unsigned int)getpid();
	const char *more = getenv("HP_CRASHES");
	int wanted = more ? atoi(more) : CRASHES;

	print_message("seed %u\n", seed);
	for (int i = 0; i < wanted; i++) {
		pid_t child = victim_fork();
		int status;

		if (!child) {
			int line = 0;

			while (!line)
				line = session();
			_exit(line & 0xff);
		}
		usleep((unsigned int)rand_r(&seed) % CRASH_LATE_US);
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &status, 0), child);
		if (!WIFSIGNALED(status))
			fail_msg("session failed at line %d", WEXITSTATUS(status));
		clean_up();
	}
}

static void crash_random(void **state)
{
	(void)state;
	crash_at_random();
}

static void crash_random_agent(void **state)
{
	(void)state;
	open_remote = open_clean = remote_agent_open;
	crash_at_random();
}

/* What the agent was asked to do may not have been done yet when the next instance comes by ptrace.
 */
static void crash_random_agent_then_ptrace(void **state)
{
	(void)state;
	open_remote = remote_agent_open;
	open_clean = remote_ptrace_open;
	crash_at_random();
}

/* What a thread was sent to do may not be done yet when the next instance comes by the agent. */
static void crash_random_ptrace_then_agent(void **state)
{
	(void)state;
	open_remote = remote_ptrace_open;
	open_clean = remote_agent_open;
	crash_at_random();
}

int main(void)
{
	const struct CMUnitTest by_ptrace[] = {
		cmocka_unit_test(crash_everywhere),
		cmocka_unit_test(crash_random),
	};
	const struct CMUnitTest by_agent[] = {
		cmocka_unit_test(crash_random_agent),
		cmocka_unit_test(crash_random_agent_then_ptrace),
		cmocka_unit_test(crash_random_ptrace_then_agent),
	};
	int failed = cmocka_run_group_tests(by_ptrace, setup, teardown);

	return failed + cmocka_run_group_tests(by_agent, setup_agent, teardown);
}
