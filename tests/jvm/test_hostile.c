/* SPDX-License-Identifier: MIT */
/*
 * test_hostile.c - JVMs that play tricks: the trace works or is refused in one line, hotprobe never
 * dies of them, and `clean` never says that nothing is left where something is.
 */
#include "lib/attach.h"
#include "lib/cmocka_all.h"
#include "lib/exact.h"

#define SHRINK_TRIES 6

static void hostile_start(struct jvm *j, const char *trick)
{
	_cleanup_free_ char *library = built_path("../lib/hostile_agent.so"), *flag = NULL;

	assert_true(asprintf(&flag, "-agentpath:%s=%s", library, trick) > 0);
	jvm_start(j, jdk_or_skip("jdk17"), (const char *const[]){flag, NULL},
		  (const char *const[]){"prog.Busy", NULL});
	jvm_ready(j);
}

static void hp_about(struct hp_result *r, struct jvm *j, const char *command)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", j->pid);
	hp_run(r, (const char *const[]){command, "-p", pid, NULL});
}

/* A memfd that is cut short before it is sealed: refused, or caught in time; nothing stays. */
static void shrinks_its_memfds(void **state _unused_)
{
	struct hp_result r;
	char pid[16];
	struct jvm j;

	hostile_start(&j, "shrink");
	snprintf(pid, sizeof(pid), "%d", j.pid);
	for (int i = 0; i < SHRINK_TRIES; i++) {
		hp_run(&r, (const char *const[]){"trace", "-q", "-p", pid, "-d", "0.1",
						 "prog.Busy.work", NULL});
		if (r.status) {
			hp_result_check(&r, 1);
			assert_non_null(strstr(r.err, "changed the memfd that was made there"));
		}
		hp_result_free(&r);
		hp_about(&r, &j, "clean");
		hp_result_check(&r, 0);
		hp_result_free(&r);
		assert_false(jvm_maps_has(&j, "memfd:hotprobe"));
	}
	jvm_check_unhurt(&j);
	jvm_quit(&j);
}

/* Mappings of our name that no hotprobe of this version made: they stay, and `clean` says so. */
static void clean_tells_what_stays(void **state _unused_)
{
	struct hp_result r;
	struct jvm j;

	hostile_start(&j, "maps");
	hp_about(&r, &j, "clean");
	hp_result_check(&r, 1);
	assert_non_null(strstr(r.err, "2 mappings or descriptors named memfd:hotprobe stay"));
	hp_result_free(&r);
	jvm_check_unhurt(&j);
	jvm_quit(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		jvm_test(shrinks_its_memfds),
		jvm_test(clean_tells_what_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
