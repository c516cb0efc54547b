/* SPDX-License-Identifier: MIT */
/*
 * hash.h - a number for some bytes, the same in every run: FNV-1a. Whoever chooses the bytes can
 * make two of them equal.
 */
#ifndef HP_HASH_H
#define HP_HASH_H

#include "base/util.h"

#define HASH_BEGIN 0xcbf29ce484222325ULL

/** hash_bytes() - of what @h stands for (HASH_BEGIN: nothing), and then @data. */
static inline uint64_t hash_bytes(uint64_t h, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001b3ULL;
	return h;
}

/** hash_text() - the same of @s and its NUL, so that it is seen where one text ends. NULL is "". */
static inline uint64_t hash_text(uint64_t h, const char *s)
{
	do
		h = (h ^ (s ? (uint8_t)*s : 0)) * 0x100000001b3ULL;
	while (s && *s++);
	return h;
}

#endif
