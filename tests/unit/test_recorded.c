// SPDX-License-Identifier: MIT
/*
 * HotSpot's readers on recorded JVMs, from JDK 8 to 27: tests/data/recorded, which
 * tests/tools/record-jvm.c has made. What they find is what was found then in the living JVM; that
 * is what the JVM itself says of its code; and whatever is damaged, they come back.
 */
#include <dirent.h>
#include <sys/resource.h>

#include "lib/cmocka_all.h"
#include "lib/recorded.h"

#define FOLDER "tests/data/recorded"

/* Damaged recordings are read for so long in all, and one of them at most so long. */
#define DAMAGED_NS  (2500 * NSEC_PER_MSEC)
#define ONE_READ_NS (2 * NSEC_PER_SEC)
#define DAMAGES_MAX 6

#define FILES_MAX 64

static struct {
	char *name;
	struct recorded *r;
} files[FILES_MAX];
static size_t nfiles;

static int name_cmp(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int open_all(void **state)
{
	DIR *dir = opendir(FOLDER);
	struct dirent *d;

	(void)state;
	while (dir && (d = readdir(dir)) && nfiles < FILES_MAX)
		if (strstr(d->d_name, ".rec") && d->d_name[0] != '.')
			files[nfiles++].name = strdup(d->d_name);
	if (dir)
		closedir(dir);
	qsort(files, nfiles, sizeof(*files), name_cmp);
	for (size_t i = 0; i < nfiles; i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s/%s", FOLDER, files[i].name);
		if (recorded_open(path, &files[i].r))
			return fprintf(stderr, "%s cannot be read\n", path), -1;
	}
	return nfiles ? 0 : (fprintf(stderr, "nothing in %s\n", FOLDER), -1);
}

static int close_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < nfiles; i++) {
		recorded_close(files[i].r);
		free(files[i].name);
	}
	nfiles = 0;
	return 0;
}

static char *describe(struct recorded *r)
{
	char *text = NULL;
	struct mem *m;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	assert_int_equal(recorded_mem(r, &m), 0);
	recorded_describe(m, recorded_symbol, r, f);
	mem_close(m);
	fclose(f);
	return text;
}

/* Print the first line in which two texts differ. */
static void show_difference(const char *name, const char *want, const char *got)
{
	while (*want && *got && strcspn(want, "\n") == strcspn(got, "\n") &&
	       !strncmp(want, got, strcspn(want, "\n"))) {
		want = strchrnul(want, '\n') + 1;
		got = strchrnul(got, '\n') + 1;
	}
	print_error("%s: found:    %.*s\n", name, (int)strcspn(got, "\n"), got);
	print_error("%s: expected: %.*s\n", name, (int)strcspn(want, "\n"), want);
}

/*
 * The whole layout, some classes and their fields, and every nmethod are what they were in the
 * JVM; of a JDK that is refused, the reason and what is missing. When a reader has learned more,
 * "record-jvm -u" renews what is expected.
 */
static void found_is_as_expected(void **state)
{
	size_t bad = 0;

	(void)state;
	for (size_t i = 0; i < nfiles; i++) {
		const char *want = files[i].r->text[RECORDED_EXPECTED];
		_cleanup_free_ char *got = describe(files[i].r);

		if (strcmp(got, want)) {
			show_difference(files[i].name, want, got);
			bad++;
		}
	}
	assert_int_equal(bad, 0);
}

/* Where the readers open a JVM, its own list of its code is what they find. */
static void code_is_as_listed(void **state)
{
	size_t bad = 0, compared = 0;

	(void)state;
	for (size_t i = 0; i < nfiles; i++) {
		const struct recorded *r = files[i].r;

		if (!strstr(r->text[RECORDED_EXPECTED], "\nopened 0\n"))
			continue;
		compared++;
		bad += recorded_compare(r->text[RECORDED_CODELIST], r->text[RECORDED_EXPECTED],
					stderr);
	}
	assert_int_equal(bad, 0);
	assert_true(compared > 0);
}

/* The recording of @name has a line @line in what the readers find. */
static void assert_says(const char *name, const char *line)
{
	for (size_t i = 0; i < nfiles; i++)
		if (!strcmp(files[i].name, name)) {
			if (!strstr(files[i].r->text[RECORDED_EXPECTED], line))
				fail_msg("%s does not say: %s", name, line);
			return;
		}
	fail_msg("no recording %s", name);
}

/*
 * Which JDKs open today, and why the others do not: whoever changes it says so here, and does not
 * do it by renewing what is expected.
 */
static void jdks_known_today(void **state)
{
	static const char *const known[] = {"jdk17-g1.rec", "jdk17-z.rec", "jdk17-wide.rec",
					    "jdk21-g1.rec", "jdk21-x.rec", "jdk21-z.rec",
					    "jdk25-g1.rec", "jdk25-z.rec", "jdk25-compact.rec"};
	static const char *const works[] = {"opened 0\n",      "code works\n",	  "names works\n",
					    "classes works\n", "strings works\n", "threads works\n",
					    "walk 0\n"};
	static const char *const refused[][2] = {
		{"jdk8-parallel.rec", "code missing: JDK 8: supported are 17 to 25\n"},
		{"jdk8-serial.rec", "code missing: JDK 8: supported are 17 to 25\n"},
		{"jdk11-g1.rec", "code missing: JDK 11: supported are 17 to 25\n"},
		{"jdk11-serial.rec", "code missing: JDK 11: supported are 17 to 25\n"},
		{"jdk26-g1.rec", "code missing: JDK 26: supported are 17 to 25\n"},
		{"jdk26-z.rec", "code missing: JDK 26: supported are 17 to 25\n"},
		{"jdk27-g1.rec", "code missing: JDK 27: supported are 17 to 25\n"},
		{"jdk27-z.rec", "code missing: JDK 27: supported are 17 to 25\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		for (size_t j = 0; j < ARRAY_SIZE(works); j++)
			assert_says(known[i], works[j]);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		assert_says(refused[i][0], "opened -EOPNOTSUPP\n");
		assert_says(refused[i][0], refused[i][1]);
	}
	assert_int_equal(nfiles, ARRAY_SIZE(known) + ARRAY_SIZE(refused));
	assert_says("jdk17-z.rec", "z bad 0x");
	assert_says("jdk17-z.rec", "follow 1\n");
	assert_says("jdk21-x.rec", "follow 1\n");
	assert_says("jdk21-z.rec", "follow 1\n");
	assert_says("jdk25-z.rec", "follow 1\n");
}

/* A read outside of what was recorded fails, and so does one that only ends outside. */
static void read_outside(void **state)
{
	struct recorded *r = files[0].r;
	const struct piece *p = &r->pieces[0];
	uint8_t buf[8];
	struct mem *m;

	(void)state;
	assert_int_equal(recorded_mem(r, &m), 0);
	assert_int_equal(mem_read(m, p->addr, buf, 1), 0);
	assert_int_equal(buf[0], p->data[0]);
	assert_int_equal(mem_read(m, p->addr - 1, buf, 2), -EFAULT);
	assert_int_equal(mem_read(m, p->addr + p->len - 1, buf, 2), -EFAULT);
	assert_int_equal(mem_read(m, UINT64_MAX - 4, buf, 8), -EFAULT);
	mem_close(m);
}

/* --- damage ------------------------------------------------------------------------------------
 */

/* Of each run anew, by its number: so a run is the same, however many came before it. */
static uint64_t seed;

static uint64_t chance(uint64_t below)
{
	/* xorshift64*: https://en.wikipedia.org/wiki/Xorshift */
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (seed * 0x2545f4914f6cdd1dULL >> 11) % below;
}

struct damage {
	uint8_t *at, was;
};

/* Change a byte in something that the readers ask for, or make a hole of it. */
static void damage_one(struct recorded *r, const struct noted *asked, struct damage *d)
{
	const struct piece *p = &asked->v[chance(asked->n)];
	static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xfe, 0xff};

	d->at = NULL;
	if (chance(4) == 0 && r->nholes < HOLES_MAX) {
		r->holes[r->nholes++] = *p;
		return;
	}
	d->at = recorded_at(r, p->addr + chance(p->len), 1);
	if (!d->at)
		return;
	d->was = *d->at;
	*d->at = chance(2) ? (uint8_t)chance(256) : edges[chance(ARRAY_SIZE(edges))];
}

/* What readers ask for of a sound recording. */
static void ask(struct recorded *r, struct noted *asked)
{
	FILE *null = fopen("/dev/null", "we");
	struct mem *under, *m;

	assert_non_null(null);
	assert_int_equal(recorded_mem(r, &under), 0);
	assert_int_equal(mem_open_noting(under, asked, NULL, &m), 0);
	recorded_describe(m, recorded_symbol, r, null);
	mem_close(m);
	mem_close(under);
	fclose(null);
}

static void read_damaged(const char *name, struct recorded *r, const struct noted *asked)
{
	struct damage d[DAMAGES_MAX];
	uint64_t begin;
	size_t n;

	chance(1);
	n = 1 + chance(DAMAGES_MAX);
	for (size_t i = 0; i < n; i++)
		damage_one(r, asked, &d[i]);
	begin = clock_read_ns(CLOCK_PROCESS_CPUTIME_ID);
	free(describe(r));
	if (clock_read_ns(CLOCK_PROCESS_CPUTIME_ID) - begin > ONE_READ_NS)
		fail_msg("%s: the readers took too long", name);
	while (n--)
		if (d[n].at)
			*d[n].at = d[n].was;
	r->nholes = 0;
}

/*
 * Bytes are changed, and pieces taken away, at random: the readers return. What they read out of
 * bounds or leave behind the sanitizers tell (make SAN=1). HP_SEED repeats a run.
 */
static void damaged_returns(void **state)
{
	const char *set = getenv("HP_SEED");
	uint64_t first = set ? strtoull(set, NULL, 0) : clock_wall_ns();
	uint64_t until = clock_ns() + DAMAGED_NS, runs = 0;

	(void)state;
	print_message("  HP_SEED=%" PRIu64 "\n", first);
	for (size_t i = 0; i < nfiles; i++) {
		uint64_t now = clock_ns(), run = 0;
		/* An equal part of the time that is left, and on a slow machine one run. */
		uint64_t stop = now < until ? now + (until - now) / (nfiles - i) : now;
		struct noted asked = {0};

		ask(files[i].r, &asked);
		do {
			seed = (first ^ i << 32 ^ run++) * 0x9e3779b97f4a7c15ULL | 1;
			read_damaged(files[i].name, files[i].r, &asked);
		} while (clock_ns() < stop);
		runs += run;
		noted_fini(&asked);
	}
	print_message("  %" PRIu64 " damaged recordings\n", runs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found_is_as_expected), cmocka_unit_test(code_is_as_listed),
		cmocka_unit_test(jdks_known_today),	cmocka_unit_test(read_outside),
		cmocka_unit_test(damaged_returns),
	};

	return cmocka_run_group_tests_name("recorded", tests, open_all, close_all);
}
