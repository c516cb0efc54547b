// SPDX-License-Identifier: MIT
/* nearest.c - which name is most like another. See nearest.h. */
#include <ctype.h>

#include "base/nearest.h"

#define LETTERS_A_MISTAKE 4
#define MISTAKES_MAX	  3

static int fold(char c)
{
	return tolower((unsigned char)c);
}

static size_t min3(size_t a, size_t b, size_t c)
{
	return MIN(MIN(a, b), c);
}

/* Row @i of the table: @rows has this one, the last and the one before. Return: its least. */
static size_t fill_row(uint16_t *rows[static 3], const char *a, const char *b, size_t i, size_t nb)
{
	size_t least = rows[0][0] = (uint16_t)i;

	for (size_t j = 1; j <= nb; j++) {
		size_t differs = fold(a[i - 1]) != fold(b[j - 1]);
		size_t d = min3(rows[1][j] + 1u, rows[0][j - 1] + 1u, rows[1][j - 1] + differs);

		if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
		    fold(a[i - 2]) == fold(b[j - 1]))
			d = MIN(d, rows[2][j - 2] + 1u);
		rows[0][j] = (uint16_t)d;
		least = MIN(least, d);
	}
	return least;
}

size_t nearest_distance(const char *a, const char *b, size_t max)
{
	uint16_t cells[3][NEAREST_LEN_MAX + 1];
	uint16_t *rows[3] = {cells[0], cells[1], cells[2]};
	size_t na = strnlen(a, NEAREST_LEN_MAX + 1), nb = strnlen(b, NEAREST_LEN_MAX + 1);
	size_t distance;

	if (MAX(na, nb) > NEAREST_LEN_MAX || MAX(na, nb) - MIN(na, nb) > max)
		return max + 1;
	for (size_t j = 0; j <= nb; j++)
		rows[0][j] = (uint16_t)j;
	for (size_t i = 1; i <= na; i++) {
		uint16_t *oldest = rows[2];

		rows[2] = rows[1];
		rows[1] = rows[0];
		rows[0] = oldest;
		if (fill_row(rows, a, b, i, nb) > max)
			return max + 1;
	}
	distance = rows[0][nb];
	return distance || !strcmp(a, b) ? distance : 1;
}

void nearest_init(struct nearest *n, const char *want)
{
	size_t len = strlen(want);

	n->want = want;
	n->max = MIN(MAX(len / LETTERS_A_MISTAKE, (size_t)1), (size_t)MISTAKES_MAX);
	n->best = n->max + 1;
	n->name[0] = '\0';
}

bool nearest_better(const struct nearest *n, const char *name)
{
	size_t d;

	if (!n->best)
		return false;
	d = nearest_distance(n->want, name, n->best - 1);
	return d && d < n->best;
}

void nearest_offer(struct nearest *n, const char *name)
{
	if (!nearest_better(n, name))
		return;
	n->best = nearest_distance(n->want, name, n->best - 1);
	snprintf(n->name, sizeof(n->name), "%s", name);
}

const char *nearest_found(const struct nearest *n)
{
	return n->name[0] ? n->name : NULL;
}
