/* SPDX-License-Identifier: MIT */
/*
 * test_chaos.c - whatever is done to hotprobe, to its target, and to who reads its output, at any
 * moment: the target is unharmed and its results are right, all that was printed is true, and in
 * the end nothing is left. The probes go within half a second of a signal, the process within two.
 *
 * The moments and what happens are random. Two targets at a time, each with a process of its own
 * that comes to it again and again with one to three hotprobes: this program with "target" and its
 * number as arguments. What they did is in a report at the end.
 *
 *   HP_CHAOS_SECONDS  how long (180); `make chaos SECONDS=` for more
 *   HP_SEED           the random numbers of an earlier run; the moments are never quite the same
 *   HP_CHAOS_WAY      only this kind of target, by its number
 *   HP_CHAOS_STRICT   take the times as they are: the machine does nothing else
 *   HP_CHAOS_VERBOSE  say what is done at once
 */
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "lib/chaos.h"
#include "lib/chaos_disturb.h"
#include "lib/chaos_run.h"
#include "lib/cmocka_all.h"
#include "lib/hp.h"

#define SECONDS	    180
#define TARGETS	    2	  /* at a time */
#define TARGET_SMIN 8	  /* how long one lives, at least */
#define RUNS_MAX    3	  /* hotprobes on one target */
#define TIDY_MS	    60000 /* for what was killed to be gone */
#define CLEAN_MAX   10	  /* a thread may be inside the region for a while */
#define LEFT_EVERY  3	  /* how often the code is looked at */
#define OFF_MS	    500	  /* what is promised from a signal on */
#define END_MS	    2000
#define LATE_FACTOR 20 /* for a single time, beside other programs */

#define GC(name) "-XX:+Use" name "GC"

static const struct chaos_way ways[] = {
	{"jdk17", {GC("G1")}, false, false},
	{"jdk25", {GC("Z")}, false, false},
	{"jdk21", {GC("Parallel")}, false, true},
	{"ce25", {NULL}, true, false},
	{"jdk17", {GC("Shenandoah")}, false, false},
	{"jdk25", {GC("Serial")}, false, true},
	{"jdk21", {GC("Z"), "-XX:+ZGenerational"}, false, false},
	{"jdk17", {GC("Z")}, false, true},
	{"jdk25", {GC("Shenandoah")}, false, false},
	{"jdk17-stripped", {GC("G1")}, false, false},
	{"jdk21", {GC("G1")}, false, false},
	{"jdk17", {GC("Serial")}, false, false},
	{"jdk25", {GC("G1"), "-XX:+UseCompactObjectHeaders"}, false, false},
	{"jdk17", {GC("Parallel"), "-XX:-UseCompressedOops"}, false, false},
	{"jdk21", {GC("Shenandoah")}, false, true},
	{"ce19-symbols", {NULL}, true, false},
	{"jdk25", {GC("Parallel")}, false, false},
	{"jdk21", {GC("Serial")}, false, false},
	{"jdk17-bare", {GC("Serial")}, false, false},
	{"jdk17", {GC("G1")}, false, true},
};

static uint64_t number_of(const char *name, uint64_t otherwise)
{
	const char *s = getenv(name);

	return s && *s ? strtoull(s, NULL, 10) : otherwise;
}

/* --- one target ------------------------------------------------------------------------------- */

static struct scene {
	struct chaos_target t;
	char *dir, *full;
	uint64_t cycles;
} scene;

/* A disk for this process alone, which it takes along when it ends. */
static void mount_full(void)
{
	assert_true(asprintf(&scene.full, "%s/full", scene.dir) > 0);
	assert_int_equal(mkdir(scene.full, 0755), 0);
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("none", scene.full, "tmpfs", 0, "size=32k"), 0);
}

/* Others may have been sent. */
static bool is_crash(int sig)
{
	return sig == SIGSEGV || sig == SIGBUS || sig == SIGABRT || sig == SIGILL ||
	       sig == SIGFPE || sig == SIGSYS || sig == SIGXFSZ;
}

/* Engines whose command was killed are ours now (PR_SET_CHILD_SUBREAPER): they must end. */
static void await_orphans(void)
{
	uint64_t until = mono_ms() + TIDY_MS;
	pid_t pids[16], other;
	int status;
	size_t n;

	do {
		other = 0;
		n = child_descendants(getpid(), pids, ARRAY_SIZE(pids));
		for (size_t i = 0; i < n; i++) {
			if (pids[i] == scene.t.j.pid)
				continue;
			if (waitpid(pids[i], &status, WNOHANG) != pids[i])
				other = pids[i];
			else if (WIFSIGNALED(status) && is_crash(WTERMSIG(status)))
				fail_msg("process %d crashed: signal %d", pids[i],
					 WTERMSIG(status));
		}
		if (other)
			pause_ms(2);
	} while (other && mono_ms() < until);
	if (other)
		fail_msg("process %d was left behind", other);
}

static void clean(void)
{
	struct hp_result r = {0};
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", scene.t.j.pid);
	for (int i = 0; i < CLEAN_MAX; i++) {
		hp_result_free(&r);
		hp_run(&r, (const char *const[]){"clean", "-p", pid, NULL});
		chaos_say("clean: status %d: %.200s%.200s", r.status, r.out, r.err);
		if (!r.status)
			break;
		pause_ms(100);
	}
	if (r.status && child_running(scene.t.j.c))
		fail_msg("clean does not get done: status %d, '%s'", r.status, r.err);
	hp_result_free(&r);
}

static void check_left(bool may_leave)
{
	struct chaos_figures f = {.runs = 1, .off_ms = -1, .end_ms = -1};
	const char *left;

	if (chaos_target_ended(&scene.t))
		return;
	left = chaos_target_left(&scene.t);
	if (left && !may_leave && !scene.t.way->image)
		jvm_fail(&scene.t.j, "after an end in order %s", left);
	if (left || may_leave) {
		chaos_figures_add("left, to be cleaned", left ? left : "nothing", &f);
		clean();
		chaos_target_take_sign(&scene.t);
	}
	if (chaos_target_ended(&scene.t))
		return;
	left = chaos_target_left(&scene.t);
	if (left)
		jvm_fail(&scene.t.j, "%s", left);
	if (scene.cycles % LEFT_EVERY == 0 || may_leave)
		chaos_target_check_code(&scene.t);
}

static void run_until_ended(struct chaos_run **runs, size_t n, struct chaos_disturb *d)
{
	bool more = true;

	while (more) {
		more = d && chaos_disturb_tick(d);
		for (size_t i = 0; i < n; i++)
			more |= chaos_run_tick(runs[i]);
		pause_ms(1);
	}
}

static void check_hits(struct chaos_run **runs, size_t n, uint64_t calls)
{
	for (size_t i = 0; i < n; i++) {
		unsigned int methods;
		uint64_t hits = chaos_run_hits(runs[i], &methods);

		/* A call whose number was not counted yet, by each thread. */
		if (methods && !scene.t.way->image && hits > methods * (calls + 3))
			fail_msg("%llu hits of %u times %llu calls", (unsigned long long)hits,
				 methods, (unsigned long long)calls);
	}
}

static bool ended_by(struct chaos_disturb *d)
{
	bool ends = d && chaos_disturb_ends(d);

	if (d) {
		struct chaos_figures f = {.runs = 1, .off_ms = -1, .end_ms = -1};

		chaos_figures_add("the target", chaos_disturb_name(d), &f);
	}
	chaos_disturb_free(d);
	return ends;
}

static void cycle(void)
{
	struct chaos_target *t = &scene.t;
	struct chaos_disturb *d = chaos_disturb_new(t);
	struct chaos_run *runs[RUNS_MAX];
	size_t n = chaos_random_in(4) ? 2 + (size_t)chaos_random_below(RUNS_MAX - 1) : 1;
	uint64_t calls = chaos_target_calls(t);
	struct chaos_scene s = {t, n == 1, d != NULL, scene.dir, scene.full};
	bool may_leave = false;

	for (size_t i = 0; i < n; i++)
		runs[i] = chaos_run_new(&s);
	run_until_ended(runs, n, d);
	if (ended_by(d)) {
		const struct chaos_way *w = t->way;

		await_orphans();
		chaos_target_free(t);
		chaos_target_start(t, w);
	} else {
		if (!t->way->image)
			jvm_check_unhurt(&t->j);
		await_orphans();
		for (size_t i = 0; i < n; i++)
			may_leave |= chaos_run_may_leave(runs[i]);
		check_left(may_leave);
		check_hits(runs, n, chaos_target_calls(t) - calls);
	}
	for (size_t i = 0; i < n; i++)
		chaos_run_free(runs[i]);
	scene.cycles++;
}

static uint64_t worker, worker_seconds;
static volatile sig_atomic_t told_to_end; /* another target has failed */

static void on_told(int sig _unused_)
{
	told_to_end = 1;
}

static void chaos_target(void **state _unused_)
{
	const struct chaos_way *w = &ways[worker % ARRAY_SIZE(ways)];
	uint64_t until, seed = number_of("HP_SEED", 0);

	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	scene.dir = test_dir();
	mount_full();
	chaos_disturb_init();
	chaos_target_start(&scene.t, w);
	chaos_target_check_code(&scene.t);
	until = mono_ms() + worker_seconds * 1000;
	while (mono_ms() < until && !told_to_end) {
		chaos_random_seed(seed, worker, scene.cycles);
		chaos_say("--- cycle %llu", (unsigned long long)scene.cycles);
		cycle();
	}
	chaos_target_check_code(&scene.t);
	chaos_target_stop(&scene.t);
}

static int target_teardown(void **state)
{
	_cleanup_free_ char *figures = chaos_figures_text();

	chaos_say_print();
	test_cleanup(state);
	chaos_disturb_fini();
	umount(scene.full);
	rmdir(scene.full);
	rmdir(scene.dir);
	free(scene.full);
	free(scene.dir);
	printf("FIGURES %s\n", figures);
	fflush(stdout);
	return 0;
}

static int target_main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(chaos_target, test_setup, target_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* --- all of them ------------------------------------------------------------------------------ */

static uint64_t seed;
static size_t there[ARRAY_SIZE(ways)], there_n; /* numbers of the ways that can be tried here */

static void find_ways(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		_cleanup_free_ char *image = NULL;

		assert_true(asprintf(&image, "%s/%s", env_images(), ways[i].name) > 0);
		if (ways[i].image ? !access(image, R_OK) : jdk_find(ways[i].name) != NULL)
			there[there_n++] = i;
		else
			test_pass_over("no %s", ways[i].name);
	}
	assert_true(there_n > 0);
}

/* The @n-th target. Its random numbers and its way are those of its number. */
static uint64_t target_number(uint64_t n)
{
	const char *only = getenv("HP_CHAOS_WAY");

	if (only && *only)
		return strtoull(only, NULL, 10) + ARRAY_SIZE(ways) * n;
	return there[(n + seed) % there_n] + ARRAY_SIZE(ways) * (n / there_n);
}

static struct child *target_begin(uint64_t number, uint64_t seconds)
{
	_cleanup_free_ char *n = NULL, *s = NULL, *env = NULL;

	assert_true(asprintf(&n, "%llu", (unsigned long long)number) > 0);
	assert_true(asprintf(&s, "%llu", (unsigned long long)seconds) > 0);
	assert_true(asprintf(&env, "HP_SEED=%llu", (unsigned long long)seed) > 0);
	return child_start((const char *const[]){"/proc/self/exe", "target", n, s, NULL},
			   &(struct child_opts){.env = (const char *const[]){env, NULL}});
}

/* In order, so that nothing of them stays either. */
static void others_end(struct child **c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (c[i])
			child_signal(c[i], SIGTERM);
	for (size_t i = 0; i < n; i++)
		if (c[i])
			child_wait(c[i], TIDY_MS);
}

/* What it said of itself, if it did not end well: the last things that were done, and why. */
static void target_end(struct child *c, uint64_t number, struct child **others)
{
	int status = child_wait(c, 0);
	_cleanup_free_ char *out = child_text(c), *err = child_errors(c);
	char *figures = strstr(out, "FIGURES ");

	if (figures)
		assert_int_equal(chaos_figures_merge(figures + 8), 0);
	if (figures)
		*figures = 0;
	if (status) {
		others_end(others, TARGETS);
		for (char *line = strtok(out, "\n"); line; line = strtok(NULL, "\n"))
			print_error("    %s\n", line);
		print_error("%s\n", err);
		chaos_figures_print();
		fail_msg("HP_SEED=%llu HP_CHAOS_WAY=%llu: status %d", (unsigned long long)seed,
			 (unsigned long long)number, status);
	}
	child_free(c);
}

static void times_check(void)
{
	bool strict = number_of("HP_CHAOS_STRICT", 0);
	int factor = strict ? 1 : LATE_FACTOR;

	if (chaos_figures_time("off_ms", false) > OFF_MS ||
	    chaos_figures_time("off_ms", true) > OFF_MS * factor)
		fail_msg("probes stay for too long");
	if (chaos_figures_time("end_ms", false) > END_MS ||
	    chaos_figures_time("end_ms", true) > END_MS * factor)
		fail_msg("it ends too late");
}

/* Nobody is hurt, nothing is untrue, nothing is left, and it is over in time. */
static void chaos_hurts_nobody(void **state _unused_)
{
	uint64_t seconds = number_of("HP_CHAOS_SECONDS", SECONDS);
	uint64_t each = MAX(TARGET_SMIN, seconds * TARGETS / ARRAY_SIZE(ways));
	uint64_t until = mono_ms() + seconds * 1000, number = 0, of[TARGETS] = {0};
	struct child *c[TARGETS] = {NULL};
	bool more = true;

	test_needs_root();
	seed = number_of("HP_SEED", (uint64_t)time(NULL));
	print_message("  HP_SEED=%llu, %llu s\n", (unsigned long long)seed,
		      (unsigned long long)seconds);
	find_ways();
	while (more) {
		more = false;
		for (size_t i = 0; i < TARGETS; i++) {
			if (c[i] && !child_running(c[i]))
				target_end(take_ptr(c[i]), of[i], c);
			if (!c[i] && mono_ms() < until) {
				of[i] = target_number(number++);
				c[i] = target_begin(of[i], each);
			}
			more |= c[i] != NULL || mono_ms() < until;
		}
		pause_ms(20);
	}
	chaos_figures_print();
	times_check();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		jvm_test(chaos_hurts_nobody),
	};

	if (argc == 4 && !strcmp(argv[1], "target")) {
		signal(SIGTERM, on_told);
		worker = strtoull(argv[2], NULL, 10);
		worker_seconds = strtoull(argv[3], NULL, 10);
		return target_main();
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
