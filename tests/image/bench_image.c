// SPDX-License-Identifier: MIT
/*
 * bench_image.c - what a probed call costs a native image: in nanoseconds of the process's CPU
 * time.
 *
 * An image of the closure compiler compiles a script that it reads from its stdin. It does so in
 * turns: unprobed; with a plain uprobe on a method's first instruction, which the kernel
 * single-steps; with hotprobe's uprobe in place (-x); and diverted to a slot (-p). The method is
 * called about a million times.
 *
 *   bench_image [--json] [IMAGE...]	default: ce25
 */
#include <signal.h>
#include <sys/resource.h>

#include "lib/cmocka_all.h"
#include "lib/figure.h"
#include "lib/hp.h"
#include "lib/image_work.h"
#include "lib/plain.h"

#define METHOD	    "com.google.javascript.rhino.Node.rebuildListWithoutProp"
#define ROUNDS	    5
#define SLOW_ROUNDS 1 /* of the plain uprobe, which takes ten times longer than all else */
#define COMPILE_MS  120000

enum { UNPROBED, PLAIN, IN_PLACE, DIVERTED, KINDS };

static char image[PATH_MAX];

/* --- the method ---------------------------------------------------------------------------------
 */

/* Where its first instruction is in the file. */
static uint64_t find_method(void)
{
	uint64_t offset;
	json_t *list = hp_json((const char *[]){"methods", "--json", "-x", image, METHOD, NULL}, 0);

	if (json_array_size(list) != 1)
		fail_msg("%s: not one " METHOD, image);
	offset = json_addr(json_array_get(list, 0), "offset");
	json_decref(list);
	return offset;
}

/* --- one compilation -------------------------------------------------------------------------- */

struct cost {
	double cpu_ns;
	double hits;
};

static double cpu_ns(const struct rusage *a, const struct rusage *b)
{
	double sec = (double)(b->ru_utime.tv_sec - a->ru_utime.tv_sec) +
		     (double)(b->ru_stime.tv_sec - a->ru_stime.tv_sec);
	double usec = (double)(b->ru_utime.tv_usec - a->ru_utime.tv_usec) +
		      (double)(b->ru_stime.tv_usec - a->ru_stime.tv_usec);

	return sec * 1e9 + usec * 1e3;
}

static struct child *trace(int kind, pid_t pid)
{
	char text[16];
	struct child *hp;

	snprintf(text, sizeof(text), "%d", pid);
	hp = hp_start((const char *[]){"trace", "--json", "--count-only", "-x", image, METHOD,
				       kind == DIVERTED ? "-p" : NULL, text, NULL});
	json_decref(hp_attached(hp));
	return hp;
}

static struct cost compile(int kind, uint64_t offset)
{
	struct child *hp = NULL, *c;
	struct rusage before, after;
	struct cost cost = {0};
	struct plain plain;
	_cleanup_free_ char *script = compiler_script(1);

	c = compiler_start(image, NULL, (const char *[]){"--js_output_file", "/dev/null", NULL});
	if (kind == PLAIN)
		plain_open(&plain, image, offset);
	else if (kind != UNPROBED)
		hp = trace(kind, child_pid(c));
	compiler_feed(c, script);
	getrusage(RUSAGE_CHILDREN, &before);
	if (child_wait(c, COMPILE_MS) != 0)
		hp_fail(c, "the compiler did not end well");
	getrusage(RUSAGE_CHILDREN, &after);
	cost.cpu_ns = cpu_ns(&before, &after);
	if (kind == PLAIN)
		cost.hits = (double)plain_close(&plain);
	if (hp) {
		json_t *events = json_array(), *last;

		last = hp_finish(hp, kind == DIVERTED ? 0 : SIGINT, kind == DIVERTED ? 3 : 0,
				 events);
		cost.hits = (double)json_integer_value(json_object_get(last, "hits"));
		json_decref(last);
		json_decref(events);
	}
	test_cleanup(NULL);
	return cost;
}

/* --- all -------------------------------------------------------------------------------------- */

static void bench_one(const struct jdk *subject)
{
	static const char *const what[KINDS] = {
		[PLAIN] = "call with a plain uprobe on the first instruction",
		[IN_PLACE] = "call with a uprobe in place (-x)",
		[DIVERTED] = "call diverted to a slot (-p)",
	};
	double ns[KINDS][ROUNDS], hits[KINDS] = {0};
	uint64_t offset;

	offset = find_method();
	compile(UNPROBED, offset); /* files into memory */
	for (int i = 0; i < ROUNDS; i++) {
		double unprobed = compile(UNPROBED, offset).cpu_ns;

		for (int kind = i < SLOW_ROUNDS ? PLAIN : IN_PLACE; kind < KINDS; kind++) {
			struct cost cost = compile(kind, offset);

			hits[kind] = cost.hits;
			ns[kind][i] = (cost.cpu_ns - unprobed) / cost.hits;
		}
	}
	figure(subject, "calls of " METHOD, hits[PLAIN], "calls", "");
	for (int kind = PLAIN; kind < KINDS; kind++)
		figure(subject, what[kind], median(ns[kind], kind == PLAIN ? SLOW_ROUNDS : ROUNDS),
		       "ns", "");
	unlink(image);
	for (int kind = PLAIN; kind < KINDS; kind++)
		if (hits[kind] != hits[PLAIN])
			fail_msg("%.0f hits counted, not %.0f", hits[kind], hits[PLAIN]);
}

static void copy(const char *from)
{
	struct child *c = child_start((const char *[]){"cp", "-p", from, image, NULL}, NULL);

	if (child_wait(c, COMPILE_MS))
		fail_msg("cannot copy %s to %s", from, image);
	child_free(c);
}

/* A copy: of a file, all processes are counted, whoever runs them. */
static const struct jdk *find(const char *name)
{
	static struct jdk subject;
	char from[PATH_MAX];

	snprintf(from, sizeof(from), "%s/%s", env_images(), name);
	snprintf(image, sizeof(image), "/tmp/hp-bench-image.%d", getpid());
	snprintf(subject.name, sizeof(subject.name), "%s", name);
	if (access(from, X_OK))
		return NULL;
	copy(from);
	return &subject;
}

int main(int argc, char **argv)
{
	return bench_main(
		&(struct bench){.name = "image", .run = bench_one, .jdk = "ce25", .find = find},
		argc, argv);
}
