// SPDX-License-Identifier: MIT
/*
 * bench_jvm.c - what hotprobe costs a real JVM: per hit, per event, to attach, in pauses.
 *
 * Timings on shared machines are noisy, so the same loop is measured unprobed and probed in turns,
 * in one JVM, and medians are printed; the bare uprobe (same slot text, same kernel path, a program
 * that returns at once) is measured beside them.
 *
 *   bench_jvm [--json] [JDK...]      default: the system's 17
 */
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <sys/mman.h>

#include "lib/cmocka_all.h"
#include "lib/figure.h"
#include "lib/hp.h"
#include "lib/jvm.h"
#include "kernel/probe_bpf.h"

#define ROUNDS	    9
#define BURST	    20000 /* calls: what they send fits the ring many times over */
#define RATE_MAX    2000000
#define RATE_MS	    1000
#define BIG_METHODS "10000"

/* --- the bare uprobe -------------------------------------------------------------------------- */

static int no_record(void *arg _unused_, const struct hp_record *rec _unused_, size_t size _unused_)
{
	return 0;
}

/* Of this thread's CPU time. */
static double ns_per_call(void (*fn)(void), int n)
{
	struct timespec start, end;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
	for (int i = 0; i < n; i++)
		fn();
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
	return ((double)(end.tv_sec - start.tv_sec) * 1e9 + (double)(end.tv_nsec - start.tv_nsec)) /
	       n;
}

/* nop5; ret in a private mapping of a memfd of ours, with a probe on it that finds no live slot. */
struct bare {
	struct probe_bpf *bpf;
	void (*fn)(void);
	double unprobed; /* ns per call */
	int fd;
};

static void bare_start(struct bare *b)
{
	static const uint8_t code[] = {0x0f, 0x1f, 0x44, 0x00, 0x00, 0xc3};
	const struct hp_config config = {.string_max = 0, .wakeup_bytes = 4096};
	const struct probe_place place = {.slot = 1};
	char path[64];

	b->fd = memfd_create("bench", 0);
	if (b->fd < 0 || write(b->fd, code, sizeof(code)) != sizeof(code) || ftruncate(b->fd, 4096))
		fail_msg("bench_jvm: no memory file: %s", strerror(errno));
	b->fn = (void (*)(void))mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, b->fd, 0);
	if ((void *)b->fn == MAP_FAILED)
		fail_msg("bench_jvm: cannot map it: %s", strerror(errno));
	b->unprobed = ns_per_call(b->fn, BURST);
	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", (unsigned long)b->fn,
		 (unsigned long)b->fn + 4096);
	if (probe_bpf_open(&config, 65536, no_record, NULL, &b->bpf, NULL) ||
	    probe_bpf_attach(b->bpf, getpid(), path, &place, 1))
		fail_msg("bench_jvm: cannot probe it");
	ns_per_call(b->fn, BURST);
}

static double bare_hit(const struct bare *b)
{
	return ns_per_call(b->fn, BURST) - b->unprobed;
}

static void bare_stop(struct bare *b)
{
	probe_bpf_close(b->bpf);
	munmap((void *)b->fn, 4096);
	close(b->fd);
}

/* --- per hit ---------------------------------------------------------------------------------- */

/* Per call, in ns: of the calling thread's CPU time, and by the clock. */
struct cost {
	double cpu, clock;
};

static struct cost burst(struct jvm *j)
{
	_cleanup_free_ char *answer = jvm_ask(j, "burst %d", BURST);
	struct cost c = {NAN, NAN};

	sscanf(answer, "%lf %lf", &c.cpu, &c.clock);
	c.cpu /= BURST;
	c.clock /= BURST;
	return c;
}

/* A run of hotprobe that writes to a file, so that its reader is never the slowest part. */
struct run {
	struct child *hp;
	char *file;
};

/* @option: --json, --count-only, ...; NULL: text. */
static void run_start(struct run *r, struct jvm *j, const char *option)
{
	char pid[16], *line;

	snprintf(pid, sizeof(pid), "%d", j->pid);
	if (asprintf(&r->file, "%s/events", j->dir) < 0)
		abort();
	r->hp = hp_start((const char *const[]){"trace", "-p", pid, "-v", "-o", r->file,
					       "prog.Bench.hit", option, NULL});
	while ((line = child_error_line(r->hp, HP_TIMEOUT_MS)) && !strstr(line, "attached in "))
		free(line);
	if (!line)
		hp_fail(r->hp, "it ended before it was attached");
	free(line);
}

/* What it lost, as its last line tells, which is on stderr unless it is JSON. */
static long lost_of(struct run *r, bool json)
{
	_cleanup_fclose_ FILE *f = fopen(r->file, "re");
	_cleanup_free_ char *said = json ? calloc(1, 1024) : child_errors(r->hp);
	const char *line, *lost;

	if (json && f && said && !fseek(f, -1023, SEEK_END))
		said[fread(said, 1, 1023, f)] = '\0';
	line = strstr(said, json ? "{\"event\":\"detached\"" : "hotprobe: detached from");
	if (!line)
		return -1;
	if (json)
		return atol(strstr(line, "\"lost\":") + strlen("\"lost\":"));
	lost = strstr(line, " lost");
	while (lost && lost > line && lost[-1] != ' ')
		lost--;
	return lost ? atol(lost) : 0;
}

/* Stop it. Return: how many calls it lost. */
static long run_stop(struct run *r, bool json)
{
	long lost;

	child_signal(r->hp, SIGINT);
	if (child_wait(r->hp, HP_TIMEOUT_MS) != 0)
		hp_fail(r->hp, "it did not end well");
	lost = lost_of(r, json);
	if (lost < 0)
		hp_fail(r->hp, "it did not say what it lost");
	child_free(r->hp);
	unlink(r->file);
	free(r->file);
	return lost;
}

/*
 * Cost of one hit: bursts in turns, without and with the probe, and the bare uprobe in between. It
 * is the calling thread's CPU time that counts. By the clock it is more when the reader of the
 * events has to take its turn on the same CPUs: that is shown too.
 */
static void bench_hit(struct jvm *j, const char *option, const char *what, const char *target,
		      const char *ratio_target)
{
	double cpu[ROUNDS], clock[ROUNDS], bare[ROUNDS], ratio[ROUNDS];
	struct bare b;
	long lost = 0;

	bare_start(&b);
	for (int i = 0; i < ROUNDS; i++) {
		struct cost off = burst(j), on;
		struct run r;

		run_start(&r, j, option);
		burst(j); /* the first hit of each slot is slower: the kernel rewrites its nop */
		on = burst(j);
		lost += run_stop(&r, !strcmp(option, "--json"));
		bare[i] = bare_hit(&b);
		cpu[i] = on.cpu - off.cpu;
		clock[i] = on.clock - off.clock;
		ratio[i] = cpu[i] / bare[i];
	}
	bare_stop(&b);
	figure(j->jdk, what, median(cpu, ROUNDS), "ns/hit", target);
	figure(j->jdk, "  the bare uprobe beside it", median(bare, ROUNDS), "ns/hit",
	       "340 where the targets were set");
	figure(j->jdk, "  times the bare uprobe", median(ratio, ROUNDS), "", ratio_target);
	figure(j->jdk, "  by the clock, reader on the same CPUs", median(clock, ROUNDS), "ns/hit",
	       "");
	if (lost)
		figure(j->jdk, "  of these lost", (double)lost, "events", "0");
}

/* --- events per second ------------------------------------------------------------------------ */

static bool paced_without_loss(struct jvm *j, long rate, const char *form, double *reached)
{
	struct run r;
	long calls;

	run_start(&r, j, form);
	calls = jvm_do(j, "pace %ld %d", rate, RATE_MS);
	*reached = (double)calls * 1000 / RATE_MS;
	return run_stop(&r, form) == 0;
}

/* Largest steady rate at which a second of calls comes out whole in this form (NULL: text). */
static void bench_rate(struct jvm *j, const char *form, const char *what, const char *target)
{
	long lo = 10000, hi = RATE_MAX;
	double best = 0, reached;

	while (hi - lo > 20000) {
		long rate = (lo + hi) / 2;

		if (paced_without_loss(j, rate, form, &reached)) {
			best = fmax(best, reached);
			lo = rate;
		} else {
			hi = rate;
		}
	}
	figure(j->jdk, what, best, "events/s", target);
}

/* What is lost of a second at half a million calls, by the form in turns. */
static void bench_lost(struct jvm *j)
{
	static const char *const forms[] = {"--json", NULL};
	double lost[2][ROUNDS], reached;

	for (int i = 0; i < ROUNDS; i++)
		for (int f = 0; f < 2; f++) {
			struct run r;

			run_start(&r, j, forms[f]);
			reached = (double)jvm_do(j, "pace 500000 %d", RATE_MS);
			lost[f][i] = (double)run_stop(&r, forms[f]) / reached * 100;
		}
	figure(j->jdk, "lost at 500000 calls/s, as JSON", median(lost[0], ROUNDS), "%", "0");
	figure(j->jdk, "  as text", median(lost[1], ROUNDS), "%", "0");
}

/* --- attach ----------------------------------------------------------------------------------- */

static double number_after(const char *text, const char *key)
{
	const char *p = text ? strstr(text, key) : NULL;

	return p ? strtod(p + strlen(key), NULL) : NAN;
}

/* Until @n lines of its stderr have had @text. */
static void wait_said(struct child *hp, const char *text, int n)
{
	while (n > 0) {
		_cleanup_free_ char *line = child_error_line(hp, HP_TIMEOUT_MS);

		if (!line)
			hp_fail(hp, "it did not say \"%s\"", text);
		n -= strstr(line, text) != NULL;
	}
}

/* From register_nmethod to the probe being live, as hotprobe itself takes it: @what were compiled.
 */
static void bench_live(struct jvm *j, int classes, int methods, const char *what,
		       const char *target)
{
	static int serial;
	char pid[16];
	double live[ROUNDS];

	snprintf(pid, sizeof(pid), "%d", j->pid);
	for (int i = 0; i < ROUNDS; i++) {
		struct child *hp = hp_start((const char *const[]){
			"trace", "-p", pid, "-v", "-o", "/dev/null", "gen.Live*.m*", NULL});
		char *err;

		wait_said(hp, "attached in ", 1);
		for (int k = 0; k < classes; k++)
			free(jvm_ask(j, "add gen.Live%d %d", serial++, methods));
		wait_said(hp, " ms after register_nmethod", classes * methods);
		child_signal(hp, SIGINT);
		if (child_wait(hp, HP_TIMEOUT_MS) != 0)
			hp_fail(hp, "it did not end well");
		err = child_errors(hp);
		live[i] = number_after(err, "register_nmethod in ");
		free(err);
		child_free(hp);
	}
	figure(j->jdk, what, median(live, ROUNDS), "ms", target);
}

static void bench_attach(const struct jdk *jdk)
{
	const char *const flags[] = {"-Xcomp", "-XX:TieredStopAtLevel=1",
				     "-XX:CompileCommand=quiet",
				     "-XX:CompileCommand=dontinline,gen.*::*", NULL};
	double map[ROUNDS], all[ROUNDS], region[ROUNDS], patch[ROUNDS], detach[ROUNDS];
	double nmethods = 0;
	struct jvm j;
	char pid[16];

	jvm_start(&j, jdk, flags, (const char *const[]){"prog.Big", BIG_METHODS, NULL});
	jvm_ready(&j);
	snprintf(pid, sizeof(pid), "%d", j.pid);
	for (int i = 0; i < ROUNDS; i++) {
		const char *const argv[] = {"trace", "-p",	     pid, "-v", "-d",
					    "10ms",  "gen.Big0.m1*", NULL};
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
	figure(jdk, "nmethods in the JVM", nmethods, "", "");
	figure(jdk, "map complete", median(map, ROUNDS), "ms", "at most 200");
	figure(jdk, "attach in all, 111 methods probed", median(all, ROUNDS), "ms", "");
	figure(jdk, "start and detach", median(detach, ROUNDS), "ms", "");
	figure(jdk, "pause of one thread, region", median(region, ROUNDS), "ms", "");
	figure(jdk, "pause of one thread, 111 diversions", median(patch, ROUNDS), "ms", "");
	bench_live(&j, 20, 1, "register_nmethod to probe live", "under 1");
	bench_live(&j, 1, 100, "  100 compiled in a row", "");
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
	bench_hit(&j, "--count-only", "counted", "at most 400", "at most 1.18");
	bench_hit(&j, "--json", "entry event, three arguments", "at most 700", "at most 2.06");
	bench_rate(&j, "--json", "events to JSON without loss", "");
	bench_rate(&j, NULL, "events to text without loss", "at least 500000");
	bench_lost(&j);
	jvm_quit(&j);
	jvm_free(&j);
	bench_attach(jdk);
}

int main(int argc, char **argv)
{
	return bench_main(&(struct bench){.name = "jvm", .run = bench_jdk, .jdk = "jdk17"}, argc,
			  argv);
}
