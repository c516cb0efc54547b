/* SPDX-License-Identifier: MIT */
/*
 * exact.h - the shape most tests have: run a program that records its calls, trace it meanwhile,
 * and demand that the events are the same calls.
 */
#ifndef HP_TEST_EXACT_H
#define HP_TEST_EXACT_H

#include "lib/compare.h"
#include "lib/hp.h"
#include "lib/jvm.h"

#define JVM_QUIET "-XX:CompileCommand=quiet"
/* One compiler, which compiles a method once and for good. */
#define JVM_C1 "-XX:TieredStopAtLevel=1", "-Xbatch", JVM_QUIET
#define JVM_C2 "-XX:-TieredCompilation", "-Xbatch", JVM_QUIET

/* One way to run a program and hotprobe; every list ends with NULL. */
struct run {
	const char *program;
	const char *flags[24];	 /* of the JVM */
	const char *args[16];	 /* of hotprobe, SPECs among them */
	const char *commands[8]; /* for the program, one after the other, while traced */
	/*
	 * Wait until the compilers are at rest before attaching, and compare only calls of methods
	 * that have a compiled body then: without flags a program cannot have them all compiled.
	 */
	bool settle;
};

/* What came out of it, for tests that want to know more. */
struct run_result {
	size_t calls;
	long answer; /* the program's to the last command */
	json_t *attached, *detached, *events;
};

/**
 * run_exact() - do it; fails the test unless the calls are the same, nothing was lost, all code was
 * restored, and the JVM ended well.
 * @ret: may be NULL; else run_result_free() it.
 */
void run_exact(const struct jdk *jdk, const struct run *r, struct run_result *ret);
void run_result_free(struct run_result *r);

/** run_exact_in() - the same in a JVM that runs, which may have recorded calls; it stays. */
void run_exact_in(struct jvm *j, const struct run *r, struct run_result *ret);

/** run_everywhere() - run_exact() on every JDK but the copies that lack symbols. */
void run_everywhere(const struct run *r);

#endif
