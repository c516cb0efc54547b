// SPDX-License-Identifier: MIT
/*
 * test_image_speed.c - what is kept of an image saves time. It compares times, so nothing else may
 * run beside it: see ALONE_TESTS in the Makefile.
 */
#include "lib/cmocka_all.h"
#include "lib/hp.h"
#include "lib/image_run.h"

/* Time `hotprobe methods -v` says it took, from stderr. */
static double decode_ms(const char *path, bool *cached)
{
	struct hp_result r;
	const char *p;
	double ms = 0;

	hp_run(&r, (const char *[]){"methods", "-v", "-x", path, "no.such.Method", NULL});
	p = strstr(r.err, "in ");
	if (!p || sscanf(p, "in %lf ms", &ms) != 1)
		fail_msg("no time in: %s", r.err);
	*cached = strstr(r.err, "from the cache");
	hp_result_free(&r);
	return ms;
}

/* The second look is from the cache, and at least five times faster. */
static void cache_is_faster(void **state _unused_)
{
	const char *path = image_or_skip("ce25-truffle");
	double cold, warm;
	bool cached;

	image_new_cache();
	cold = decode_ms(path, &cached);
	assert_false(cached);
	warm = decode_ms(path, &cached);
	assert_true(cached);
	for (int i = 0; i < 2; i++) /* others may need the processor too */
		warm = MIN(warm, decode_ms(path, &cached));
	if (warm > cold / 5)
		fail_msg("%.1f ms, then %.1f ms", cold, warm);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		jvm_test(cache_is_faster),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
