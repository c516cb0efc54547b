// SPDX-License-Identifier: MIT
/*
 * bench_symmap.c - what the symbol map costs: time to fill it, memory, time to look up.
 *
 * The nmethods are made up, in the proportions of a server's code cache: two code heaps, code of
 * some hundred bytes to some kilobytes, about a dozen methods in a class. Every figure is the best
 * of several rounds, since anything else that runs on the machine only ever makes it worse.
 *
 *   bench_symmap [--json]
 */
#include <time.h>

#include "symmap/symmap.h"
#include "base/util.h"

#define ROUNDS	      5
#define LOOKUPS	      (1 << 20)
#define HEADER	      0x180 /* from an nmethod's structure to its code, about */
#define CODE_BASE     0x7f3c84000000
#define HEAP_GAP      (64u << 20)
#define CLASS_METHODS 12 /* methods in a class */

struct input {
	size_t n;
	struct nmethod *nm; /* by address; names are set by fill() */
	uint32_t *shuffled;
	uint64_t *pcs; /* inside code, at random */
};

struct result {
	double fill_ns, fill_random_ns, churn_ns;     /* per nmethod */
	double lookup_ns, lookup_latency_ns, find_ns; /* per call */
	double map_bytes, string_bytes;		      /* per nmethod */
};

static uint64_t rnd_state = 0x9e3779b97f4a7c15;

static uint32_t rnd(uint32_t n)
{
	rnd_state ^= rnd_state << 13;
	rnd_state ^= rnd_state >> 7;
	rnd_state ^= rnd_state << 17;
	return (uint32_t)(((rnd_state >> 32) * n) >> 32);
}

static double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static void *must(void *p)
{
	if (!p) {
		perror("bench_symmap");
		exit(1);
	}
	return p;
}

static void input_init(struct input *in, size_t n)
{
	uint64_t at = CODE_BASE;

	in->n = n;
	in->nm = must(calloc(n, sizeof(*in->nm)));
	in->shuffled = must(calloc(n, sizeof(*in->shuffled)));
	in->pcs = must(calloc(LOOKUPS, sizeof(*in->pcs)));
	for (size_t i = 0; i < n; i++) {
		struct nmethod *nm = &in->nm[i];

		if (i == n / 2)
			at += HEAP_GAP;
		nm->addr = at;
		nm->m.begin = nm->m.entry = at + HEADER;
		nm->m.end = nm->m.begin + 64 + rnd(64u << rnd(8));
		nm->method_addr = 0x7f3c40000000 + i * 88;
		nm->compile_id = (uint32_t)i;
		at = (nm->m.end + 0x7f) & ~UINT64_C(0x7f);
		in->shuffled[i] = (uint32_t)i;
	}
	for (size_t i = n; i > 1; i--) {
		uint32_t *a = &in->shuffled[i - 1], *b = &in->shuffled[rnd((uint32_t)i)], t = *a;

		*a = *b;
		*b = t;
	}
	for (size_t i = 0; i < LOOKUPS; i++) {
		const struct nmethod *nm = &in->nm[rnd((uint32_t)n)];

		in->pcs[i] = nm->m.begin + rnd((uint32_t)(nm->m.end - nm->m.begin));
	}
}

static void input_fini(struct input *in)
{
	free(in->nm);
	free(in->shuffled);
	free(in->pcs);
}

static const char *intern(struct strpool *p, const char *head, size_t i, const char *tail)
{
	char text[96];
	int len = snprintf(text, sizeof(text), "%s%zu%s", head, i, tail);

	return must((void *)strpool_add(p, text, (size_t)len));
}

/* A map of all of them, in order of address or shuffled; names are interned as a producer would. */
static struct symmap *fill(const struct input *in, bool shuffled)
{
	struct symmap *m = must(symmap_new());
	struct strpool *p = symmap_strings(m);

	for (size_t i = 0; i < in->n; i++) {
		size_t k = shuffled ? in->shuffled[i] : i;
		struct nmethod nm = in->nm[k];

		nm.m.klass = intern(p, "com.shop.backend.service.Component", k / CLASS_METHODS, "");
		nm.m.name = intern(p, "processOrder", k % 997, "");
		nm.m.desc = intern(p, "(ILjava/lang/String;Lcom/shop/Item", k % 311, ";)V");
		if (symmap_add(m, &nm, NULL) != 1) {
			fprintf(stderr, "bench_symmap: an nmethod was refused\n");
			exit(1);
		}
	}
	return m;
}

static double time_fill(const struct input *in, bool shuffled)
{
	double start = now_ns(), ns;
	struct symmap *m = fill(in, shuffled);

	ns = now_ns() - start;
	symmap_free(m);
	return ns / (double)in->n;
}

/* Remove one and put it back, at random: a JVM that recompiles. */
static double time_churn(const struct input *in, struct symmap *m)
{
	double start = now_ns();

	for (size_t i = 0; i < in->n; i++) {
		struct nmethod old;

		if (symmap_remove(m, in->nm[in->shuffled[i]].addr, &old))
			abort();
		symmap_add(m, &old, NULL);
	}
	return (now_ns() - start) / (double)in->n;
}

/* Each lookup is free to begin before the last has ended, as when a batch of samples is named. */
static double time_lookup(const struct input *in, const struct symmap *m)
{
	double start = now_ns();
	size_t found = 0;

	for (size_t i = 0; i < LOOKUPS; i++)
		found += symmap_lookup(m, in->pcs[i]) != NULL;
	if (found != LOOKUPS)
		abort();
	return (now_ns() - start) / LOOKUPS;
}

/* Each lookup has to wait for the result of the last. */
static double time_lookup_latency(const struct input *in, const struct symmap *m)
{
	double start = now_ns();
	uint64_t zero = 0;

	for (size_t i = 0; i < LOOKUPS; i++)
		zero = symmap_lookup(m, in->pcs[i] + zero)->state;
	if (zero)
		abort();
	return (now_ns() - start) / LOOKUPS;
}

static double time_find(const struct input *in, const struct symmap *m)
{
	double start = now_ns();
	size_t found = 0;

	for (size_t i = 0; i < LOOKUPS; i++)
		found += symmap_find(m, in->nm[in->shuffled[i % in->n]].addr) != NULL;
	if (found != LOOKUPS)
		abort();
	return (now_ns() - start) / LOOKUPS;
}

static void keep_best(double *best, double ns)
{
	if (!*best || ns < *best)
		*best = ns;
}

static struct result measure(size_t n)
{
	struct result r = {0};
	struct input in;

	input_init(&in, n);
	for (int round = 0; round < ROUNDS; round++) {
		struct symmap *m = fill(&in, false);

		keep_best(&r.fill_ns, time_fill(&in, false));
		keep_best(&r.fill_random_ns, time_fill(&in, true));
		keep_best(&r.lookup_ns, time_lookup(&in, m));
		keep_best(&r.lookup_latency_ns, time_lookup_latency(&in, m));
		keep_best(&r.find_ns, time_find(&in, m));
		keep_best(&r.churn_ns, time_churn(&in, m));
		r.map_bytes = (double)symmap_bytes(m) / (double)n;
		r.string_bytes = (double)strpool_bytes(symmap_strings(m)) / (double)n;
		symmap_free(m);
	}
	input_fini(&in);
	return r;
}

static void print_json(size_t n, const struct result *r)
{
	printf("{\"bench\":\"symmap\",\"nmethods\":%zu,\"fill_ms\":%.3f,\"fill_random_ms\":%.3f,"
	       "\"churn_ns\":%.0f,\"lookup_ns\":%.1f,\"lookup_latency_ns\":%.1f,\"find_ns\":%.1f,"
	       "\"bytes_per_nmethod\":%.1f,\"string_bytes_per_nmethod\":%.1f}\n",
	       n, r->fill_ns * (double)n / 1e6, r->fill_random_ns * (double)n / 1e6, r->churn_ns,
	       r->lookup_ns, r->lookup_latency_ns, r->find_ns, r->map_bytes, r->string_bytes);
}

static void print_row(size_t n, const struct result *r)
{
	printf("%9zu %10.2f %14.2f %9.0f %10.1f %11.1f %8.1f %10.1f %12.1f\n", n,
	       r->fill_ns * (double)n / 1e6, r->fill_random_ns * (double)n / 1e6, r->churn_ns,
	       r->lookup_ns, r->lookup_latency_ns, r->find_ns, r->map_bytes, r->string_bytes);
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = {10000, 50000};
	bool json = argc == 2 && !strcmp(argv[1], "--json");

	if (argc > 1 && !json) {
		fprintf(stderr, "usage: bench_symmap [--json]\n");
		return 2;
	}
	if (!json)
		printf("%9s %10s %14s %9s %10s %11s %8s %10s %12s\n", "nmethods", "fill ms",
		       "random fill ms", "churn ns", "lookup ns", "latency ns", "find ns",
		       "bytes each", "names each");
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct result r = measure(sizes[i]);

		if (json)
			print_json(sizes[i], &r);
		else
			print_row(sizes[i], &r);
	}
	return 0;
}
