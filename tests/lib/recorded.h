/* SPDX-License-Identifier: MIT */
/*
 * recorded.h - a JVM as it was when tests/tools/record-jvm.c looked at it: its memory as far as
 * readers need it, and what the readers found in it. No JVM is needed to look again.
 *
 * The file is compressed by zlib: a line that names the format, then sections, each a line "section
 * NAME LENGTH" and that many bytes. So `zcat FILE | less` shows what it is.
 *
 *   about      lines "NAME VALUE": which JDK, started how
 *   symbols    lines "NAME ADDRESS": symbols of libjvm.so, as addresses in the process
 *   codelist   what the JVM itself said of its compiled code, a line "BEGIN-END ID LEVEL STATE
 *              METHOD" each; JDK 8: only BEGIN, and what it has compiled since it was started
 *   expected   what the readers found, as recorded_describe() writes it
 *   memory     pieces {u64 address, u64 length, bytes}, by address; none touches the next
 */
#ifndef HP_TEST_RECORDED_H
#define HP_TEST_RECORDED_H

#include <inttypes.h>

#include "proc/mem.h"

enum recorded_text {
	RECORDED_ABOUT,
	RECORDED_SYMBOLS,
	RECORDED_CODELIST,
	RECORDED_EXPECTED,
	RECORDED_TEXTS,
};

struct piece {
	uint64_t addr, len;
	uint8_t *data;
};

#define HOLES_MAX 8

struct recorded {
	char *text[RECORDED_TEXTS]; /* each ends in NUL */
	struct piece *pieces;	    /* by address */
	size_t npieces;
	struct piece holes[HOLES_MAX]; /* made by a test: not readable, though recorded; no data */
	size_t nholes;
};

/** recorded_open() - Return: 0; -ENOENT; -EPROTO when it is no recording; -ENOMEM. */
int recorded_open(const char *path, struct recorded **ret);

/** recorded_save() - by way of PATH.new. Return: 0; -errno. */
int recorded_save(const char *path, const struct recorded *r);

/** recorded_close() - accepts NULL. */
void recorded_close(struct recorded *r);

/** recorded_mem() - its memory; a read of what was not recorded is -EFAULT. 0; -ENOMEM. */
int recorded_mem(struct recorded *r, struct mem **ret);

/** recorded_at() - the recorded bytes at @addr, to change them. NULL: not recorded. */
uint8_t *recorded_at(struct recorded *r, uint64_t addr, uint64_t len);

/** recorded_symbol() - a vmstructs_symbol_fn; @arg is the struct recorded. 0; -ENOENT. */
int recorded_symbol(void *arg, const char *name, uint64_t *ret);

/* How to find a symbol: a vmstructs_symbol_fn. */
typedef int recorded_symbol_fn(void *arg, const char *name, uint64_t *addr_ret);

/**
 * recorded_describe() - have the readers do all that they can, and write what they find to @out:
 * one fact a line, the same facts always in the same words.
 *
 * A method's line is "method BEGIN-END ID LEVEL STATE ENTRY HEADER KIND OSR FLAGS HOLDER METHOD".
 * Return: 0; what ended the walk over the code heaps.
 */
int recorded_describe(struct mem *m, recorded_symbol_fn *symbol, void *arg, FILE *out);

/**
 * recorded_compare() - is what the readers found the code that the JVM lists?
 * Prints the first differences to @out. Return: how many there are.
 */
size_t recorded_compare(const char *codelist, const char *described, FILE *out);

/* --- what is read ------------------------------------------------------------------------------
 */

/* Stretches of memory: data is NULL. */
struct noted {
	struct piece *v;
	size_t n, cap;
};

/** noted_add() - remember [@addr, @addr + @len). Aborts when out of memory. */
void noted_add(struct noted *to, uint64_t addr, uint64_t len);

/** noted_has() - was all of it noted, in one piece? Of noted_merge()'s result. */
bool noted_has(const struct noted *of, uint64_t addr, uint64_t len);

/** noted_merge() - sort them, and make one of any two that are less than @gap bytes apart. */
void noted_merge(struct noted *of, uint64_t gap);

/** noted_fini() - accepts a zeroed one. */
void noted_fini(struct noted *of);

/**
 * mem_open_noting() - read @under, and note in @to what could be read.
 *
 * A paged reader asks for whole blocks, of which little is needed. Refused a block, it reads piece
 * by piece: so a block is only given out if @known, which may be NULL, has all of it.
 * @under, @to, @known: not owned; must outlive it. Return: 0; -ENOMEM.
 */
int mem_open_noting(struct mem *under, struct noted *to, const struct noted *known,
		    struct mem **ret);

#endif
