// SPDX-License-Identifier: MIT
/*
 * test_inlined.c - which bodies hold a copy of a method, in both forms, told by a JVM that may lie.
 */
#include "base/budget.h"
#include "lib/cmocka_all.h"
#include "lib/fake_target.h"
#include "runtime/hotspot/inlined.h"
#include "runtime/hotspot/layout_code.h"

#define ARENA	   0x100000
#define ARENA_SIZE (1u << 20)

#define OWN    0x7000
#define CALLED 0x7008 /* on the list, but not inlined */
#define A      0x7010
#define B      0x7018

#define PARTS 256 /* bytes that the parts of a body have, and its list */
#define LIST  64

enum { PCS = 64, SCOPES = 128 }; /* where these begin; the dependencies are before them */

/* A field for each, at any place. */
static struct layout_code code_of(bool apart)
{
	struct layout_code c = {
		.made_of_span = 64,
		.u5_excluded = apart,
		.scopes_pcs_offset = {32, 4},
	};

	if (apart) {
		c.immutable = (struct field){0, 8};
		c.immutable_size = (struct field){8, 4};
		c.mutable = (struct field){16, 8};
		c.mutable_size = (struct field){24, 4};
		c.relocation_size = (struct field){28, 4};
		c.scopes_data_offset = (struct field){36, 4};
		c.nul_table_offset = (struct field){40, 4};
	} else {
		c.mutable.off = FIELD_NONE;
		c.metadata_offset = (struct field){0, 4};
		c.dependencies_offset = (struct field){4, 4};
		c.handler_table_offset = (struct field){8, 4};
		c.scopes_data_begin = (struct field){16, 8};
	}
	return c;
}

/* One body: a front of 64 bytes, its list, then what was written about it. */
struct fixture {
	struct fake_target t;
	struct layout_code code;
	struct layout l;
	struct symmap *map;
	uint64_t body, list, parts;
	struct inlined in;
};

static void add_body(struct fixture *f, uint64_t addr, uint32_t id)
{
	struct nmethod nm = {.addr = addr,
			     .method_addr = OWN,
			     .compile_id = id,
			     .level = 4,
			     .kind = NMETHOD_C2,
			     .m = {.klass = "",
				   .name = "",
				   .desc = "",
				   .symbol = "",
				   .begin = addr + 8,
				   .entry = addr + 8,
				   .end = addr + 16}};

	assert_int_equal(symmap_add(f->map, &nm, NULL), 1);
}

static void put_front_apart(struct fixture *f, uint32_t deps_len)
{
	fake_put64(&f->t, f->body, f->parts);
	fake_put32(&f->t, f->body + 8, PARTS);
	fake_put64(&f->t, f->body + 16, f->list - 8);
	fake_put32(&f->t, f->body + 24, 8 + LIST);
	fake_put32(&f->t, f->body + 28, 5); /* filled up to 8 */
	fake_put32(&f->t, f->body + 32, PCS);
	fake_put32(&f->t, f->body + 36, SCOPES);
	fake_put32(&f->t, f->body + 40, deps_len);
}

/* In one piece: list, scopes, PcDescs, dependencies. */
static void put_front_inside(struct fixture *f, uint32_t deps_len)
{
	uint64_t pcs = f->parts + PARTS, deps = pcs + 64;

	memcpy(fake_at(&f->t, pcs, 64), fake_at(&f->t, f->parts + PCS, 64), 64);
	memcpy(fake_at(&f->t, deps, 64), fake_at(&f->t, f->parts, 64), 64);
	fake_put32(&f->t, f->body, (uint32_t)(f->list - f->body));
	fake_put32(&f->t, f->body + 4, (uint32_t)(deps - f->body));
	fake_put32(&f->t, f->body + 8, (uint32_t)(deps + deps_len - f->body));
	fake_put64(&f->t, f->body + 16, f->parts + SCOPES);
	fake_put32(&f->t, f->body + 32, (uint32_t)(pcs - f->body));
}

static void make(struct fixture *f, bool apart)
{
	*f = (struct fixture){.map = symmap_new()};
	f->code = code_of(apart);
	f->l.code = &f->code;
	fake_target_init(&f->t, ARENA, ARENA_SIZE);
	f->body = fake_alloc(&f->t, 64 + 8);
	f->list = fake_alloc(&f->t, LIST);
	f->parts = fake_alloc(&f->t, 2 * PARTS);
	if (!apart) /* the list ends where the scopes begin */
		f->list = f->parts + SCOPES - LIST;
	add_body(f, f->body, 1);
}

static void put_list(struct fixture *f)
{
	static const uint64_t list[LIST / 8] = {OWN, CALLED, A, B};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++)
		fake_put64(&f->t, f->list + 8 * i, list[i]);
}

static void drop(struct fixture *f)
{
	inlined_fini(&f->in);
	symmap_free(f->map);
	fake_target_fini(&f->t);
}

static int find_until(struct fixture *f, uint64_t deadline_ns)
{
	static const uint64_t wanted[] = {CALLED, A, B};

	inlined_fini(&f->in);
	return inlined_find(&f->t.mem, &f->l, f->map, wanted, ARRAY_SIZE(wanted), deadline_ns,
			    &f->in);
}

static int find(struct fixture *f)
{
	return find_until(f, clock_ns() + NSEC_PER_SEC);
}

static size_t copies(const struct fixture *f, uint64_t method)
{
	size_t n;

	inlined_of(&f->in, method, &n);
	return n;
}

static void put_bytes(struct fixture *f, uint64_t at, const uint8_t *bytes, size_t n)
{
	memcpy(fake_at(&f->t, at, n), bytes, n);
}

/* A small number as UNSIGNED5 has it. */
static uint8_t u5(const struct fixture *f, uint8_t n)
{
	return (uint8_t)(n + f->code.u5_excluded);
}

static void put_deps(struct fixture *f)
{
	const uint8_t deps[] = {1, u5(f, 1), 1, u5(f, 3), 2, u5(f, 2)};

	put_bytes(f, f->parts, deps, sizeof(deps));
}

/* One place in the code, of the scope at @scope; that has @caller above it. */
static void put_scope(struct fixture *f, uint32_t scope, uint8_t caller, uint8_t method)
{
	const uint8_t bytes[] = {u5(f, caller), u5(f, method)};

	fake_put32(&f->t, f->parts + PCS + 4, scope);
	put_bytes(f, f->parts + SCOPES + scope, bytes, sizeof(bytes));
}

static void put_front(struct fixture *f, uint32_t deps_len)
{
	if (f->code.immutable.size)
		put_front_apart(f, deps_len);
	else
		put_front_inside(f, deps_len);
	put_list(f);
}

/* Dependencies name all that was inlined, and only that. */
static void dependencies_tell(void **state _unused_)
{
	struct fixture f;

	make(&f, true);
	put_deps(&f);
	put_front(&f, 6);
	assert_int_equal(find(&f), 0);
	assert_true(f.in.all && f.in.bodies == 1 && !f.in.silent);
	assert_int_equal(copies(&f, A), 1);
	assert_int_equal(copies(&f, B) + copies(&f, CALLED), 0);
	drop(&f);
}

/* Without them the scopes tell what they can, and that it is not all; callers' scopes too. */
static void scopes_tell(void **state _unused_)
{
	struct fixture f;

	make(&f, true);
	put_scope(&f, 9, 0, 4);
	put_scope(&f, 5, 9, 3);
	put_front(&f, 0);
	assert_int_equal(find(&f), 0);
	assert_true(f.in.all && f.in.silent == 1);
	assert_int_equal(copies(&f, A), 1);
	assert_int_equal(copies(&f, B), 1);
	assert_int_equal(copies(&f, CALLED), 0);
	drop(&f);
}

/* The same where all of it lies behind the code. */
static void older_layout_tells(void **state _unused_)
{
	struct fixture f;

	make(&f, false);
	put_scope(&f, 5, 0, 4);
	put_front(&f, 0);
	assert_int_equal(find(&f), 0);
	assert_int_equal(copies(&f, B), 1);
	assert_int_equal(copies(&f, A), 0);
	drop(&f);
	make(&f, false);
	put_deps(&f);
	put_front(&f, 6);
	assert_int_equal(find(&f), 0);
	assert_int_equal(copies(&f, A), 1);
	assert_int_equal(copies(&f, B), 0);
	drop(&f);
}

/* Scopes in a circle, numbers of nothing, places that are nowhere. */
static void lies_end(void **state _unused_)
{
	static const struct {
		uint32_t at, value; /* in the front */
	} lies[] = {
		{0, 0x10},	  {8, 0xffffffff},  {16, 0x10},	      {24, 0xffffffff},
		{24, 0},	  {28, 0xfffffff9}, {32, 0xffffffff}, {36, 0},
		{36, 0x7fffffff}, {40, 0xffffffff}, {8, 0},	      {32, SCOPES},
	};
	struct fixture f;

	make(&f, true);
	put_scope(&f, 5, 5, 3);
	put_front(&f, 0);
	assert_int_equal(find(&f), 0);
	assert_int_equal(copies(&f, A), 1);
	put_scope(&f, 5, 180, 180); /* the list has no such number, the scopes no such place */
	assert_int_equal(find(&f), 0);
	assert_int_equal(f.in.n, 0);
	fake_put8(&f.t, f.parts + SCOPES + 5, 0); /* a byte of no number */
	assert_int_equal(find(&f), 0);
	assert_int_equal(f.in.n, 0);
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		put_scope(&f, 5, 5, 3);
		put_front(&f, 0);
		fake_put32(&f.t, f.body + lies[i].at, lies[i].value);
		assert_int_equal(find(&f), 0);
		assert_true(f.in.n <= 3);
	}
	drop(&f);
}

/* Anything at all in a body ends, and names nothing but what was asked for. */
static void noise_ends(void **state _unused_)
{
	uint64_t random = 88172645463325252ULL;
	struct fixture f;

	for (int i = 0; i < 20000; i++) {
		if (i % 1000 == 0) {
			if (i)
				drop(&f);
			make(&f, i / 1000 % 2);
			put_deps(&f);
			put_scope(&f, 5, 0, 4);
			put_front(&f, i / 2000 % 2 ? 6 : 0);
		}
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		fake_put8(&f.t, f.body + random % (64 + LIST + 2 * PARTS), (uint8_t)(random >> 32));
		assert_int_equal(find(&f), 0);
		assert_int_equal(f.in.n, copies(&f, A) + copies(&f, B) + copies(&f, CALLED));
	}
	drop(&f);
}

/* Many bodies that make up megabytes: the budget ends that, or the clock, and it is known. */
static void work_is_bounded(void **state _unused_)
{
	struct budget b;
	struct fixture f;

	make(&f, true);
	fake_map(&f.t, 0x10000000, 4u << 20);
	memset(fake_at(&f.t, 0x10000000, 4u << 20), 1, 4u << 20);
	put_front(&f, 0);
	fake_put64(&f.t, f.body, 0x10000000);
	fake_put32(&f.t, f.body + 8, 4u << 20);
	fake_put32(&f.t, f.body + 32, 0);
	fake_put32(&f.t, f.body + 36, 2u << 20);
	for (uint32_t i = 0; i < 1000; i++) {
		uint64_t addr = fake_alloc(&f.t, 64);

		memcpy(fake_at(&f.t, addr, 64), fake_at(&f.t, f.body, 64), 64);
		add_body(&f, addr, i + 2);
	}
	budget_begin(&b, 10 * NSEC_PER_MSEC);
	assert_int_equal(find_until(&f, clock_ns() + 1000 * NSEC_PER_SEC), 0);
	budget_end(&b);
	assert_false(f.in.all);
	assert_int_equal(find_until(&f, 0), 0);
	assert_false(f.in.all);
	drop(&f);
}

/* Also what takes little reading: of 4096 places each has a scope of its own. */
static void decoding_is_bounded(void **state _unused_)
{
	enum { ADDR = 0x10000000, PART = 64 << 10 };
	struct budget b;
	struct fixture f;

	make(&f, true);
	fake_map(&f.t, ADDR, 2 * PART);
	memset(fake_at(&f.t, ADDR, 2 * PART), 3, 2 * PART);
	for (uint32_t i = 0; i < PART / 16; i++)
		fake_put32(&f.t, ADDR + 16 * i + 4, i + 4);
	put_front(&f, 0);
	fake_put64(&f.t, f.body, ADDR);
	fake_put32(&f.t, f.body + 8, 2 * PART);
	fake_put32(&f.t, f.body + 32, 0);
	fake_put32(&f.t, f.body + 36, PART);
	assert_int_equal(find(&f), 0);
	assert_true(f.in.all && copies(&f, CALLED) == 1);
	budget_begin(&b, 1);
	assert_int_equal(find(&f), 0);
	budget_end(&b);
	assert_false(f.in.all);
	drop(&f);
}

/* What cannot be read, or breaks off, says nothing: then nobody may say "inlined nowhere". */
static void unreadable_is_silent(void **state _unused_)
{
	static const struct {
		uint64_t at;
		uint8_t value;
		bool in_front;
	} damages[] = {
		{3, 0xff, false}, /* a number that goes on, but the dependencies end */
		{3, 0, false},	  /* a byte of no number */
		{22, 1, true},	  /* another list, which is not there */
		{24, 0, true},	  /* none */
	};
	struct fixture f;

	for (size_t i = 0; i <= ARRAY_SIZE(damages); i++) {
		make(&f, true);
		put_deps(&f);
		put_front(&f, 4);
		if (i < ARRAY_SIZE(damages))
			fake_put8(&f.t, (damages[i].in_front ? f.body : f.parts) + damages[i].at,
				  damages[i].value);
		assert_int_equal(find(&f), 0);
		assert_int_equal(f.in.silent, i < ARRAY_SIZE(damages));
		drop(&f);
	}
}

/* A JVM that does not say where. */
static void unknown_layout(void **state _unused_)
{
	struct fixture f;

	make(&f, true);
	f.code.made_of_span = 0;
	assert_int_equal(find(&f), -EOPNOTSUPP);
	drop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dependencies_tell),	cmocka_unit_test(scopes_tell),
		cmocka_unit_test(older_layout_tells),	cmocka_unit_test(lies_end),
		cmocka_unit_test(noise_ends),		cmocka_unit_test(work_is_bounded),
		cmocka_unit_test(unknown_layout),	cmocka_unit_test(decoding_is_bounded),
		cmocka_unit_test(unreadable_is_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
