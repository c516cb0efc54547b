// SPDX-License-Identifier: MIT
/* number.c - numbers, sizes and times as people type them. See number.h. */
#include "cli/number.h"

/* Digits only: strtoull() would take signs, blanks and hexadecimal. */
static int digits(const char *text, uint64_t *ret, const char **end)
{
	uint64_t n = 0;
	const char *p = text;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (mul_overflows(n, 10u, &n) || add_overflows(n, (uint64_t)(*p - '0'), &n))
			return -EINVAL;
	}
	*ret = n;
	*end = p;
	return p == text ? -EINVAL : 0;
}

int number_parse(const char *text, uint64_t lo, uint64_t hi, uint64_t *ret)
{
	const char *end;
	uint64_t n;

	if (digits(text, &n, &end) || *end || n < lo || n > hi)
		return -EINVAL;
	*ret = n;
	return 0;
}

int number_parse_size(const char *text, uint64_t lo, uint64_t hi, uint64_t *ret)
{
	static const char units[] = "KMG";
	const char *end, *unit;
	uint64_t n;

	if (digits(text, &n, &end))
		return -EINVAL;
	if (*end) {
		unit = strchr(units, *end);
		if (!unit || end[1] || mul_overflows(n, 1ULL << (10 * (unit - units + 1)), &n))
			return -EINVAL;
	}
	if (n < lo || n > hi)
		return -EINVAL;
	*ret = n;
	return 0;
}

int number_parse_duration(const char *text, uint64_t *ret)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = {{"", 1e9}, {"s", 1e9},  {"ms", 1e6},  {"us", 1e3},
		     {"ns", 1}, {"m", 60e9}, {"h", 3600e9}};
	char *end;
	double n;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	n = strtod(text, &end);
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(end, units[i].name))
			continue;
		n *= units[i].ns;
		if (!(n >= 1 && n < 1e18))
			return -EINVAL;
		*ret = (uint64_t)n;
		return 0;
	}
	return -EINVAL;
}
