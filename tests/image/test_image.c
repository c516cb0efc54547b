// SPDX-License-Identifier: MIT
/*
 * test_image.c - native images of several GraalVM versions, as they are published: what `hotprobe
 * check -x`, `methods -x` and `list` say of them. Needs tests/tools/fetch-images; no root.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "lib/cmocka_all.h"
#include "lib/image_run.h"
#include "symmap/elfsyms.h"
#include "runtime/image/image_map.h"

/* What one image may take, of any size here. A sanitizer takes more. */
#define TIME_MAX_MS 2000
#define RSS_MAX_KIB (300 * 1024)
#ifdef HP_SAN
#define SLOWER 10
#else
#define SLOWER 1
#endif

static json_t *methods(const char *path, const char *pattern)
{
	return hp_json((const char *[]){"methods", "--json", "-x", path, pattern, NULL}, 0);
}

/* --- check ------------------------------------------------------------------------------------ */

static const char *detail_of(const json_t *items, const char *check, const char *result)
{
	size_t i;
	json_t *o;

	json_array_foreach (items, i, o) {
		if (strcmp(json_text(o, "check"), check))
			continue;
		if (strcmp(json_text(o, "result"), result))
			fail_msg("%s is %s, not %s: %s", check, json_text(o, "result"), result,
				 json_text(o, "detail"));
		return json_text(o, "detail");
	}
	fail_msg("nothing is said of \"%s\"", check);
	return "";
}

struct image_case {
	const char *name, *version, *executable, *names;
	uint32_t methods, starts; /* named, and all */
	const char *known;	  /* a method, and where it must be */
	uint64_t entry;
	const char *shown;
};

static const struct image_case cases[] = {
	{"ce19-symbols", "GraalVM 19.0.0 CE", "x86-64, at a fixed address, dynamic", "symbol table",
	 26791, 26791, "CommandLineRunner.main", 0x66e510, "CommandLineRunner.main"},
	{"ce22", "GraalVM 22.3.1 Java 11 CE, Java 11.0.18, musl",
	 "x86-64, at a fixed address, static", "code info", 48415, 48642, "org.pkl.cli.Main.main",
	 0x1718850, "org.pkl.cli.Main.main"},
	{"ce25", "GraalVM CE 25.0.2+10.1, Java 25.0.2, musl", "x86-64, at a fixed address, static",
	 "code info", 30623, 30623, "com.google.javascript.jscomp.CommandLineRunner.main", 0x644de0,
	 "com.google.javascript.jscomp.CommandLineRunner.main"},
	{"ce25-truffle", "GraalVM CE 25+37.1, Java 25, musl", "x86-64, at a fixed address, static",
	 "code info", 56111, 56111, "org.pkl.cli.Main.main", 0x1e622a0, "org.pkl.cli.Main.main"},
	{"oracle21", "Oracle GraalVM 21.0.5+9.1, Java 21.0.5, musl",
	 "x86-64, at a fixed address, static", "code info", 56960, 56960, "org.pkl.cli.Main.main",
	 0x23c34a0, "org.pkl.cli.Main.main"},
	{"oracle23-pie", "Oracle GraalVM 23.0.1+11.1, Java 23.0.1, glibc",
	 "x86-64, position-independent, dynamic", "code info", 17163, 17163,
	 "net.dangmai.serializer.Apex.main", 0x21c2f0, "net.dangmai.serializer.Apex.main"},
	{"ce25-arm64", "GraalVM CE 25.0.2+10.1, Java 25.0.2, glibc",
	 "aarch64, position-independent, dynamic", "code info", 30605, 30605,
	 "com.google.javascript.jscomp.CommandLineRunner.main", 0x3b12a0,
	 "com.google.javascript.jscomp.CommandLineRunner.main"},
};

/* check -x tells version, machine, linking, and where names come from. */
static void check_says_what_an_image_is(void **state _unused_)
{
	image_new_cache();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct image_case *c = &cases[i];
		bool here = strcmp(c->name, "ce25-arm64");
		json_t *items = hp_json(
			(const char *[]){"check", "--json", "-x", image_or_skip(c->name), NULL},
			here ? 0 : 4);

		assert_string_equal(detail_of(items, "image", "ok"), c->version);
		assert_string_equal(detail_of(items, "executable", "ok"), c->executable);
		assert_non_null(strstr(detail_of(items, "method names", "ok"), c->names));
		detail_of(items, "probeable", here ? "ok" : "missing");
		json_decref(items);
	}
}

/* A packed image is refused with the packer's name, whatever is asked of it. */
static void packed_image_is_refused_by_name(void **state _unused_)
{
	const char *path = image_or_skip("upx");
	json_t *items = hp_json((const char *[]){"check", "--json", "-x", path, NULL}, 4);
	struct hp_result r;

	assert_non_null(strstr(detail_of(items, "probeable", "missing"), "UPX"));
	json_decref(items);
	hp_run(&r, (const char *[]){"methods", "-x", path, NULL});
	hp_result_check(&r, 4);
	assert_non_null(strstr(r.err, "UPX"));
	hp_result_free(&r);
}

/* Files that are no images are refused in one clear line. */
static void other_files_are_refused(void **state _unused_)
{
	static const struct {
		const char *path;
		int status;
	} files[] = {{"/bin/sh", 4},
		     {"/etc/passwd", 4},
		     {"/nonexistent", 1},
		     {"/dev/zero", 1},
		     {"/tmp", 1}};
	struct hp_result r;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		hp_run(&r, (const char *[]){"methods", "-x", files[i].path, NULL});
		hp_result_check(&r, files[i].status);
		hp_result_free(&r);
	}
}

/* A file has no PID, and nothing in it changes: what makes no sense with -x is wrong usage. */
static void file_goes_without_process(void **state _unused_)
{
	static const char *const args[][5] = {
		{"methods", "-x", "/bin/sh", "-w"},
		{"methods", "-x", "/bin/sh", "-p1"},
		{"methods", "-x", "/bin/sh", "--via=agent"},
		{"methods", "-x", "/bin/sh", "a.b("},
		{"methods", "-x"},
		{"methods"},
	};
	struct hp_result r;

	for (size_t i = 0; i < ARRAY_SIZE(args); i++) {
		hp_run(&r, args[i]);
		assert_int_equal(r.status, 2);
		assert_string_equal(r.out, "");
		assert_string_not_equal(r.err, "");
		hp_result_free(&r);
	}
}

/* --- methods ---------------------------------------------------------------------------------- */

static uint64_t now_ms(void)
{
	return clock_ns() / NSEC_PER_MSEC;
}

/* The named ones and their order; no two overlap, none is empty. */
static void check_all(const struct image_case *c, json_t *all)
{
	uint64_t last = 0;
	size_t i;
	json_t *o;

	assert_int_equal(json_array_size(all), c->methods);
	json_array_foreach (all, i, o) {
		uint64_t entry = json_addr(o, "entry"), end = json_addr(o, "end");

		if (entry < last || end <= entry || strcmp(json_text(o, "kind"), "native-image") ||
		    !*json_text(o, "name") || !*json_text(o, "class"))
			fail_msg("%s: method %zu at %#llx", c->name, i, (unsigned long long)entry);
		last = end;
	}
}

/*
 * An image is decoded in bounded memory. Runs before all else: what a child had before it became
 * hotprobe, a copy of us, is counted too.
 */
static void methods_in_bounded_memory(void **state _unused_)
{
	struct rusage usage;

	image_new_cache();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *path = image_or_skip(cases[i].name);
		struct hp_result r;

		hp_run(&r,
		       (const char *[]){"methods", "--json", "-x", path, "-o", "/dev/null", NULL});
		hp_result_check(&r, 0);
		hp_result_free(&r);
	}
	assert_int_equal(getrusage(RUSAGE_CHILDREN, &usage), 0);
	print_message("  at most %ld kB\n", usage.ru_maxrss);
	assert_true(usage.ru_maxrss <= RSS_MAX_KIB * SLOWER);
}

/* Processor time of all that has run: unlike the clock's, it is not that of others. */
static uint64_t children_ms(void)
{
	struct rusage u;

	assert_int_equal(getrusage(RUSAGE_CHILDREN, &u), 0);
	return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 +
	       (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000;
}

/* Every method is listed, known ones where they are, in bounded time; again from the cache. */
static void methods_of_every_image(void **state _unused_)
{
	image_new_cache();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct image_case *c = &cases[i];
		const char *path = image_or_skip(c->name);
		uint64_t start = children_ms(), cold;
		json_t *one = methods(path, c->known), *all, *again;

		cold = children_ms() - start;
		assert_int_equal(json_array_size(one), 1);
		assert_int_equal(json_addr(json_array_get(one, 0), "entry"), c->entry);
		all = methods(path, NULL);
		check_all(c, all);
		again = methods(path, NULL);
		assert_true(json_equal(all, again));
		if (cold > TIME_MAX_MS * SLOWER)
			fail_msg("%s: %llu ms", c->name, (unsigned long long)cold);
		json_decref(one);
		json_decref(all);
		json_decref(again);
	}
}

/* --- names against symbols -------------------------------------------------------------------- */

struct exports {
	struct image_map map;
	size_t checked;
};

/* "IsolateEnterStub__Class__method__<digest>" in the image's tables: the same text, "_" for "__".
 */
static int check_export(const char *name, uint64_t value, uint64_t size _unused_, void *arg)
{
	static const char prefix[] = "IsolateEnterStub__";
	const struct image_method *m;
	struct exports *e = arg;
	char got[512], want[512];
	size_t n = 0;

	if (strncmp(name, prefix, strlen(prefix)))
		return 0;
	m = image_map_at(&e->map, value);
	if (!m || m->entry != value)
		fail_msg("%s: no method begins at %#llx", name, (unsigned long long)value);
	snprintf(got, sizeof(got), "%s", image_text(&e->map, m->name));
	assert_string_equal(image_text(&e->map, m->klass),
			    "com.oracle.svm.core.code.IsolateEnterStub");
	for (const char *p = name + strlen(prefix); *p && n < sizeof(want) - 1; p++) {
		if (!strncmp(p, "_0024", 5)) { /* $ */
			want[n++] = '$';
			p += 4;
		} else {
			want[n++] = *p;
			p += p[0] == '_' && p[1] == '_';
		}
	}
	want[n] = '\0';
	/* The digests are of different functions' signatures, that of the stub and what it stands
	 * for. */
	*strrchr(got, '_') = '\0';
	*strrchr(want, '_') = '\0';
	assert_string_equal(got, want);
	assert_true(m->flags & METHOD_C_ENTRY);
	e->checked++;
	return 0;
}

/* Where the image exports its entry stubs, the tables name the same functions at the same places.
 */
static void tables_agree_with_exports(void **state _unused_)
{
	_cleanup_close_ int fd = open(image_or_skip("oracle23-pie"), O_RDONLY | O_CLOEXEC);
	struct exports e = {.checked = 0};
	struct elfsyms *syms;

	assert_int_equal(image_map_read(fd, &e.map), 0);
	assert_int_equal(e.map.names, NAMES_CODE_INFO);
	assert_int_equal(elfsyms_open(fd, &syms), 0);
	assert_int_equal(elfsyms_each_export(syms, check_export, &e), 0);
	assert_int_equal(e.checked, 11);
	elfsyms_close(syms);
	image_map_fini(&e.map);
}

/* Overloads that cannot be told apart are all shown, and said to be. */
static void overloads_are_all_shown(void **state _unused_)
{
	const char *path = image_or_skip("ce25");
	json_t *all = methods(path, "java.lang.String.indexOf");
	struct hp_result r;
	size_t n = json_array_size(all), i;
	json_t *o;

	assert_true(n > 1);
	json_array_foreach (all, i, o)
		assert_int_equal(json_integer_value(json_object_get(o, "overloads")), n);
	json_decref(all);
	hp_run(&r, (const char *[]){"methods", "-x", path, "java.lang.String.indexOf(int)", NULL});
	assert_int_equal(r.status, 0);
	assert_non_null(strstr(r.err, "share class and name"));
	hp_result_free(&r);
}

/* A symbol's digest tells which overload has the signature that is asked for. */
static void digest_picks_the_overload(void **state _unused_)
{
	const char *path = image_or_skip("ce19-symbols");
	json_t *all = methods(path, "java.lang.String.<init>"), *one;

	assert_int_equal(json_array_size(all), 8);
	json_decref(all);
	one = methods(path, "java.lang.String.<init>(char[], int, int)");
	assert_int_equal(json_array_size(one), 1);
	assert_string_equal(json_text(json_array_get(one, 0), "symbol"),
			    "String_constructor_bea7661f4e328798935339561607b4a139be1527");
	json_decref(one);
	one = methods(path, "com.google.javascript.jscomp.CommandLineRunner.createExterns("
			    "com.google.javascript.jscomp.CompilerOptions)java.util.List");
	assert_int_equal(json_array_size(one), 1);
	assert_int_equal(json_addr(json_array_get(one, 0), "entry"), 0x6667b0);
	json_decref(one);
}

/* --- list ------------------------------------------------------------------------------------- */

/* A running image is listed as what it is; a shell that waits beside it is not. */
static void list_shows_running_images(void **state _unused_)
{
	const char *path = image_or_skip("ce25");
	struct child *image = child_start((const char *[]){path, "--js", "/dev/stdin", NULL}, NULL);
	struct child *shell = child_start((const char *[]){"/bin/cat", NULL}, NULL);
	json_t *all = json_array(), *o;
	size_t i, found = 0;

	for (uint64_t end = now_ms() + 10000; !found && now_ms() < end;) {
		struct hp_result r;
		char *save = NULL;

		json_array_clear(all);
		hp_run(&r, (const char *[]){"list", "--json", NULL});
		assert_int_equal(r.status, 0);
		for (char *l = strtok_r(r.out, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
			json_array_append_new(all, json_line(l));
		hp_result_free(&r);
		json_array_foreach (all, i, o)
			found += json_integer_value(json_object_get(o, "pid")) == child_pid(image);
	}
	json_array_foreach (all, i, o) {
		pid_t pid = (pid_t)json_integer_value(json_object_get(o, "pid"));

		assert_int_not_equal(pid, child_pid(shell));
		if (pid != child_pid(image))
			continue;
		assert_string_equal(json_text(o, "kind"), "native-image");
		assert_string_equal(json_text(o, "vm"), "GraalVM CE 25.0.2+10.1");
		assert_string_equal(json_text(o, "java_version"), "25.0.2");
	}
	assert_int_equal(found, 1);
	json_decref(all);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		jvm_test(methods_in_bounded_memory),	   jvm_test(check_says_what_an_image_is),
		jvm_test(packed_image_is_refused_by_name), jvm_test(other_files_are_refused),
		jvm_test(file_goes_without_process),	   jvm_test(methods_of_every_image),
		jvm_test(tables_agree_with_exports),	   jvm_test(overloads_are_all_shown),
		jvm_test(digest_picks_the_overload),	   jvm_test(list_shows_running_images),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
