// SPDX-License-Identifier: MIT
/*
 * test_profiler.c - a profiler that samples by SIGPROF runs beside us: it must get the stacks that
 * it gets without us, also of threads that are in a slot, and never hurt the JVM.
 */
#include <signal.h>

#include "lib/attach.h"
#include "lib/cmocka_all.h"
#include "lib/exact.h"

#define PLAIN_CALLS  200000000 /* some second each; a sample is taken every few ms */
#define PROBED_CALLS 400000
#define ROUNDS	     5
#define SAMPLES_MIN  50
#define MORE_PERCENT 5 /* of the samples may fail that would not without us */

/* What the profiler says at the end, see lib/agent/profiler_agent.c. */
struct profile {
	long samples, stacks, complete;
	char codes[256];
};

static int percent(long part, const struct profile *p)
{
	return (int)(100 * part / MAX(p->samples, 1));
}

static void profile_end(struct jvm *j, struct profile *ret)
{
	_cleanup_free_ char *errors = NULL;
	const char *said;

	child_close_stdin(j->c);
	assert_int_equal(child_wait(j->c, JVM_TIMEOUT_MS), 0);
	errors = child_errors(j->c);
	said = strstr(errors, "PROFILE ");
	if (!said || sscanf(said, "PROFILE %ld %ld %ld %255[^\n]", &ret->samples, &ret->stacks,
			    &ret->complete, ret->codes) < 3)
		jvm_fail(j, "the profiler said nothing");
	jvm_free(j);
}

static void probed_calls(struct jvm *j)
{
	json_t *events = json_array(), *last;

	for (int i = 0; i < ROUNDS; i++) {
		struct child *hp = hp_trace(
			j->pid, (const char *const[]){"--count-only", "prog.Busy.work", NULL});

		json_decref(hp_attached(hp));
		free(jvm_ask(j, "calls %d", PROBED_CALLS));
		/* What a dead signal frame left in a hole of the stack looks like one that lives.
		 */
		last = hp_finish(hp, SIGINT, HP_MAY_STAY, events);
		assert_int_equal(json_integer_value(json_object_get(last, "hits")), PROBED_CALLS);
		assert_true(json_is_true(json_object_get(last, "restored")) ||
			    child_wait(hp, 0) == 1);
		json_decref(last);
		child_free(hp);
	}
	json_decref(events);
}

static void profile(const struct jdk *jdk, bool probed, struct profile *ret)
{
	_cleanup_free_ char *library = built_path("../lib/profiler_agent.so"), *agent = NULL;
	struct jvm j;
	char *answer;

	*ret = (struct profile){0};
	assert_true(asprintf(&agent, "-agentpath:%s", library) > 0);
	jvm_start(&j, jdk,
		  (const char *const[]){JVM_C2, agent,
					"-XX:CompileCommand=dontinline,prog.Busy::work", NULL},
		  (const char *const[]){"prog.Busy", NULL});
	jvm_ready(&j);
	if (probed)
		probed_calls(&j);
	else
		free(jvm_ask(&j, "calls %d", PLAIN_CALLS));
	answer = jvm_ask(&j, "status");
	assert_int_equal(strncmp(answer, "0 errors", 8), 0);
	free(answer);
	jvm_check_unhurt(&j);
	profile_end(&j, ret);
	print_message("  %-8s %-8s %5ld samples: %3d%% stacks, %3d%% complete; %s\n", jdk->name,
		      probed ? "probed" : "plain", ret->samples, percent(ret->stacks, ret),
		      percent(ret->complete, ret), ret->codes);
	assert_true(ret->samples >= SAMPLES_MIN);
}

/* Nearly all of the time of the probed program is spent in slots. */
static void profiler_gets_the_stacks_of_probed_calls(void **state _unused_)
{
	static const char *const jdks[] = {"jdk17", "jdk21", "jdk25"};

	for (size_t i = 0; i < ARRAY_SIZE(jdks); i++) {
		const struct jdk *jdk = jdk_or_skip(jdks[i]);
		struct profile plain, probed;

		profile(jdk, false, &plain);
		profile(jdk, true, &probed);
		assert_true(percent(probed.stacks, &probed) >=
			    percent(plain.stacks, &plain) - MORE_PERCENT);
		assert_true(percent(probed.complete, &probed) >=
			    percent(plain.complete, &plain) - MORE_PERCENT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		jvm_test(profiler_gets_the_stacks_of_probed_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
