// SPDX-License-Identifier: MIT
/* The parser of /proc/PID/maps: the kernel's form and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "proc/maps.h"

#define LINE(range, rest) range " " rest "\n"

static int parse(const char *text, struct maps *ret)
{
	return maps_parse(text, strlen(text), ret);
}

/* Every field of a line arrives, and anonymous memory has an empty path. */
static void parse_fields(void **state)
{
	static const char text[] =
		"00400000-00401000 r-xp 00002000 fd:1a 1835114                    /usr/bin/a b\n"
		"7f0000000000-7f0000021000 rw-s 00000000 00:00 0 \n"
		"7ffd1fd0f000-7ffd1fd11000 r-xp 00000000 00:00 0                  [vdso]\n"
		"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0          [vsyscall]\n";
	struct maps m;

	(void)state;
	assert_int_equal(parse(text, &m), 0);
	assert_int_equal(m.n, 4);
	assert_int_equal(m.entries[0].start, 0x400000);
	assert_int_equal(m.entries[0].end, 0x401000);
	assert_int_equal(m.entries[0].offset, 0x2000);
	assert_int_equal(m.entries[0].inode, 1835114);
	assert_int_equal(m.entries[0].dev_major, 0xfd);
	assert_int_equal(m.entries[0].dev_minor, 0x1a);
	assert_true(m.entries[0].read && !m.entries[0].write && m.entries[0].exec);
	assert_false(m.entries[0].shared);
	assert_string_equal(m.entries[0].path, "/usr/bin/a b");
	assert_true(m.entries[1].write && m.entries[1].shared && !m.entries[1].exec);
	assert_string_equal(m.entries[1].path, "");
	assert_string_equal(m.entries[2].path, "[vdso]");
	assert_int_equal(m.entries[3].end, 0xffffffffff601000);
	maps_fini(&m);
	assert_null(m.entries);
}

/* A newline in a path comes escaped and is undone; everything else is kept as printed. */
static void parse_paths(void **state)
{
	static const char text[] = LINE("1000-2000", "r--p 00000000 08:01 7 /tmp/two\\012lines")
		LINE("2000-3000", "r--p 00000000 08:01 7 /usr/lib/libjvm.so (deleted)")
			LINE("3000-4000", "r--p 00000000 08:01 7 /a\\040b\\")
				LINE("4000-5000", "r--p 00000000 08:01 7 [anon:Java: a]");
	struct maps m;

	(void)state;
	assert_int_equal(parse(text, &m), 0);
	assert_string_equal(m.entries[0].path, "/tmp/two\nlines");
	assert_string_equal(m.entries[1].path, "/usr/lib/libjvm.so (deleted)");
	assert_string_equal(m.entries[2].path, "/a\\040b\\");
	assert_string_equal(m.entries[3].path, "[anon:Java: a]");
	maps_fini(&m);
}

/* No text at all (a kernel thread, a zombie) is a map without entries. */
static void parse_empty(void **state)
{
	struct maps m;

	(void)state;
	assert_int_equal(maps_parse("", 0, &m), 0);
	assert_int_equal(m.n, 0);
	assert_null(maps_find(&m, 0x1000));
	maps_fini(&m);
}

/* A line that is not exactly the kernel's refuses the whole text. */
static void parse_malformed(void **state)
{
	static const char *const bad[] = {
		"\n",
		"garbage\n",
		LINE("1000-2000", "r-xp 00000000 00:00"),
		LINE("1000-2000", "r-xq 00000000 00:00 0 "),
		LINE("1000-2000", "-rxp 00000000 00:00 0 "),
		LINE("1000-2000", "r-xp 0000000g 00:00 0 "),
		LINE("1000-2000", "r-xp 00000000 00-00 0 "),
		LINE("1000-2000", "r-xp 00000000 00:00 0x1 "),
		LINE("1000-2000", "r-xp 00000000 100000000:00 0 "),
		LINE("1000 2000", "r-xp 00000000 00:00 0 "),
		LINE("-2000", "r-xp 00000000 00:00 0 "),
		LINE(" 1000-2000", "r-xp 00000000 00:00 0 "),
		LINE("1000-2000", "r-xp  00000000 00:00 0 "),
	};
	struct maps m;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (parse(bad[i], &m) != -EPROTO)
			fail_msg("accepted: %s", bad[i]);
}

/* Cut anywhere, a text is refused or ends with the line before: never with half a path. */
static void parse_truncated(void **state)
{
	static const char text[] = LINE("1000-2000", "r-xp 00000000 08:01 7 /usr/lib/libjvm.so")
		LINE("2000-3000", "rw-p 00001000 08:01 7 /usr/lib/libjvm.so");
	size_t first = strchr(text, '\n') + 1 - text;
	struct maps m;

	(void)state;
	for (size_t len = 1; len < sizeof(text) - 1; len++) {
		int err = maps_parse(text, len, &m);

		assert_int_equal(err, len == first ? 0 : -EPROTO);
		if (!err)
			maps_fini(&m);
	}
}

/* Numbers that do not fit are refused, not wrapped. */
static void parse_overflow(void **state)
{
	struct maps m;

	(void)state;
	assert_int_equal(parse(LINE("1000-10000000000000000", "r-xp 0 00:00 0 "), &m), -EPROTO);
	assert_int_equal(parse(LINE("1000-2000", "r-xp 10000000000000000 00:00 0 "), &m), -EPROTO);
	assert_int_equal(parse(LINE("1000-2000", "r-xp 0 00:00 18446744073709551616 "), &m),
			 -EPROTO);
	assert_int_equal(parse(LINE("1000-ffffffffffffffff", "r-xp ffffffffffffffff 00:00 "
							     "18446744073709551615 "),
			       &m),
			 0);
	assert_int_equal(m.entries[0].inode, UINT64_MAX);
	maps_fini(&m);
}

/* Empty, overlapping, repeated and unordered ranges are refused. */
static void parse_disorder(void **state)
{
	static const char *const bad[] = {
		LINE("2000-2000", "r-xp 0 00:00 0 "),
		LINE("3000-2000", "r-xp 0 00:00 0 "),
		LINE("1000-3000", "r-xp 0 00:00 0 ") LINE("2000-4000", "r-xp 0 00:00 0 "),
		LINE("1000-2000", "r-xp 0 00:00 0 ") LINE("1000-2000", "r-xp 0 00:00 0 "),
		LINE("3000-4000", "r-xp 0 00:00 0 ") LINE("1000-2000", "r-xp 0 00:00 0 "),
	};
	struct maps m;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(parse(bad[i], &m), -EPROTO);
}

/* A path of MAPS_PATH_MAX bytes is kept whole; one byte more, or a NUL inside, is refused. */
static void parse_path_bounds(void **state)
{
	static const char head[] = "1000-2000 r-xp 00000000 08:01 7 ";
	static char text[sizeof(head) + MAPS_PATH_MAX + 2];
	size_t len = sizeof(head) - 1 + MAPS_PATH_MAX;
	struct maps m;

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, head, sizeof(head) - 1);
	text[len] = '\n';
	assert_int_equal(maps_parse(text, len + 1, &m), 0);
	assert_int_equal(strlen(m.entries[0].path), MAPS_PATH_MAX);
	maps_fini(&m);
	text[len] = 'a';
	text[len + 1] = '\n';
	assert_int_equal(maps_parse(text, len + 2, &m), -EPROTO);
	text[sizeof(head) + 10] = '\0';
	text[sizeof(head) + 20] = '\n';
	assert_int_equal(maps_parse(text, sizeof(head) + 21, &m), -EPROTO);
}

/* More lines than any process may have mappings are refused before memory is taken for them. */
static void parse_too_many_lines(void **state)
{
	size_t len = MAPS_MAX + 1;
	char *text = malloc(len);
	struct maps m;

	(void)state;
	assert_non_null(text);
	memset(text, '\n', len);
	assert_int_equal(maps_parse(text, len, &m), -EPROTO);
	free(text);
}

/* Random damage to a valid text is refused or yields ordered entries with bounded paths. */
static void parse_random_damage(void **state)
{
	static const char text[] = LINE("1000-2000", "r-xp 00000000 08:01 7 /usr/lib/libjvm.so")
		LINE("2000-3000", "rw-p 00001000 08:01 7 /a\\012b")
			LINE("3000-5000", "rw-p 00001000 00:00 0 ");
	const unsigned int seed = 4711;
	char buf[sizeof(text)];
	struct maps m;

	(void)state;
	srand(seed);
	for (int i = 0; i < 50000; i++) {
		memcpy(buf, text, sizeof(text));
		for (int k = rand() % 4; k >= 0; k--)
			buf[rand() % (sizeof(text) - 1)] = " -\n0f\\rwx/z"[rand() % 11];
		if (maps_parse(buf, sizeof(text) - 1, &m))
			continue;
		for (size_t k = 0; k < m.n; k++) {
			const struct map_entry *e = &m.entries[k];

			if (e->start >= e->end || (k && e->start < e[-1].end) ||
			    strlen(e->path) > sizeof(text))
				fail_msg("seed %u, round %d, entry %zu", seed, i, k);
		}
		maps_fini(&m);
	}
}

/* An address belongs to the entry that covers it: first byte in, end out, holes nobody's. */
static void find_bounds(void **state)
{
	struct maps m;

	(void)state;
	assert_int_equal(parse(LINE("1000-2000", "r-xp 0 00:00 0 a")
				       LINE("2000-3000", "r-xp 0 00:00 0 b")
					       LINE("5000-6000", "r-xp 0 00:00 0 c"),
			       &m),
			 0);
	assert_null(maps_find(&m, 0xfff));
	assert_string_equal(maps_find(&m, 0x1000)->path, "a");
	assert_string_equal(maps_find(&m, 0x1fff)->path, "a");
	assert_string_equal(maps_find(&m, 0x2000)->path, "b");
	assert_null(maps_find(&m, 0x3000));
	assert_null(maps_find(&m, 0x4fff));
	assert_string_equal(maps_find(&m, 0x5fff)->path, "c");
	assert_null(maps_find(&m, 0x6000));
	assert_null(maps_find(&m, UINT64_MAX));
	maps_fini(&m);
}

static void assert_gap(const struct maps *m, uint64_t limit, uint64_t floor, uint64_t len,
		       uint64_t want)
{
	uint64_t got = 1;

	assert_int_equal(maps_gap_below(m, limit, floor, len, &got), 0);
	assert_int_equal(got, want);
}

/* The highest range that fits between floor and limit is found, page aligned. */
static void gap_below_finds_highest(void **state)
{
	struct maps m;

	(void)state;
	assert_int_equal(parse(LINE("10000-11000", "r-xp 0 00:00 0 ")
				       LINE("13000-14000", "r-xp 0 00:00 0 ")
					       LINE("14000-18000", "r-xp 0 00:00 0 ")
						       LINE("20000-30000", "r-xp 0 00:00 0 "),
			       &m),
			 0);
	assert_gap(&m, 0x20000, 0, 0x1000, 0x1f000);
	assert_gap(&m, 0x25000, 0, 0x1000, 0x1f000); /* a limit inside a mapping */
	assert_gap(&m, 0x1f800, 0, 0x1000, 0x1e000); /* a limit inside a page */
	assert_gap(&m, 0x18000, 0, 0x1000, 0x12000);
	assert_gap(&m, 0x18000, 0, 0x2000, 0x11000);  /* fits exactly */
	assert_gap(&m, 0x18000, 0, 0x1001, 0x11000);  /* rounded up to pages */
	assert_gap(&m, 0x18000, 0, 0x3000, 0xd000);   /* below the first */
	assert_gap(&m, 0x40000, 0, 0x10000, 0x30000); /* above the last */
	assert_gap(&m, UINT64_MAX, 0, 0x1000, 0xffffffffffffe000);
	maps_fini(&m);
}

/* Where nothing fits it says so: above the floor, of size 0, or larger than everything. */
static void gap_below_no_space(void **state)
{
	struct maps m;
	uint64_t got = 1;

	(void)state;
	assert_int_equal(parse(LINE("10000-11000", "r-xp 0 00:00 0 ")
				       LINE("13000-14000", "r-xp 0 00:00 0 "),
			       &m),
			 0);
	assert_int_equal(maps_gap_below(&m, 0x13000, 0x11001, 0x2000, &got), -ENOSPC);
	assert_int_equal(maps_gap_below(&m, 0x14000, 0x12000, 0x2000, &got), -ENOSPC);
	assert_int_equal(maps_gap_below(&m, 0x1000, 0x2000, 0x1000, &got), -ENOSPC);
	assert_int_equal(maps_gap_below(&m, 0x20000, 0, 0, &got), -ENOSPC);
	assert_int_equal(maps_gap_below(&m, 0x20000, 0, UINT64_MAX, &got), -ENOSPC);
	assert_int_equal(maps_gap_below(&m, 0x20000, UINT64_MAX, 0x1000, &got), -ENOSPC);
	assert_int_equal(got, 1);
	maps_fini(&m);
}

/* Our own maps are read, over several reads, and show what is mapped where. */
static void read_self(void **state)
{
	const size_t n = 400, page = 4096;
	struct maps m;
	uint8_t *p = mmap(NULL, n * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const struct map_entry *e;

	(void)state;
	assert_ptr_not_equal(p, MAP_FAILED);
	for (size_t i = 0; i < n; i += 2) /* every page its own mapping */
		assert_int_equal(mprotect(p + i * page, page, PROT_READ | PROT_WRITE), 0);
	assert_int_equal(maps_read(getpid(), &m), 0);
	assert_true(m.n > n);
	for (size_t i = 0; i < n; i++) {
		e = maps_find(&m, (uintptr_t)(p + i * page));
		assert_non_null(e);
		assert_int_equal(e->write, i % 2 == 0);
	}
	e = maps_find(&m, (uintptr_t)read_self);
	assert_non_null(e);
	assert_true(e->exec);
	assert_non_null(strstr(e->path, "test_maps"));
	maps_fini(&m);
	munmap(p, n * page);
}

/* A process that is gone is told from one that has no memory. */
static void read_no_such_process(void **state)
{
	struct maps m;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (!pid)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(maps_read(pid, &m), -ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_fields),		cmocka_unit_test(parse_paths),
		cmocka_unit_test(parse_empty),		cmocka_unit_test(parse_malformed),
		cmocka_unit_test(parse_truncated),	cmocka_unit_test(parse_overflow),
		cmocka_unit_test(parse_disorder),	cmocka_unit_test(parse_path_bounds),
		cmocka_unit_test(parse_too_many_lines), cmocka_unit_test(parse_random_damage),
		cmocka_unit_test(find_bounds),		cmocka_unit_test(gap_below_finds_highest),
		cmocka_unit_test(gap_below_no_space),	cmocka_unit_test(read_self),
		cmocka_unit_test(read_no_such_process),
	};

	return cmocka_run_group_tests_name("maps", tests, NULL, NULL);
}
