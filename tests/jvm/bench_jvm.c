// SPDX-License-Identifier: MIT
/*
 * bench_jvm.c - what hotprobe costs a real JVM: per hit, per event, to attach, in pauses.
 *
 * Timings on shared machines are noisy, so the same loop is measured unprobed and probed in turns, in
 * one JVM, and medians are printed; the bare uprobe (same slot text, same kernel path, a
 * program that returns at once) is measured beside them.
 *
 *   bench_jvm [--json] [JDK...]      default: the system's 17
 */
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <sys/mman.h>

#include "cmocka_all.h"
#include "hp.h"
#include "jvm.h"
#include "probe/bpf_load.h"

#define ROUNDS	    9
#define BURST	    20000 /* calls: what they send fits the ring many times over */
#define RATE_MAX    2000000
#define RATE_MS	    1000
#define BIG_METHODS "10000"

static bool as_json;

static void report(const char *jdk, const char *what, double value, const char *unit,
		   const char *target)
{
	if (as_json)
		printf("{\"bench\":\"jvm\",\"jdk\":\"%s\",\"what\":\"%s\",\"value\":%.3f,"
		       "\"unit\":\"%s\"}\n",
		       jdk, what, value, unit);
	else
		printf("%-10s %-44s %12.2f %-9s %s\n", jdk, what, value, unit, target);
	fflush(stdout);
}

static int cmp_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), cmp_double);
	return v[n / 2];
}

/* --- the bare uprobe -------------------------------------------------------------------------- */

static int no_record(void *arg _unused_, const struct hp_record *rec _unused_, size_t size _unused_)
{
	return 0;
}

static double ns_per_call(void (*fn)(void), int n)
{
	uint64_t start = clock_ns();

	for (int i = 0; i < n; i++)
		fn();
	return (double)(clock_ns() - start) / n;
}

/* nop5; ret in a private mapping of a memfd of ours, with the probe on it, which finds no live slot. */
static void bench_bare(void)
{
	static const uint8_t code[] = {0x0f, 0x1f, 0x44, 0x00, 0x00, 0xc3};
	const struct hp_config config = {.string_max = 0, .wakeup_bytes = 4096};
	const unsigned long offset = 0;
	double off[ROUNDS], on[ROUNDS];
	struct probe_bpf *bpf;
	char path[64];
	void (*fn)(void);
	int fd = memfd_create("bench", 0);

	if (fd < 0 || write(fd, code, sizeof(code)) != sizeof(code) || ftruncate(fd, 4096))
		return;
	fn = (void (*)(void))mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	if ((void *)fn == MAP_FAILED || probe_bpf_open(&config, 65536, no_record, NULL, &bpf))
		return;
	for (int i = 0; i < ROUNDS; i++)
		off[i] = ns_per_call(fn, 100000);
	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", (unsigned long)fn,
		 (unsigned long)fn + 4096);
	if (probe_bpf_attach(bpf, getpid(), path, 1, 1, &offset) == 0) {
		for (int i = 0; i < ROUNDS; i++)
			on[i] = ns_per_call(fn, 100000);
		report("-", "bare uprobe, 5-byte nop", median(on, ROUNDS) - median(off, ROUNDS),
		       "ns/hit", "(340 where the targets were set)");
	}
	probe_bpf_close(bpf);
	close(fd);
}

/* --- per hit ---------------------------------------------------------------------------------- */

static double burst(struct jvm *j)
{
	return (double)jvm_do(j, "burst %d", BURST) / BURST;
}

/* A run of hotprobe that writes to a file, so that its reader is never the slowest part. */
struct run {
	struct child *hp;
	char *file;
};

static void run_start(struct run *r, struct jvm *j, const char *option)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", j->pid);
	if (asprintf(&r->file, "%s/events", j->dir) < 0)
		abort();
	unlink(r->file);
	r->hp = hp_start((const char *const[]){"trace", "-p", pid, "--json", "-q", "-o", r->file,
					       option, "prog.Bench.hit", NULL});
	for (;;) {
		_cleanup_fclose_ FILE *f = fopen(r->file, "re");
		char line[64] = "";

		if (f && fgets(line, sizeof(line), f) && strstr(line, "\"attached\""))
			return;
		if (!child_running(r->hp))
			hp_fail(r->hp, "it ended before it was attached");
		pause_ms(5);
	}
}

/* Stop it; its last line is "detached". Return: what it says of @key. */
static long run_stop(struct run *r, const char *key)
{
	char tail[1024], *line;
	json_t *detached;
	FILE *f;
	size_t n;
	long v;

	child_signal(r->hp, SIGINT);
	if (child_wait(r->hp, HP_TIMEOUT_MS) != 0)
		hp_fail(r->hp, "it did not end well");
	f = fopen(r->file, "re");
	fseek(f, -(long)sizeof(tail) + 1, SEEK_END);
	n = fread(tail, 1, sizeof(tail) - 1, f);
	fclose(f);
	tail[n] = '\0';
	line = strstr(tail, "{\"event\":\"detached\"");
	detached = line ? json_line(line) : NULL;
	v = json_integer_value(json_object_get(detached, key));
	json_decref(detached);
	child_free(r->hp);
	unlink(r->file);
	free(r->file);
	return v;
}

/* Cost of one hit: bursts in turns, without and with the probe. */
static void bench_hit(struct jvm *j, const char *option, const char *what, const char *target)
{
	double off[ROUNDS], on[ROUNDS], diff[ROUNDS];
	long lost = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct run r;

		off[i] = burst(j);
		run_start(&r, j, option);
		burst(j); /* the first hit of each slot is slower: the kernel rewrites its nop */
		on[i] = burst(j);
		lost += run_stop(&r, "lost");
		diff[i] = on[i] - off[i];
	}
	report(j->jdk->name, what, median(diff, ROUNDS), "ns/hit", target);
	if (lost)
		report(j->jdk->name, "  of these lost", (double)lost, "events", "0");
}

/* --- events per second ------------------------------------------------------------------------ */

static bool paced_without_loss(struct jvm *j, long rate, double *reached)
{
	struct run r;
	long calls;

	run_start(&r, j, "--json");
	calls = jvm_do(j, "pace %ld %d", rate, RATE_MS);
	*reached = (double)calls * 1000 / RATE_MS;
	return run_stop(&r, "lost") == 0;
}

/* Largest steady rate at which a second of calls comes out whole as JSON. */
static void bench_rate(struct jvm *j)
{
	long lo = 10000, hi = RATE_MAX;
	double best = 0, reached;

	while (hi - lo > 20000) {
		long rate = (lo + hi) / 2;

		if (paced_without_loss(j, rate, &reached)) {
			best = fmax(best, reached);
			lo = rate;
		} else {
			hi = rate;
		}
	}
	report(j->jdk->name, "events to JSON without loss", best, "events/s", "");
}

/* --- attach ----------------------------------------------------------------------------------- */

static double number_after(const char *text, const char *key)
{
	const char *p = text ? strstr(text, key) : NULL;

	return p ? strtod(p + strlen(key), NULL) : NAN;
}

static void bench_attach(const struct jdk *jdk)
{
	const char *const flags[] = {"-Xcomp", "-XX:TieredStopAtLevel=1", "-XX:CompileCommand=quiet",
				     "-XX:CompileCommand=dontinline,gen.*::*", NULL};
	double map[ROUNDS], all[ROUNDS], region[ROUNDS], patch[ROUNDS], detach[ROUNDS];
	double nmethods = 0;
	struct jvm j;
	char pid[16];

	jvm_start(&j, jdk, flags, (const char *const[]){"prog.Big", BIG_METHODS, NULL});
	jvm_ready(&j);
	snprintf(pid, sizeof(pid), "%d", j.pid);
	for (int i = 0; i < ROUNDS; i++) {
		const char *const argv[] = {"trace", "-p", pid, "-v", "-d", "10ms", "gen.Big0.m1*",
					    NULL};
		uint64_t start = clock_ns();
		struct hp_result r;

		hp_run(&r, argv);
		detach[i] = (double)(clock_ns() - start) / 1e6;
		all[i] = number_after(r.err, "attached in ");
		nmethods = number_after(r.err, "map of ");
		map[i] = number_after(r.err, "nmethods in ");
		region[i] = number_after(r.err, "stood for ");
		patch[i] = number_after(r.err, "map the region, ");
		detach[i] -= all[i] + 10;
		hp_result_free(&r);
	}
	report(jdk->name, "nmethods in the JVM", nmethods, "", "");
	report(jdk->name, "map complete", median(map, ROUNDS), "ms", "at most 200");
	report(jdk->name, "attach in all, 111 methods probed", median(all, ROUNDS), "ms", "");
	report(jdk->name, "start and detach", median(detach, ROUNDS), "ms", "");
	report(jdk->name, "pause of one thread, region", median(region, ROUNDS), "ms", "");
	report(jdk->name, "pause of one thread, 111 diversions", median(patch, ROUNDS), "ms", "");
	jvm_quit(&j);
	jvm_free(&j);
}

static void bench_jdk(const struct jdk *jdk)
{
	const char *const flags[] = {"-XX:CompileCommand=quiet",
				     "-XX:CompileCommand=dontinline,prog.Bench::hit", NULL};
	struct jvm j;

	jvm_start(&j, jdk, flags, (const char *const[]){"prog.Bench", NULL});
	jvm_ready(&j);
	jvm_settle(&j, NULL);
	bench_hit(&j, "--count-only", "counted", "at most 400");
	bench_hit(&j, "--json", "entry event, three arguments", "at most 700");
	bench_rate(&j);
	jvm_quit(&j);
	jvm_free(&j);
	bench_attach(jdk);
}

int main(int argc, char **argv)
{
	int first = 1;

	if (argc > 1 && strcmp(argv[1], "--json") == 0) {
		as_json = true;
		first = 2;
	}
	bench_bare();
	for (int i = first; i < argc; i++) {
		const struct jdk *jdk = jdk_find(argv[i]);

		if (jdk)
			bench_jdk(jdk);
		else
			fprintf(stderr, "bench_jvm: no JDK '%s' here\n", argv[i]);
	}
	if (first == argc)
		bench_jdk(jdk_find("jdk17"));
	return 0;
}
