// SPDX-License-Identifier: MIT
/* test_nearest.c - "did you mean". */
#include "base/nearest.h"
#include "lib/cmocka_all.h"

/* Each kind of mistake counts as one, whatever the case; equal only what is equal. */
static void distance_counts_mistakes(void **state _unused_)
{
	static const struct {
		const char *a, *b;
		size_t distance;
	} want[] = {
		{"add", "add", 0},
		{"add", "ad", 1},
		{"ad", "add", 1},
		{"add", "odd", 1},
		{"leaf", "laef", 1}, /* swapped */
		{"leaf", "elaf", 1},
		{"com.shop.Cart", "com.shop.cart", 1}, /* case: one in all */
		{"COM.SHOP.CART", "com.shop.cart", 1},
		{"com.shop.Cart", "com.shpo.cart", 1},
		{"kitten", "sitting", 3},
		{"", "", 0},
		{"", "abc", 3},
	};

	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		assert_int_equal(nearest_distance(want[i].a, want[i].b, 5), want[i].distance);
		assert_int_equal(nearest_distance(want[i].b, want[i].a, 5), want[i].distance);
	}
}

/* Beyond the limit only that is said; a name of the target may be as long as it likes. */
static void distance_is_bounded(void **state _unused_)
{
	char longer[NEAREST_LEN_MAX + 2], longest[NEAREST_LEN_MAX + 1];

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	memcpy(longest, longer, sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(nearest_distance("kitten", "sitting", 2), 3);
	assert_int_equal(nearest_distance("a", "abcdefgh", 2), 3);
	assert_int_equal(nearest_distance(longest, longest, 2), 0);
	assert_int_equal(nearest_distance(longer, longer, 2), 3);
}

/* The nearest of all wins, the first of several as near; and nothing that is far off. */
static void nearest_of_many(void **state _unused_)
{
	static const char *const names[] = {"com.shop.Card", "com.shop.Part", "com.shop.Cards",
					    "org.other.Thing"};
	struct nearest n;

	nearest_init(&n, "com.shop.Catr");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		nearest_offer(&n, names[i]);
	assert_string_equal(nearest_found(&n), "com.shop.Card");
	nearest_offer(&n, "com.shop.Cart");
	assert_string_equal(nearest_found(&n), "com.shop.Cart");
	nearest_offer(&n, "com.shop.Catr"); /* that is what was typed */
	assert_string_equal(nearest_found(&n), "com.shop.Cart");

	nearest_init(&n, "get");
	nearest_offer(&n, "add");
	nearest_offer(&n, "set1");
	assert_null(nearest_found(&n));
	nearest_offer(&n, "GET");
	assert_string_equal(nearest_found(&n), "GET");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(distance_counts_mistakes),
		cmocka_unit_test(distance_is_bounded),
		cmocka_unit_test(nearest_of_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
