// SPDX-License-Identifier: MIT
/* test_counts_table.c - one count for each method (daemon/probe/counts.h). */
#include "lib/cmocka_all.h"
#include "probe/counts.h"

static struct method method(const char *klass, const char *name, const char *desc)
{
	return (struct method){.klass = klass, .name = name, .desc = desc};
}

/* The same class, name and descriptor are the same method, whatever the code; nothing else is. */
static void counts_of_same_method(void **state _unused_)
{
	static const char *const texts[][3] = {{"a.B", "c", "()V"},
					       {"a.B", "c", "(I)V"},
					       {"a.B", "d", "()V"},
					       {"a.Bc", "", "()V"},
					       {"", "a.B", "c()V"}};
	struct counts c = {0};

	for (size_t round = 0; round < 2; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
			char klass[16];
			struct method m = method(klass, texts[i][1], texts[i][2]);

			snprintf(klass, sizeof(klass), "%s", texts[i][0]);
			m.entry = round;
			counts_of(&c, &m)->total++;
		}
	}
	assert_int_equal(c.n, ARRAY_SIZE(texts));
	for (size_t i = 0; i < c.n; i++) {
		assert_int_equal(c.v[i]->total, 2);
		assert_string_equal(c.v[i]->method.klass, texts[i][0]);
		assert_string_equal(c.v[i]->method.desc, texts[i][2]);
	}
	counts_fini(&c);
}

/* A target may make up names for ever: so many are kept apart, and the others are one. */
static void counts_of_bound(void **state _unused_)
{
	struct method first = method("C0", "m", "()V");
	struct counts c = {0};
	uint64_t sum = 0;

	for (int i = 0; i < COUNTS_MAX + 1000; i++) {
		char klass[16];
		struct method m = method(klass, "m", "()V");

		snprintf(klass, sizeof(klass), "C%d", i);
		counts_of(&c, &m)->total++;
	}
	assert_int_equal(c.n, COUNTS_MAX);
	for (size_t i = 0; i < c.n; i++)
		sum += c.v[i]->total;
	assert_int_equal(sum, COUNTS_MAX + 1000);
	assert_int_equal(c.v[COUNTS_MAX - 1]->total, 1001);
	assert_string_equal(c.v[COUNTS_MAX - 1]->method.name, "(other methods)");
	assert_ptr_equal(counts_of(&c, &first), c.v[0]);
	counts_fini(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_of_same_method),
		cmocka_unit_test(counts_of_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
