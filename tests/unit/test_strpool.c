// SPDX-License-Identifier: MIT
/* test_strpool.c - interned strings (symmap/strpool.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "symmap/strpool.h"
#include "base/util.h"

#define MANY 200000 /* enough for some to share a 32-bit hash */

static int setup(void **state)
{
	*state = strpool_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	strpool_free(*state);
	return 0;
}

static const char *add(struct strpool *p, const char *s)
{
	return strpool_add(p, s, strlen(s));
}

/* Equal texts from different buffers get one address, different texts get two. */
static void strpool_add_twice(void **state)
{
	struct strpool *p = *state;
	char copy[] = "com.shop.Cart";
	const char *s = add(p, copy);

	assert_string_equal(s, "com.shop.Cart");
	copy[0] = 'x';
	assert_string_equal(s, "com.shop.Cart");
	assert_ptr_equal(add(p, "com.shop.Cart"), s);
	assert_ptr_not_equal(add(p, "com.shop.Carts"), s);
	assert_ptr_not_equal(add(p, "com.shop.Car"), s);
}

/* Only the given bytes are taken: what follows them need not be a NUL. */
static void strpool_add_unterminated(void **state)
{
	const char text[] = {'a', 'd', 'd', 'X'};
	const char *s = strpool_add(*state, text, 3);

	assert_string_equal(s, "add");
	assert_ptr_equal(add(*state, "add"), s);
}

/* Every length around a machine word is told apart, and no byte past the end is read (ASan). */
static void strpool_add_every_length(void **state)
{
	const char *seen[40];

	for (size_t len = 0; len < ARRAY_SIZE(seen); len++) {
		_cleanup_free_ char *s = malloc(MAX(len, (size_t)1));

		memset(s, 'a', len);
		seen[len] = strpool_add(*state, s, len);
		assert_int_equal(strlen(seen[len]), len);
		for (size_t i = 0; i < len; i++)
			assert_ptr_not_equal(seen[i], seen[len]);
	}
}

/* Texts that differ only behind a NUL, or only by one, are different texts. */
static void strpool_add_nul_inside(void **state)
{
	const char *a = strpool_add(*state, "a\0b", 3);
	const char *b = strpool_add(*state, "a\0c", 3);

	assert_memory_equal(a, "a\0b", 4);
	assert_memory_equal(b, "a\0c", 4);
	assert_ptr_not_equal(a, b);
	assert_ptr_not_equal(strpool_add(*state, "", 0), strpool_add(*state, "\0", 1));
	assert_ptr_not_equal(add(*state, "a"), a);
}

/* Addresses and contents survive any number of later strings. */
static void strpool_add_many(void **state)
{
	_cleanup_free_ const char **seen = calloc(MANY, sizeof(*seen));
	char text[64];

	for (int i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "com.shop.Class%d", i);
		seen[i] = add(*state, text);
		assert_non_null(seen[i]);
	}
	for (int i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "com.shop.Class%d", i);
		assert_string_equal(seen[i], text);
		assert_ptr_equal(add(*state, text), seen[i]);
	}
}

/* A text longer than a chunk is kept whole, as the very first one and between short ones. */
static void strpool_add_huge(void **state)
{
	enum { HUGE_LEN = 300000 };
	_cleanup_free_ char *text = malloc(HUGE_LEN);
	const char *first, *small, *second;

	memset(text, 'x', HUGE_LEN);
	first = strpool_add(*state, text, HUGE_LEN);
	small = add(*state, "small");
	text[HUGE_LEN - 1] = 'y';
	second = strpool_add(*state, text, HUGE_LEN);
	assert_int_equal(strlen(first), HUGE_LEN);
	assert_memory_equal(second, text, HUGE_LEN);
	assert_ptr_not_equal(first, second);
	assert_string_equal(small, "small");
	assert_ptr_equal(strpool_add(*state, text, HUGE_LEN), second);
}

/* A length nobody can have is refused before a byte is read. */
static void strpool_add_absurd_length(void **state)
{
	assert_null(strpool_add(*state, "x", SIZE_MAX));
	assert_null(strpool_add(*state, "x", UINT32_MAX));
}

/* The byte count covers the texts, and adding what is there already does not raise it. */
static void strpool_bytes_grows(void **state)
{
	size_t empty = strpool_bytes(*state), full;
	char text[64];

	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < 2000; i++) {
			snprintf(text, sizeof(text), "a name of some thirty bytes %d", i);
			add(*state, text);
		}
		if (pass == 0)
			full = strpool_bytes(*state);
	}
	assert_true(full > empty + 2000 * 30);
	assert_true(full < empty + 2000 * 80);
	assert_int_equal(strpool_bytes(*state), full);
}

/* Freeing no pool at all is allowed. */
static void strpool_free_null(void **state)
{
	size_t before = strpool_bytes(*state);

	strpool_free(NULL);
	assert_int_equal(strpool_bytes(*state), before);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(strpool_add_twice),	 TEST(strpool_add_unterminated),
		TEST(strpool_add_every_length),	 TEST(strpool_add_nul_inside),
		TEST(strpool_add_many),		 TEST(strpool_add_huge),
		TEST(strpool_add_absurd_length), TEST(strpool_bytes_grows),
		TEST(strpool_free_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
