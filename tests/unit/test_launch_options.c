/* SPDX-License-Identifier: MIT */
/*
 * test_launch_options.c - whatever the folder is called that the agent lies in, a JVM finds it
 * there or is not started; and what the user's variable held, it holds.
 */
#include <ctype.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "launch/launch_options.h"

#define OPTIONS "wait=hotprobe.run.1.abc,quiet"
#define WORDS	8

/*
 * What HotSpot makes of the variable (share/runtime/arguments.cpp, parse_options_buffer()): words,
 * in place. Return: how many; -1 for an unmatched quotation mark, with which no JVM starts.
 */
static int split(char *text, char *words[static WORDS])
{
	char *in = text, *out;
	int n = 0;

	for (;;) {
		while (isspace((unsigned char)*in))
			in++;
		if (!*in)
			return n;
		assert_true(n < WORDS);
		words[n++] = out = in;
		while (*in && !isspace((unsigned char)*in)) {
			char quote = *in == '\'' || *in == '"' ? *in : '\0';

			if (!quote) {
				*out++ = *in++;
				continue;
			}
			for (in++; *in != quote; in++) {
				if (!*in)
					return -1;
				*out++ = *in;
			}
			in++;
		}
		if (*in)
			in++;
		*out = '\0';
	}
}

static int make(const char *old, const char *library, char **ret)
{
	struct fail f = {0};
	int err = launch_options_make(old, library, OPTIONS, ret, &f);

	assert_int_equal(f.err, err);
	assert_true(!err == !*f.text);
	return err;
}

/* Every byte that a folder's name can have arrives, but those that no spelling saves. */
static void any_path_arrives(void **state _unused_)
{
	static const char *const extra[] = {
		"q'\"r",
		"''",
		"\"\"",
		"\"'\"'",
		"a b  c",
		"a,b",
		"back\\slash\\",
		"new\nline\t",
		"\xc3\x84pfel",
		"\xff\xa0",
		"100%p",
		"a$b",
		"$",
		"-agentpath:",
		"'",
		"\"",
		" ",
	};
	char library[64], expected[128], one[2] = {0};
	char *words[WORDS], *text;

	for (int k = 1; k < 256 + (int)ARRAY_SIZE(extra); k++) {
		one[0] = (char)k;
		if (k == '=')
			continue;
		snprintf(library, sizeof(library), "/tmp/%s/x.so", k < 256 ? one : extra[k - 256]);
		snprintf(expected, sizeof(expected), "-agentpath:%s=%s", library, OPTIONS);
		assert_int_equal(make(NULL, library, &text), 0);
		assert_int_equal(split(text, words), 1);
		assert_string_equal(words[0], expected);
		free(text);
	}
}

/* What no spelling saves is refused: the application would not start. */
static void some_paths_are_refused(void **state _unused_)
{
	static const char *const bad[] = {
		"/tmp/a=b/x.so",	 "/=", "/tmp/$ORIGIN/x.so", "/tmp/a$LIB/x.so",
		"/tmp/${PLATFORM}/x.so",
	};
	char *text = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(make(NULL, bad[i], &text), -EINVAL);
		assert_null(text);
	}
}

/* The user's own value stands first and is not touched; a JVM that cannot read it still cannot. */
static void the_old_value_is_kept(void **state _unused_)
{
	static const char *const old[] = {"-Da=b", " '-Db=c d'  -Xmx1g ", "-D\"q=r\"", ""};
	static const char *const broken[] = {"-Da='b", "\"", "-Dx=\"'"};
	static const char *const libraries[] = {"/usr/lib/x.so", "/tmp/q'\"r/x.so"};
	char *words[WORDS], *text, *alone;

	for (size_t k = 0; k < ARRAY_SIZE(libraries); k++) {
		for (size_t i = 0; i < ARRAY_SIZE(old); i++) {
			assert_int_equal(make(old[i], libraries[k], &text), 0);
			assert_memory_equal(text, old[i], strlen(old[i]));
			alone = strdup(old[i]);
			assert_int_equal(split(text, words), split(alone, words) + 1);
			free(alone);
			free(text);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		assert_int_equal(make(broken[i], libraries[0], &text), 0);
		assert_memory_equal(text, broken[i], strlen(broken[i]));
		assert_int_equal(split(text, words), -1);
		free(text);
	}
}

/* A folder that only its owner may enter is found, wherever it is in the path. */
static void the_folder_in_the_way_is_named(void **state _unused_)
{
	char dir[] = "/tmp/hotprobe-test-XXXXXX", sub[64], file[128], ret[PATH_MAX];

	assert_non_null(mkdtemp(dir));
	snprintf(sub, sizeof(sub), "%s/sub", dir);
	snprintf(file, sizeof(file), "%s/x.so", sub);
	assert_int_equal(mkdir(sub, 0755), 0);
	fclose(fopen(file, "w"));
	assert_int_equal(chmod(file, 0644) | chmod(sub, 0755), 0);
	assert_false(launch_options_readable(file, ret)); /* mkdtemp() made it 0700 */
	assert_string_equal(ret, dir);
	assert_int_equal(chmod(dir, 0711), 0);
	assert_true(launch_options_readable(file, ret));
	assert_int_equal(chmod(file, 0640), 0);
	assert_false(launch_options_readable(file, ret));
	assert_string_equal(ret, file);
	unlink(file);
	rmdir(sub);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_path_arrives),
		cmocka_unit_test(some_paths_are_refused),
		cmocka_unit_test(the_old_value_is_kept),
		cmocka_unit_test(the_folder_in_the_way_is_named),
	};

	return cmocka_run_group_tests_name("launch_options", tests, NULL, NULL);
}
