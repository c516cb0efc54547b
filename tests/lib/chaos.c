/* SPDX-License-Identifier: MIT */
#include "lib/chaos.h"

#include <stdarg.h>

#include "lib/cmocka_all.h"
#include "lib/jvm.h"

/* --- random ----------------------------------------------------------------------------------- */

static uint64_t state;

/* splitmix64, by Sebastiano Vigna (public domain). */
static uint64_t random_next(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

void chaos_random_seed(uint64_t seed, uint64_t worker, uint64_t cycle)
{
	state = seed;
	state = random_next() + worker;
	state = random_next() + cycle;
}

int chaos_random_below(int n)
{
	return (int)(random_next() % (uint64_t)n);
}

bool chaos_random_in(int n)
{
	return chaos_random_below(n) == 0;
}

/* --- the last things -------------------------------------------------------------------------- */

#define SAID_MAX 48

static struct said {
	uint64_t ms;
	char text[512];
} said[SAID_MAX];
static size_t said_n;

void chaos_say(const char *fmt, ...)
{
	struct said *s = &said[said_n++ % SAID_MAX];
	va_list ap;

	s->ms = mono_ms();
	va_start(ap, fmt);
	vsnprintf(s->text, sizeof(s->text), fmt, ap);
	va_end(ap);
	if (getenv("HP_CHAOS_VERBOSE"))
		fprintf(stderr, "%llu %s\n", (unsigned long long)s->ms, s->text);
}

void chaos_say_print(void)
{
	uint64_t now = mono_ms();

	for (size_t i = said_n > SAID_MAX ? said_n - SAID_MAX : 0; i < said_n; i++)
		print_message("  %6llu ms ago: %s\n",
			      (unsigned long long)(now - said[i % SAID_MAX].ms),
			      said[i % SAID_MAX].text);
}

/* --- figures ---------------------------------------------------------------------------------- */

/* {"group": {"name": {"runs": 1, ..., "off_ms": [7, ...], "end_ms": [...]}}} */
static json_t *rows;

static const char *const sums[] = {"runs", "hits", "lost", "left"};
static const char *const times[] = {"off_ms", "end_ms"};

static json_t *member_of(json_t *o, const char *name, json_t *(*make)(void))
{
	json_t *m = json_object_get(o, name);

	if (m)
		return m;
	m = make();
	json_object_set_new(o, name, m);
	return m;
}

static json_t *row(const char *group, const char *name)
{
	if (!rows)
		rows = json_object();
	return member_of(member_of(rows, group, json_object), name, json_object);
}

static void row_add(json_t *r, const char *key, uint64_t n)
{
	json_int_t old = json_integer_value(json_object_get(r, key));

	json_object_set_new(r, key, json_integer(old + (json_int_t)n));
}

static void row_time(json_t *r, const char *key, int ms)
{
	if (ms >= 0)
		json_array_append_new(member_of(r, key, json_array), json_integer(ms));
}

void chaos_figures_add(const char *group, const char *name, const struct chaos_figures *f)
{
	json_t *r = row(group, name);

	row_add(r, "runs", f->runs);
	row_add(r, "hits", f->hits);
	row_add(r, "lost", f->lost);
	row_add(r, "left", f->left);
	row_time(r, "off_ms", f->off_ms);
	row_time(r, "end_ms", f->end_ms);
}

char *chaos_figures_text(void)
{
	return rows ? json_dumps(rows, JSON_COMPACT) : strdup("{}");
}

static void row_merge(json_t *to, const json_t *from)
{
	for (size_t i = 0; i < ARRAY_SIZE(sums); i++)
		row_add(to, sums[i], (uint64_t)json_integer_value(json_object_get(from, sums[i])));
	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		json_array_extend(member_of(to, times[i], json_array),
				  json_object_get(from, times[i]));
}

int chaos_figures_merge(const char *text)
{
	json_t *all = json_loads(text, JSON_DISABLE_EOF_CHECK, NULL), *group, *r;
	const char *g, *n;

	if (!json_is_object(all))
		return -EPROTO;
	json_object_foreach (all, g, group)
		json_object_foreach (group, n, r)
			row_merge(row(g, n), r);
	json_decref(all);
	return 0;
}

static int by_value(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static int time_of(const json_t *list, bool worst)
{
	size_t n = json_array_size(list);
	_cleanup_free_ int *v = calloc(n + 1, sizeof(*v));

	for (size_t i = 0; v && i < n; i++)
		v[i] = (int)json_integer_value(json_array_get(list, i));
	if (!v || !n)
		return -1;
	qsort(v, n, sizeof(*v), by_value);
	return v[worst ? n - 1 : n / 2];
}

#define MEDIAN_MIN 20

int chaos_figures_time(const char *which, bool worst)
{
	const json_t *list = json_object_get(row("all", "all"), which);

	return worst || json_array_size(list) >= MEDIAN_MIN ? time_of(list, worst) : -1;
}

static void time_print(const json_t *r, const char *which)
{
	const json_t *list = json_object_get(r, which);

	if (json_array_size(list))
		print_message(" %7d %7d", time_of(list, false), time_of(list, true));
	else
		print_message(" %7s %7s", "-", "-");
}

static void row_print(const char *name, const json_t *r)
{
	print_message("  %-44s", name);
	for (size_t i = 0; i < ARRAY_SIZE(sums); i++)
		print_message(" %10lld",
			      (long long)json_integer_value(json_object_get(r, sums[i])));
	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		time_print(r, times[i]);
	print_message("\n");
}

void chaos_figures_print(void)
{
	const char *g, *n;
	json_t *group, *r;

	print_message("  %-44s %10s %10s %10s %10s %15s %15s\n", "", "runs", "hits", "lost", "left",
		      "probes off, ms", "ended, ms");
	print_message("  %-44s %43s %7s %7s %7s %7s\n", "", "", "median", "worst", "median",
		      "worst");
	json_object_foreach (rows, g, group) {
		print_message("  %s\n", g);
		json_object_foreach (group, n, r)
			row_print(n, r);
	}
}
