/* SPDX-License-Identifier: MIT */
/*
 * strpool.h - interned strings: each distinct text is kept once, at an address that never moves.
 *
 * Class, method and descriptor names repeat a lot among nmethods. Two strings of one pool are
 * equal exactly when their pointers are.
 */
#ifndef HP_STRPOOL_H
#define HP_STRPOOL_H

#include <stddef.h>

struct strpool;

struct strpool *strpool_new(void);
void strpool_free(struct strpool *p);

/**
 * strpool_add() - intern @len bytes at @s (which may hold anything but need not end in NUL).
 *
 * Return: the pool's own NUL-terminated copy, valid until strpool_free(); NULL when out of memory.
 */
const char *strpool_add(struct strpool *p, const char *s, size_t len);

/** strpool_bytes() - heap memory the pool holds, for the figures `-v` and the benchmark print. */
size_t strpool_bytes(const struct strpool *p);

#endif
