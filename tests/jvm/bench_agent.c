// SPDX-License-Identifier: MIT
/*
 * bench_agent.c - what the agent costs a JVM: time of a start-up that compiles much, and memory.
 *
 * The closure compiler compiles a large script, in turns without the agent, with it, and with it
 * writing every compile event to a file. What counts is the median of the ratios of runs that came
 * one right after the other.
 *
 *   bench_agent [--json] [JDK...]	default: jdk21 (the compiler needs 21)
 */
#include <math.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "lib/cmocka_all.h"
#include "lib/figure.h"
#include "lib/hp.h"
#include "lib/jvm.h"

#define ROUNDS	     9
#define MEMORY_TURNS 9

enum { WITHOUT, WITH, EVENTS, KINDS };

/* The option that loads the agent, or one that changes nothing. */
static char *agent_flag(int kind, const char *dir)
{
	const char *library = env_agent();
	char *flag;

	if ((kind == WITHOUT && asprintf(&flag, "-Dagent=none") < 0) ||
	    (kind == WITH && asprintf(&flag, "-agentpath:%s=quiet", library) < 0) ||
	    (kind == EVENTS &&
	     asprintf(&flag, "-agentpath:%s=quiet,events=%s/compiles", library, dir) < 0))
		abort();
	return flag;
}

/* --- time ------------------------------------------------------------------------------------- */

struct cost {
	double cpu, clock; /* seconds */
};

static double seconds(const struct timeval *t)
{
	return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

static struct cost compile(const struct jdk *jdk, int kind)
{
	_cleanup_free_ char *dir = test_dir(), *flag = agent_flag(kind, dir), *out = NULL;
	_cleanup_free_ char *jar = NULL, *script = NULL;
	struct rusage before, after;
	struct child *c;
	uint64_t start_ns;
	struct cost cost;

	if (asprintf(&jar, "%s/closure-compiler.jar", env_apps()) < 0 ||
	    asprintf(&script, "%s/rxjs.js", env_apps()) < 0 || asprintf(&out, "%s/out.js", dir) < 0)
		abort();
	getrusage(RUSAGE_CHILDREN, &before);
	start_ns = clock_ns();
	c = child_start((const char *const[]){jdk->java, flag, "-jar", jar, "--js", script,
					      "--js_output_file", out, "--warning_level", "QUIET",
					      NULL},
			NULL);
	if (child_wait(c, JVM_TIMEOUT_MS) != 0)
		hp_fail(c, "the compiler did not end well");
	cost.clock = (double)(clock_ns() - start_ns) / 1e9;
	child_free(c);
	getrusage(RUSAGE_CHILDREN, &after);
	cost.cpu = seconds(&after.ru_utime) + seconds(&after.ru_stime) - seconds(&before.ru_utime) -
		   seconds(&before.ru_stime);
	test_cleanup(NULL);
	return cost;
}

static void report_ratio(const struct jdk *jdk, const char *what, int kind,
			 struct cost costs[KINDS][ROUNDS], const char *target)
{
	double cpu[ROUNDS], clock[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		cpu[i] = 100 * (costs[kind][i].cpu / costs[WITHOUT][i].cpu - 1);
		clock[i] = 100 * (costs[kind][i].clock / costs[WITHOUT][i].clock - 1);
	}
	figure(jdk, what, median(clock, ROUNDS), "% longer", target);
	figure(jdk, "  the same in CPU time", median(cpu, ROUNDS), "% more", "");
}

static void bench_time(const struct jdk *jdk)
{
	static struct cost costs[KINDS][ROUNDS];
	double plain[ROUNDS];

	compile(jdk, WITHOUT); /* files into memory */
	for (int i = 0; i < ROUNDS; i++) {
		/* Each kind comes first, second and last as often as the others. */
		for (int k = 0; k < KINDS; k++) {
			int kind = (i + k) % KINDS;

			costs[kind][i] = compile(jdk, kind);
		}
		plain[i] = costs[WITHOUT][i].clock;
	}
	figure(jdk, "closure compiler, without the agent", median(plain, ROUNDS), "s", "");
	report_ratio(jdk, "with the agent", WITH, costs, "at most 2");
	report_ratio(jdk, "with the agent writing each event", EVENTS, costs, "");
}

/* --- memory ----------------------------------------------------------------------------------- */

static double rss_kib(pid_t pid)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[64], line[256];
	double kib = NAN;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Rss: %lf", &kib) == 1)
			break;
	return kib;
}

/* Little else in this JVM varies: no compiler, one collector thread, a heap that is all there. */
static double memory(const struct jdk *jdk, int kind)
{
	_cleanup_free_ char *dir = test_dir(), *flag = agent_flag(kind, dir);
	const char *const flags[] = {flag,	"-Xint",   "-XX:+UseSerialGC",
				     "-Xms16m", "-Xmx16m", "-XX:+AlwaysPreTouch",
				     NULL};
	struct jvm j;
	double kib;

	jvm_start(&j, jdk, flags, (const char *const[]){"prog.Run", "main", NULL});
	jvm_ready(&j);
	kib = rss_kib(j.pid);
	jvm_quit(&j);
	jvm_free(&j);
	test_cleanup(NULL);
	return kib;
}

static void bench_memory(const struct jdk *jdk)
{
	double diff[KINDS][MEMORY_TURNS];

	for (int i = 0; i < MEMORY_TURNS; i++) {
		double plain = memory(jdk, WITHOUT);

		for (int kind = WITH; kind < KINDS; kind++)
			diff[kind][i] = memory(jdk, kind) - plain;
	}
	figure(jdk, "memory of the agent", median(diff[WITH], MEMORY_TURNS), "KiB", "at most 2048");
	figure(jdk, "  while it writes each event", median(diff[EVENTS], MEMORY_TURNS), "KiB",
	       "at most 2048");
}

static void bench_jdk(const struct jdk *jdk)
{
	bench_memory(jdk);
	bench_time(jdk);
}

int main(int argc, char **argv)
{
	return bench_main(&(struct bench){.name = "agent", .run = bench_jdk, .jdk = "jdk21"}, argc,
			  argv);
}
