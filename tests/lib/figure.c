// SPDX-License-Identifier: MIT
/* figure.c - how the benchmarks on JVMs print. See figure.h. */
#include "lib/figure.h"

static const struct bench *bench;
static bool as_json;

void figure(const struct jdk *jdk, const char *what, double value, const char *unit,
	    const char *target)
{
	if (as_json)
		printf("{\"bench\":\"%s\",\"jdk\":\"%s\",\"what\":\"%s\",\"value\":%.3f,"
		       "\"unit\":\"%s\"}\n",
		       bench->name, jdk->name, what, value, unit);
	else
		printf("%-10s %-44s %12.2f %-9s %s\n", jdk->name, what, value, unit, target);
	fflush(stdout);
}

static int cmp_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), cmp_double);
	return v[n / 2];
}

static void run_on(const char *name)
{
	const struct jdk *jdk = bench->find ? bench->find(name) : jdk_find(name);

	if (jdk)
		bench->run(jdk);
	else
		fprintf(stderr, "bench_%s: no '%s' here\n", bench->name, name);
}

int bench_main(const struct bench *b, int argc, char **argv)
{
	int first = 1;

	bench = b;
	if (argc > 1 && strcmp(argv[1], "--json") == 0) {
		as_json = true;
		first = 2;
	}
	for (int i = first; i < argc; i++)
		run_on(argv[i]);
	if (first == argc)
		run_on(b->jdk);
	return 0;
}
