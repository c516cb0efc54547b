/* SPDX-License-Identifier: MIT */
/*
 * figure.h - how the benchmarks on JVMs print: a table, or one JSON object a line.
 */
#ifndef HP_TEST_FIGURE_H
#define HP_TEST_FIGURE_H

#include "lib/env.h"

struct bench {
	const char *name;
	void (*run)(const struct jdk *jdk);
	const char *jdk;			     /* measured when none is asked for */
	const struct jdk *(*find)(const char *name); /* NULL: it is a JDK's name */
};

/** bench_main() - bench [--json] [JDK...]: run it for each of them. Return: exit status. */
int bench_main(const struct bench *b, int argc, char **argv);

/** figure() - print one; @target: what is aimed at, "" if nothing. */
void figure(const struct jdk *jdk, const char *what, double value, const char *unit,
	    const char *target);

/** median() - of @n values, which are put in order. */
double median(double *v, size_t n);

#endif
