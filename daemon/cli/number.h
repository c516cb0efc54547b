/* SPDX-License-Identifier: MIT */
/* number.h - numbers, sizes and times as people type them. */
#ifndef HP_CLI_NUMBER_H
#define HP_CLI_NUMBER_H

#include "base/util.h"

/**
 * number_parse() - a whole decimal number in [@lo, @hi]. Return: 0; -EINVAL.
 * number_parse_size() - the same with an optional K, M or G (binary).
 * number_parse_duration() - seconds, or with ms, s, m, h; fractions allowed. Nanoseconds.
 */
int number_parse(const char *text, uint64_t lo, uint64_t hi, uint64_t *ret);
int number_parse_size(const char *text, uint64_t lo, uint64_t hi, uint64_t *ret);
int number_parse_duration(const char *text, uint64_t *ret);

#endif
