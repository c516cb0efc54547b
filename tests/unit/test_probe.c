// SPDX-License-Identifier: MIT
/* test_probe.c - probes, their sites and captures, and how a probe is found by the code it is on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "probe/probe.h"
#include "probe/site.h"

#define MANY 20000

static const struct method method = {
	.klass = "Cart", .name = "add", .desc = "(I)V", .symbol = "", .entry = 0x1000};

static const struct site_kind kind = {.name = "test"};

static struct probe *new_probe(uint64_t key, uint32_t gen)
{
	struct probe *p = probe_new(&method, key, gen);

	assert_non_null(p);
	assert_non_null(site_new(&kind, p));
	return p;
}

/* Each probe is found by its own code, and by nothing else: neither another address nor another
 * time. */
static void table_find_is_exact(void **state _unused_)
{
	_cleanup_probe_table_ struct probe_table t = {0};
	static struct probe *probes[MANY];

	assert_int_equal(probe_table_init(&t), 0);
	for (uint32_t i = 0; i < MANY; i++) {
		probes[i] = new_probe(0x7f0000000000 + 0x40 * (i / 2), i % 2);
		probe_table_add(&t, probes[i]);
	}
	assert_int_equal(t.n, MANY);
	for (uint32_t i = 0; i < MANY; i++)
		assert_ptr_equal(probe_table_find(&t, probes[i]->key, probes[i]->gen), probes[i]);
	assert_null(probe_table_find(&t, 0x7f0000000000, 2));
	assert_null(probe_table_find(&t, 0x7f0000000020, 0));
	for (uint32_t i = 0; i < MANY; i += 2)
		probe_table_remove(&t, probes[i]);
	assert_int_equal(t.n, MANY / 2);
	for (uint32_t i = 0; i < MANY; i++) {
		struct probe *want = i % 2 ? probes[i] : NULL;

		assert_ptr_equal(probe_table_find(&t, probes[i]->key, probes[i]->gen), want);
		probe_free(probes[i]);
	}
}

/* One that is not in the table, or not any more, is no trouble. */
static void table_remove_twice(void **state _unused_)
{
	_cleanup_probe_table_ struct probe_table t = {0};
	struct probe *a = new_probe(64, 1), *b = new_probe(64, 2);

	assert_int_equal(probe_table_init(&t), 0);
	probe_table_add(&t, a);
	probe_table_remove(&t, b);
	probe_table_remove(&t, a);
	probe_table_remove(&t, a);
	assert_int_equal(t.n, 0);
	probe_free(a);
	probe_free(b);
}

/* A table that was never made can be given up. */
static void table_fini_of_nothing(void **state _unused_)
{
	struct probe_table t = {0};

	probe_table_fini(&t);
}

/* The spec of a slot says what the captures need; without saved registers no floats. */
static void slot_spec_follows_captures(void **state _unused_)
{
	struct probe *p = new_probe(1, 1);
	struct site *s = p->sites[0];
	struct hp_slot_spec spec;

	site_slot_spec(s, &spec);
	assert_int_equal(spec.nrefs, 0);
	assert_int_equal(
		capture_list_new(ABI_HOTSPOT, "(Ljava/lang/String;D)V", false, &p->captures), 0);
	s->depth = 24;
	site_slot_spec(s, &spec);
	assert_int_equal(spec.nrefs, 2);
	assert_int_equal(spec.ntexts, 1);
	assert_int_equal(spec.depth, 24);
	assert_false(spec.flags & HP_SLOT_FP);
	s->saves_fp = true;
	site_slot_spec(s, &spec);
	assert_true(spec.flags & HP_SLOT_FP);
	probe_free(p);
}

/* Captures know their declared types in source form; `this` has none. */
static void captures_know_their_types(void **state _unused_)
{
	_cleanup_free_ struct capture_list *l = NULL;

	assert_int_equal(capture_list_new(ABI_HOTSPOT, "(I[Ljava/lang/String;)V", false, &l), 0);
	assert_int_equal(capture_nargs(l), 2);
	assert_int_equal(capture_ngpr(l), 3);
	assert_null(capture_arg(l, -1)->type);
	assert_string_equal(capture_arg(l, 0)->type, "int");
	assert_string_equal(capture_arg(l, 1)->type, "java.lang.String[]");
	assert_null(capture_arg(l, 2));
	assert_null(capture_arg(l, -2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_find_is_exact),
		cmocka_unit_test(table_remove_twice),
		cmocka_unit_test(table_fini_of_nothing),
		cmocka_unit_test(slot_spec_follows_captures),
		cmocka_unit_test(captures_know_their_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
