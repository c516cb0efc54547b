/* SPDX-License-Identifier: MIT */
/*
 * jvm.h - start a Java program of tests/data/java, talk to it over its stdin and stdout, and look
 * at it from the outside. Nothing here sleeps: it waits for lines.
 */
#ifndef HP_TEST_JVM_H
#define HP_TEST_JVM_H

#include "lib/child.h"
#include "lib/env.h"

#define JVM_TIMEOUT_MS 180000

struct jvm {
	struct child *c;
	pid_t pid;
	const struct jdk *jdk;
	char *dir; /* its working directory: hs_err files and records land here */
	char *rec; /* the file it records its calls in */
};

/**
 * jvm_start() - run class @argv[0] with the arguments behind it; both lists end with NULL.
 * @flags: JVM flags, may be NULL. The record file's name is given as system property "rec".
 */
void jvm_start(struct jvm *j, const struct jdk *jdk, const char *const *flags,
	       const char *const *argv);

/** jvm_start_with() - the same, by a command line that begins with @prefix ("unshare", ...). */
void jvm_start_with(struct jvm *j, const struct jdk *jdk, const char *const *prefix,
		    const char *const *flags, const char *const *argv);

/** jvm_expect() - read lines until one begins with @word; return the rest of it, to be freed. */
char *jvm_expect(struct jvm *j, const char *word);

/** jvm_ready() - jvm_expect() "READY"; the number that follows, 0 if none. */
long jvm_ready(struct jvm *j);

/** jvm_ask() - send a command, wait for "DONE", return the rest of that line, to be freed. */
char *jvm_ask(struct jvm *j, const char *fmt, ...) _printf_(2, 3);

/** jvm_do() - jvm_ask() for the number it answers with. */
long jvm_do(struct jvm *j, const char *fmt, ...) _printf_(2, 3);

/** jvm_fail() - fail the test with a message, what the JVM said, and its hs_err file's head. */
void jvm_fail(struct jvm *j, const char *fmt, ...) _printf_(2, 3);

/** jvm_quit() - close its stdin, which ends every program of ours; it must exit with 0. */
void jvm_quit(struct jvm *j);

/** jvm_check_unhurt() - it runs, and left no hs_err file. */
void jvm_check_unhurt(struct jvm *j);

/** jvm_free() - without asking. Nothing for a zeroed @j. */
void jvm_free(struct jvm *j);

/**
 * jvm_jcmd() - run a diagnostic command inside the JVM (its attach protocol, without jcmd).
 * Return: its output, to be freed. Fails the test when it does not answer with status 0.
 */
char *jvm_jcmd(struct jvm *j, const char *command);

/* One compiled method as the JVM itself lists it. */
struct code {
	uint64_t header, begin, end; /* nmethod's header, [begin, end) of its code */
	int compile_id, level, state;
	char *method; /* "java.lang.String.hashCode()I" */
};

struct codelist {
	struct code *v;
	size_t n;
	char *text; /* owns the names */
};

/** jvm_codelist() - jcmd Compiler.codelist, by address. */
void jvm_codelist(struct jvm *j, struct codelist *ret);
void codelist_free(struct codelist *l);

/** codelist_same() - the same methods in the same states? */
bool codelist_same(const struct codelist *a, const struct codelist *b);

/** codelist_find() - how many are of class.method prefix @name and have @level (-1: any). */
size_t codelist_find(const struct codelist *l, const char *name, int level);

/**
 * jvm_settle() - wait until the compilers are at rest: nothing waits to be compiled, and the list
 * is the same, three times, 100 ms apart.
 * @ret: the list, may be NULL.
 */
void jvm_settle(struct jvm *j, struct codelist *ret);

/** jvm_read() - copy the target's memory. Return: 0; -errno. */
int jvm_read(struct jvm *j, uint64_t addr, void *buf, size_t len);

/** jvm_maps_has() - does a line of /proc/PID/maps contain @text? */
bool jvm_maps_has(struct jvm *j, const char *text);

/** jvm_fds_have() - does some link of /proc/PID/fd contain @text? */
bool jvm_fds_have(struct jvm *j, const char *text);

/** jvm_threads() - ids of its threads. Return: how many, at most @max. */
size_t jvm_threads(struct jvm *j, pid_t *ret, size_t max);

/** jvm_other_thread() - id of a thread of it that is not its PID. */
pid_t jvm_other_thread(struct jvm *j);

/** jvm_stop() - SIGSTOP, and wait until every thread has stopped. */
void jvm_stop(struct jvm *j);

/** mono_ms() - monotonic clock, in milliseconds. */
uint64_t mono_ms(void);

/** pause_ms() - the step of a loop that polls; never a way to wait for something. */
void pause_ms(int ms);

#endif
