/* SPDX-License-Identifier: MIT */
/*
 * test_soak.c - attach and detach, over and over, against a program that is busy in every way:
 * calling, allocating, overflowing stacks, loading and dropping classes. One time in ten hotprobe
 * is killed with SIGKILL wherever it is. The program checks all its own results.
 *
 *   HP_SOAK_SECONDS  how long, all JVMs together (60); `make soak SECONDS=` for more
 *   HP_SEED          the random numbers of an earlier run
 */
#include <signal.h>
#include <time.h>

#include "lib/cmocka_all.h"
#include "lib/exact.h"

#define SOAK_SECONDS 60
#define CYCLE_MAX_MS 700
#define THREADS	     "6"

static const struct {
	const char *jdk;
	const char *flags[4];
} ways[] = {
	{"jdk17", {"-XX:+UseG1GC"}},
	{"jdk25", {"-XX:+UseZGC"}},
	{"jdk17", {"-XX:+UseShenandoahGC"}},
	{"jdk21", {"-XX:+UseZGC", "-XX:+ZGenerational"}},
	{"jdk25", {"-XX:+UseG1GC", "-XX:+UseCompactObjectHeaders"}},
	{"jdk17", {"-XX:+UseParallelGC", "-XX:-UseCompressedOops"}},
};

struct figures {
	size_t cycles, kills;
	size_t stayed; /* detached, but a thread was inside the region */
};

static unsigned int seed;

static int random_below(int n)
{
	return (int)(rand_r(&seed) / (RAND_MAX + 1.0) * n);
}

/* Ends one way or the other; what is left is for the next one. */
static void cycle(struct jvm *j, struct figures *f)
{
	bool kill_it = random_below(10) == 0;
	struct child *hp =
		hp_trace(j->pid, (const char *const[]){"-o", "/dev/null", "--string-max", "32",
						       "prog.Busy.*", "prog.BusyPart.*", NULL});
	_cleanup_free_ char *errors = NULL;
	int status;

	pause_ms(random_below(CYCLE_MAX_MS));
	f->cycles++;
	if (kill_it) {
		child_kill_tree(hp);
		f->kills++;
		child_free(hp);
		return;
	}
	child_signal(hp, SIGINT);
	status = child_wait(hp, HP_TIMEOUT_MS);
	errors = child_errors(hp);
	/* Sent before main() could hold signals back: nothing had begun yet. */
	if (status == 128 + SIGINT && !*errors)
		status = 0;
	if (status == CHILD_TIMEOUT || status > 1)
		hp_fail(hp, "cycle %zu: status %d (%s)", f->cycles, status,
			child_running(j->c) ? "the JVM runs" : "the JVM ended");
	f->stayed += status == 1;
	if (status == 1)
		print_message("    cycle %zu: %s", f->cycles, errors);
	child_free(hp);
}

static void finish(struct jvm *j, const struct figures *f)
{
	struct hp_result r;
	char pid[16], *answer;

	snprintf(pid, sizeof(pid), "%d", j->pid);
	answer = jvm_ask(j, "stop");
	if (strncmp(answer, "0 errors", 8))
		jvm_fail(j, "results went wrong: %s", answer);
	hp_run(&r, (const char *const[]){"clean", "-p", pid, NULL});
	hp_result_check(&r, 0);
	if (jvm_maps_has(j, "memfd:hotprobe"))
		jvm_fail(j, "something of ours is left");
	jvm_check_unhurt(j);
	print_message("    %zu cycles, %zu killed, %zu stayed mapped; %s\n", f->cycles, f->kills,
		      f->stayed, answer);
	hp_result_free(&r);
	free(answer);
}

static void soak(const struct jdk *jdk, const char *const *flags, uint64_t ms)
{
	const char *all[16] = {"-Xmx96m", JVM_QUIET, "-XX:CompileCommand=dontinline,prog.Busy::*"};
	uint64_t until = mono_ms() + ms;
	struct figures f = {0};
	struct jvm j;

	for (size_t i = 0; flags[i]; i++)
		all[3 + i] = flags[i];
	print_message("  %s %s %s\n", jdk->name, flags[0], flags[1] ? flags[1] : "");
	jvm_start(&j, jdk, all, (const char *const[]){"prog.Busy", THREADS, NULL});
	jvm_ready(&j);
	while (mono_ms() < until) {
		cycle(&j, &f);
		jvm_check_unhurt(&j);
	}
	finish(&j, &f);
	jvm_quit(&j);
}

/* However often, and however it ends: every result right, no crash, nothing left. */
static void soak_attach_detach_kill(void **state _unused_)
{
	const char *seconds = getenv("HP_SOAK_SECONDS"), *given = getenv("HP_SEED");
	uint64_t ms = (uint64_t)(seconds ? atoi(seconds) : SOAK_SECONDS) * 1000;

	seed = given ? (unsigned int)strtoul(given, NULL, 10) : (unsigned int)time(NULL);
	print_message("  HP_SEED=%u, %llu s\n", seed, (unsigned long long)ms / 1000);
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		const struct jdk *jdk = jdk_find(ways[i].jdk);

		if (jdk)
			soak(jdk, ways[i].flags, ms / ARRAY_SIZE(ways));
		else
			test_pass_over("no %s", ways[i].jdk);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		jvm_test(soak_attach_detach_kill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
