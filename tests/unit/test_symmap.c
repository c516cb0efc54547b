// SPDX-License-Identifier: MIT
/* test_symmap.c - the live symbol map (symmap/symmap.h). */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>
#include <cmocka.h>

#include "symmap/symmap.h"
#include "base/util.h"

#define HEADER	 0x40 /* from an nmethod's structure to its code, in these tests */
#define NM_BYTES (offsetof(struct nmethod, osr) + 1) /* all but the padding at the end */

static int setup(void **state)
{
	*state = symmap_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	symmap_free(*state);
	return 0;
}

/* An nmethod with code in [@begin, @end); its structure lies just before. */
static struct nmethod code(uint64_t begin, uint64_t end)
{
	return (struct nmethod){
		.addr = begin - HEADER,
		.m.begin = begin,
		.m.end = end,
		.m.entry = begin,
		.method_addr = begin ^ 0x7f0000000000,
		.compile_id = 1,
		.level = 4,
		.kind = NMETHOD_C2,
	};
}

static const struct nmethod *put(struct symmap *m, struct nmethod nm)
{
	const struct nmethod *ret = NULL;

	assert_int_equal(symmap_add(m, &nm, &ret), 1);
	assert_non_null(ret);
	return ret;
}

/* What is put in comes out whole, with a generation, by code address and by structure address. */
static void symmap_add_and_find(void **state)
{
	struct nmethod nm = code(0x1000, 0x1800);
	struct strpool *p = symmap_strings(*state);
	const struct nmethod *found;

	nm.m.klass = strpool_add(p, "com.shop.Cart", 13);
	nm.m.name = strpool_add(p, "add", 3);
	nm.m.desc = strpool_add(p, "(I)V", 4);
	nm.m.entry = 0x1020;
	nm.gen = 77; /* to be ignored */
	found = put(*state, nm);
	assert_int_not_equal(found->gen, 77);
	nm.gen = found->gen;
	assert_memory_equal(found, &nm, NM_BYTES);
	assert_ptr_equal(symmap_find(*state, nm.addr), found);
	assert_ptr_equal(symmap_lookup(*state, 0x1234), found);
	assert_ptr_equal(symmap_at(*state, 0), found);
	assert_int_equal(symmap_count(*state), 1);
}

/* An empty map has no answer to anything. */
static void symmap_lookup_empty(void **state)
{
	struct nmethod old;

	assert_null(symmap_lookup(*state, 0));
	assert_null(symmap_lookup(*state, UINT64_MAX));
	assert_null(symmap_find(*state, 0));
	assert_int_equal(symmap_count(*state), 0);
	assert_int_equal(symmap_remove(*state, 0x1000, &old), -ENOENT);
	assert_int_equal(symmap_set_state(*state, 0x1000, NMETHOD_DEAD), -ENOENT);
}

/* The first byte of code belongs to the nmethod, the byte at its end and a hole do not. */
static void symmap_lookup_bounds(void **state)
{
	put(*state, code(0x1000, 0x1100));
	put(*state, code(0x1200, 0x1300));
	assert_null(symmap_lookup(*state, 0xfff));
	assert_int_equal(symmap_lookup(*state, 0x1000)->m.begin, 0x1000);
	assert_int_equal(symmap_lookup(*state, 0x10ff)->m.begin, 0x1000);
	assert_null(symmap_lookup(*state, 0x1100));
	assert_null(symmap_lookup(*state, 0x11ff));
	assert_int_equal(symmap_lookup(*state, 0x1200)->m.begin, 0x1200);
	assert_int_equal(symmap_lookup(*state, 0x12ff)->m.begin, 0x1200);
	assert_null(symmap_lookup(*state, 0x1300));
}

/* Only the exact structure address finds an nmethod, not one inside or beside it. */
static void symmap_find_exact(void **state)
{
	put(*state, code(0x1000, 0x1100));
	assert_non_null(symmap_find(*state, 0x1000 - HEADER));
	assert_null(symmap_find(*state, 0x1000 - HEADER - 1));
	assert_null(symmap_find(*state, 0x1000 - HEADER + 1));
	assert_null(symmap_find(*state, 0x1000));
}

/* Code at both ends of the address space is found. */
static void symmap_lookup_extremes(void **state)
{
	struct nmethod low = code(0x100, 0x200), high = code(UINT64_MAX - 0x10, UINT64_MAX);

	low.m.begin = low.m.entry = 0;
	put(*state, low);
	put(*state, high);
	assert_int_equal(symmap_lookup(*state, 0)->m.end, 0x200);
	assert_int_equal(symmap_lookup(*state, UINT64_MAX - 1)->m.begin, UINT64_MAX - 0x10);
	assert_null(symmap_lookup(*state, UINT64_MAX));
}

/* An entry outside [begin, end), or an empty or inverted range, is the caller's mistake. */
static void symmap_add_invalid(void **state)
{
	struct nmethod before = code(0x1000, 0x1100), at_end = before, inverted = before,
		       empty = before;

	before.m.entry = 0xfff;
	at_end.m.entry = 0x1100;
	inverted.m.end = 0x0fff;
	empty.m.end = 0x1000;
	assert_int_equal(symmap_add(*state, &before, NULL), -EINVAL);
	assert_int_equal(symmap_add(*state, &at_end, NULL), -EINVAL);
	assert_int_equal(symmap_add(*state, &inverted, NULL), -EINVAL);
	assert_int_equal(symmap_add(*state, &empty, NULL), -EINVAL);
	assert_int_equal(symmap_count(*state), 0);
}

/* The same nmethod again renews the state only: generation and everything else stay. */
static void symmap_add_same_identity(void **state)
{
	struct nmethod nm = code(0x1000, 0x1100);
	const struct nmethod *first = put(*state, nm), *again = NULL;
	uint32_t gen = first->gen;

	nm.state = NMETHOD_NOT_ENTRANT;
	nm.level = 1;
	assert_int_equal(symmap_add(*state, &nm, &again), 0);
	assert_ptr_equal(again, symmap_find(*state, nm.addr));
	assert_int_equal(again->gen, gen);
	assert_int_equal(again->state, NMETHOD_NOT_ENTRANT);
	assert_int_equal(again->level, 4);
	assert_int_equal(symmap_count(*state), 1);
}

/* A difference in any part of the identity makes another nmethod, of a new generation. */
static void symmap_add_other_identity(void **state)
{
	const struct nmethod base = code(0x1000, 0x1100);
	struct nmethod variant[5];
	uint32_t gen;

	for (size_t i = 0; i < ARRAY_SIZE(variant); i++)
		variant[i] = base;
	variant[0].addr++;
	variant[1].m.begin = variant[1].m.entry = 0x1010;
	variant[2].m.end++;
	variant[3].method_addr++;
	variant[4].compile_id++;
	gen = put(*state, base)->gen;
	for (size_t i = 0; i < ARRAY_SIZE(variant); i++) {
		assert_int_equal(put(*state, variant[i])->gen, gen + 1);
		assert_int_equal(symmap_count(*state), 1);
		gen = put(*state, base)->gen;
		assert_int_equal(symmap_count(*state), 1);
	}
}

/* A structure address in use elsewhere is taken over even when the code does not overlap. */
static void symmap_add_same_addr_elsewhere(void **state)
{
	struct nmethod nm = code(0x1000, 0x1100);

	put(*state, nm);
	nm.m.begin = nm.m.entry = 0x9000;
	nm.m.end = 0x9100;
	put(*state, nm);
	assert_int_equal(symmap_count(*state), 1);
	assert_null(symmap_lookup(*state, 0x1000));
	assert_int_equal(symmap_lookup(*state, 0x9000)->addr, nm.addr);
}

/* Every older nmethod that shares a byte goes; those that only touch stay. */
static void symmap_add_overlaps(void **state)
{
	put(*state, code(0x1000, 0x1100)); /* touches from below */
	put(*state, code(0x1200, 0x1301)); /* shares the first byte */
	put(*state, code(0x1400, 0x1500)); /* inside */
	put(*state, code(0x15ff, 0x1700)); /* shares the last byte */
	put(*state, code(0x1800, 0x1900));
	put(*state, code(0x1300 + 0x1000, 0x2400)); /* far away */
	put(*state, code(0x1300, 0x1600));
	assert_int_equal(symmap_count(*state), 4);
	assert_int_equal(symmap_at(*state, 0)->m.begin, 0x1000);
	assert_int_equal(symmap_at(*state, 1)->m.begin, 0x1300);
	assert_int_equal(symmap_at(*state, 2)->m.begin, 0x1800);
	assert_int_equal(symmap_at(*state, 3)->m.begin, 0x2300);
	assert_null(symmap_find(*state, 0x1200 - HEADER));
	assert_null(symmap_find(*state, 0x1400 - HEADER));
	assert_null(symmap_find(*state, 0x15ff - HEADER));
}

/* What an add removes is named before, one by one: also what is at its address, and is another. */
static void symmap_displaced_each(void **state)
{
	struct nmethod nm = code(0x1300, 0x1600);
	const struct nmethod *old;
	size_t n = 0;

	put(*state, code(0x1000, 0x1100));
	put(*state, code(0x1200, 0x1301));
	put(*state, code(0x1400, 0x1500));
	put(*state, code(0x1600, 0x1700));
	assert_null(symmap_displaced(*state, &(struct nmethod){.m = {.begin = 0x1000}}));
	for (; (old = symmap_displaced(*state, &nm)); n++)
		assert_int_equal(symmap_remove(*state, old->addr, NULL), 0);
	assert_int_equal(n, 2);
	put(*state, nm);
	assert_int_equal(symmap_count(*state), 3);
	assert_null(symmap_displaced(*state, &nm));
	nm.method_addr++;
	assert_ptr_equal(symmap_displaced(*state, &nm), symmap_find(*state, nm.addr));
}

/* Neighbours whose ends and beginnings are equal do not overlap, in either order of arrival. */
static void symmap_add_touching(void **state)
{
	put(*state, code(0x1100, 0x1200));
	put(*state, code(0x1000, 0x1100));
	put(*state, code(0x1200, 0x1300));
	assert_int_equal(symmap_count(*state), 3);
	assert_int_equal(symmap_lookup(*state, 0x10ff)->m.begin, 0x1000);
	assert_int_equal(symmap_lookup(*state, 0x1100)->m.begin, 0x1100);
	assert_int_equal(symmap_lookup(*state, 0x11ff)->m.begin, 0x1100);
	assert_int_equal(symmap_lookup(*state, 0x1200)->m.begin, 0x1200);
}

/* A small nmethod put inside an old large one removes the whole of the old one. */
static void symmap_add_inside_older(void **state)
{
	put(*state, code(0x1000, 0x2000));
	put(*state, code(0x1800, 0x1810));
	assert_int_equal(symmap_count(*state), 1);
	assert_null(symmap_lookup(*state, 0x1000));
	assert_null(symmap_lookup(*state, 0x1fff));
	assert_int_equal(symmap_lookup(*state, 0x180f)->m.begin, 0x1800);
}

/* An address reused after a removal gets a new generation, even for an equal nmethod. */
static void symmap_add_reused_address(void **state)
{
	uint32_t gen = put(*state, code(0x1000, 0x1100))->gen;

	assert_int_equal(symmap_remove(*state, 0x1000 - HEADER, NULL), 0);
	assert_true(put(*state, code(0x1000, 0x1100))->gen > gen);
}

/* What is removed is handed out and found no more. */
static void symmap_remove_found(void **state)
{
	struct nmethod old;
	uint32_t gen = put(*state, code(0x1000, 0x1100))->gen;

	put(*state, code(0x2000, 0x2100));
	assert_int_equal(symmap_remove(*state, 0x1000 - HEADER, &old), 0);
	assert_int_equal(old.m.begin, 0x1000);
	assert_int_equal(old.gen, gen);
	assert_null(symmap_lookup(*state, 0x1000));
	assert_null(symmap_find(*state, 0x1000 - HEADER));
	assert_int_equal(symmap_lookup(*state, 0x2000)->m.begin, 0x2000);
	assert_int_equal(symmap_remove(*state, 0x1000 - HEADER, &old), -ENOENT);
	assert_int_equal(symmap_count(*state), 1);
}

/* A state change says whether there was one. */
static void symmap_set_state_change(void **state)
{
	uint64_t addr = put(*state, code(0x1000, 0x1100))->addr;

	assert_int_equal(symmap_set_state(*state, addr, NMETHOD_IN_USE), 0);
	assert_int_equal(symmap_set_state(*state, addr, NMETHOD_NOT_ENTRANT), 1);
	assert_int_equal(symmap_set_state(*state, addr, NMETHOD_NOT_ENTRANT), 0);
	assert_int_equal(symmap_find(*state, addr)->state, NMETHOD_NOT_ENTRANT);
	assert_int_equal(symmap_set_state(*state, addr + 1, NMETHOD_DEAD), -ENOENT);
}

/* Beside the names a filled map takes at most 250 bytes per nmethod. */
static void symmap_bytes_budget(void **state)
{
	size_t empty = symmap_bytes(*state);

	for (uint64_t i = 1; i <= 10000; i++) {
		put(*state, code(i * 0x1000, i * 0x1000 + 0x800));
		if (i >= 1000)
			assert_in_range(symmap_bytes(*state), i * sizeof(struct nmethod), i * 250);
	}
	assert_true(empty < 4096);
}

/* Every kind and state has its word, and a number that is none has one too. */
static void nmethod_names(void **state)
{
	(void)state;
	assert_string_equal(nmethod_kind_name(NMETHOD_C1), "c1");
	assert_string_equal(nmethod_kind_name(NMETHOD_C2), "c2");
	assert_string_equal(nmethod_kind_name(NMETHOD_JVMCI), "jvmci");
	assert_string_equal(nmethod_kind_name(NMETHOD_NATIVE), "native");
	assert_string_equal(nmethod_kind_name(255), "?");
	assert_string_equal(nmethod_state_name(NMETHOD_IN_USE), "in_use");
	assert_string_equal(nmethod_state_name(NMETHOD_NOT_ENTRANT), "not_entrant");
	assert_string_equal(nmethod_state_name(NMETHOD_DEAD), "dead");
	assert_string_equal(nmethod_state_name(255), "?");
}

/* --- random operations against a model ---------------------------------------------------------
 */

#define MODEL_MAX 4096
#define SPACE	  (1u << 16) /* addresses used: few, so that clashes are frequent */
#define OPS	  30000

/* The same promises, kept by linear search through an unsorted array. */
struct model {
	struct nmethod nm[MODEL_MAX];
	size_t count;
	uint32_t gen;
	uint64_t rnd;
};

static uint32_t rnd(struct model *o, uint32_t n)
{
	o->rnd ^= o->rnd << 13;
	o->rnd ^= o->rnd >> 7;
	o->rnd ^= o->rnd << 17;
	return (uint32_t)(o->rnd >> 32) % n;
}

static struct nmethod *model_find(struct model *o, uint64_t addr)
{
	for (size_t i = 0; i < o->count; i++)
		if (o->nm[i].addr == addr)
			return &o->nm[i];
	return NULL;
}

static const struct nmethod *model_lookup(struct model *o, uint64_t pc)
{
	for (size_t i = 0; i < o->count; i++)
		if (o->nm[i].m.begin <= pc && pc < o->nm[i].m.end)
			return &o->nm[i];
	return NULL;
}

static void model_add(struct model *o, const struct nmethod *nm)
{
	size_t kept = 0;

	for (size_t i = 0; i < o->count; i++) {
		struct nmethod *e = &o->nm[i];

		if (e->addr != nm->addr && (e->m.end <= nm->m.begin || nm->m.end <= e->m.begin))
			o->nm[kept++] = *e;
	}
	o->count = kept;
	assert_in_range(o->count, 0, MODEL_MAX - 1);
	o->nm[o->count] = *nm;
	o->nm[o->count++].gen = ++o->gen;
}

/* Add: something new anywhere, mostly; sometimes what is there, sometimes at an address in use. */
static void step_add(struct model *o, struct symmap *m)
{
	uint64_t begin = HEADER + rnd(o, SPACE);
	struct nmethod nm = code(begin, begin + 1 + rnd(o, 1u << rnd(o, 9)));
	const struct nmethod *ret = NULL;
	struct nmethod *same = NULL;
	int expected;

	nm.compile_id = rnd(o, 1000);
	nm.m.entry = begin + rnd(o, (uint32_t)(nm.m.end - begin));
	if (o->count && rnd(o, 4) == 0) {
		const struct nmethod *e = &o->nm[rnd(o, (uint32_t)o->count)];

		if (rnd(o, 2))
			nm = *e;
		else
			nm.addr = e->addr;
	}
	nm.state = (uint8_t)rnd(o, 3);
	same = model_find(o, nm.addr);
	if (same && (same->m.begin != nm.m.begin || same->m.end != nm.m.end ||
		     same->method_addr != nm.method_addr || same->compile_id != nm.compile_id))
		same = NULL;
	expected = !same;
	if (same)
		same->state = nm.state;
	else
		model_add(o, &nm);
	assert_int_equal(symmap_add(m, &nm, &ret), expected);
	assert_memory_equal(ret, model_find(o, nm.addr), NM_BYTES);
}

static uint64_t some_addr(struct model *o)
{
	return o->count && rnd(o, 4) ? o->nm[rnd(o, (uint32_t)o->count)].addr : rnd(o, SPACE);
}

static void step_remove(struct model *o, struct symmap *m)
{
	uint64_t addr = some_addr(o);
	struct nmethod *e = model_find(o, addr), old;

	if (!e) {
		assert_int_equal(symmap_remove(m, addr, &old), -ENOENT);
		return;
	}
	assert_int_equal(symmap_remove(m, addr, &old), 0);
	assert_memory_equal(&old, e, NM_BYTES);
	*e = o->nm[--o->count];
}

static void step_set_state(struct model *o, struct symmap *m)
{
	uint64_t addr = some_addr(o);
	uint8_t to = (uint8_t)rnd(o, 3);
	struct nmethod *e = model_find(o, addr);

	assert_int_equal(symmap_set_state(m, addr, to), !e ? -ENOENT : e->state != to);
	if (e)
		e->state = to;
}

static void assert_same(const struct nmethod *a, const struct nmethod *b)
{
	assert_int_equal(!a, !b);
	if (a)
		assert_memory_equal(a, b, NM_BYTES);
}

static void step_look(struct model *o, struct symmap *m)
{
	uint64_t pc = rnd(o, SPACE + 0x300), addr = some_addr(o);

	assert_same(symmap_lookup(m, pc), model_lookup(o, pc));
	assert_same(symmap_find(m, addr), model_find(o, addr));
	assert_int_equal(symmap_count(m), o->count);
}

/* All of the map, in order, equals all of the model. */
static void compare_all(struct model *o, struct symmap *m)
{
	uint64_t last_end = 0;

	assert_int_equal(symmap_count(m), o->count);
	for (size_t i = 0; i < o->count; i++) {
		const struct nmethod *nm = symmap_at(m, i);

		assert_true(nm->m.begin >= last_end);
		last_end = nm->m.end;
		assert_same(nm, model_find(o, nm->addr));
		assert_ptr_equal(symmap_lookup(m, nm->m.begin), nm);
		assert_ptr_equal(symmap_lookup(m, nm->m.end - 1), nm);
		assert_ptr_equal(symmap_find(m, nm->addr), nm);
	}
}

static uint64_t seed(void)
{
	const char *env = getenv("HP_SEED");
	uint64_t s = env ? strtoull(env, NULL, 0)
			 : (uint64_t)time(NULL) * 2654435761u ^ (uint64_t)getpid();

	return s ? s : 1;
}

/* Any sequence of changes leaves the map equal to a model too simple to be wrong. */
static void symmap_random_operations(void **state)
{
	_cleanup_free_ struct model *o = calloc(1, sizeof(*o));

	o->rnd = seed();
	print_message("HP_SEED=%" PRIu64 "\n", o->rnd);
	for (int i = 0; i < OPS; i++) {
		/* Phases that mostly fill and phases that mostly empty. */
		uint32_t adds = i / 5000 % 2 ? 20 : 60, op = rnd(o, 100);

		if (op < adds)
			step_add(o, *state);
		else if (op < 80)
			step_remove(o, *state);
		else if (op < 90)
			step_set_state(o, *state);
		else
			step_look(o, *state);
		if (i % 1000 == 0)
			compare_all(o, *state);
	}
	compare_all(o, *state);
	while (o->count)
		step_remove(o, *state);
	assert_int_equal(symmap_count(*state), 0);
}

/* Filling in falling, rising and interleaved order gives the same map. */
static void symmap_add_any_order(void **state)
{
	enum { N = 3000, STEP = 0x100 };

	for (int order = 0; order < 3; order++) {
		for (uint64_t i = 0; i < N; i++) {
			uint64_t at = order == 0 ? i : order == 1 ? N - 1 - i : i * 1009 % N;

			put(*state, code((at + 1) * STEP, (at + 2) * STEP));
		}
		assert_int_equal(symmap_count(*state), N);
		for (uint64_t i = 0; i < N; i++) {
			assert_int_equal(symmap_at(*state, i)->m.begin, (i + 1) * STEP);
			assert_int_equal(symmap_remove(*state, (i + 1) * STEP - HEADER, NULL), 0);
			if (i + 1 < N)
				put(*state, code((i + 1) * STEP, (i + 1) * STEP + 1));
		}
		while (symmap_count(*state))
			symmap_remove(*state, symmap_at(*state, 0)->addr, NULL);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(symmap_add_and_find),
		TEST(symmap_lookup_empty),
		TEST(symmap_lookup_bounds),
		TEST(symmap_find_exact),
		TEST(symmap_lookup_extremes),
		TEST(symmap_add_invalid),
		TEST(symmap_add_same_identity),
		TEST(symmap_add_other_identity),
		TEST(symmap_add_same_addr_elsewhere),
		TEST(symmap_add_overlaps),
		TEST(symmap_displaced_each),
		TEST(symmap_add_touching),
		TEST(symmap_add_inside_older),
		TEST(symmap_add_reused_address),
		TEST(symmap_remove_found),
		TEST(symmap_set_state_change),
		TEST(symmap_bytes_budget),
		TEST(nmethod_names),
		TEST(symmap_add_any_order),
		TEST(symmap_random_operations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
