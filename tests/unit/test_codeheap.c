// SPDX-License-Identifier: MIT
/* The nmethods in a target's code heaps: all of them, as they are, and no others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/fake_cart.h"

#define SEEN_MAX 4096

/* Where CodeHeap keeps its parts: as fake_jvm.c lays it out. */
#define HEAP_MEMORY_LOW	 (8 + 16)
#define HEAP_MEMORY_HIGH (8 + 24)
#define HEAP_MAP_LOW	 (128 + 16)
#define HEAP_MAP_HIGH	 (128 + 24)
#define HEAP_LOG2	 256

struct fixture {
	struct fake_cart cart;
	struct nmethod seen[SEEN_MAX];
	size_t nseen;
	int stop_at; /* the callback's error at that count; 0: never */
};

static struct fixture *make(int jdk)
{
	struct fixture *f = calloc(1, sizeof(*f));

	fake_cart_init(&f->cart, jdk);
	return f;
}

static void drop(struct fixture *f)
{
	fake_cart_fini(&f->cart);
	free(f);
}

static uint64_t add(struct fixture *f, int level, int state, uint32_t id)
{
	const struct fake_nm nm = {.method = f->cart.method,
				   .level = level,
				   .state = state,
				   .entry_bci = -1,
				   .id = id,
				   .code_len = 64 + 40 * (id % 50)};

	return fake_nmethod(&f->cart.j, &f->cart.j.heaps[0], &nm);
}

static int see(const struct nmethod *nm, void *arg)
{
	struct fixture *f = arg;

	assert_true(f->nseen < SEEN_MAX);
	f->seen[f->nseen++] = *nm;
	return f->stop_at && f->nseen == (size_t)f->stop_at ? -42 : 0;
}

static int walk(struct fixture *f)
{
	f->nseen = 0;
	return codeheap_walk(&f->cart.j.t.mem, &f->cart.l, f->cart.names, see, f);
}

static const int jdks[] = {17, 21, 25};

#define EACH_JDK(f)                                                                                \
	for (size_t jdk_ = 0; jdk_ < ARRAY_SIZE(jdks); jdk_++)                                     \
		for (struct fixture *f = make(jdks[jdk_]); f; drop(f), f = NULL)

/* --- the walk -------------------------------------------------------------------------------- */

/* Every nmethod is told of with all its facts, on every JDK. */
static void walk_tells_everything(void **state _unused_)
{
	EACH_JDK(f)
	{
		uint64_t at = add(f, 3, 0, 7);
		assert_int_equal(walk(f), 0);
		assert_int_equal(f->nseen, 1);
		const struct nmethod *nm = &f->seen[0];
		assert_int_equal(nm->addr, at);
		assert_int_equal(nm->m.begin, at + FK_NMETHOD_SIZE + 16);
		assert_int_equal(nm->m.entry, nm->m.begin + 16);
		assert_int_equal(nm->m.end, nm->m.begin + 64 + 40 * 7);
		assert_int_equal(nm->method_addr, f->cart.method);
		assert_string_equal(nm->m.klass, "com.shop.Cart");
		assert_string_equal(nm->m.name, "add");
		assert_string_equal(nm->m.desc, "(ILjava/lang/String;)V");
		assert_int_equal(nm->compile_id, 7);
		assert_int_equal(nm->level, 3);
		assert_int_equal(nm->kind, NMETHOD_C1);
		assert_int_equal(nm->state, NMETHOD_IN_USE);
		assert_int_equal(nm->osr, 0);
	}
}

/* An empty code cache holds nothing, and that is no error. */
static void walk_empty(void **state _unused_)
{
	EACH_JDK(f)
	{
		assert_int_equal(walk(f), 0);
		assert_int_equal(f->nseen, 0);
	}
}

/* Levels tell the compiler; level 0 is the wrapper of a native method. */
static void walk_kinds(void **state _unused_)
{
	static const uint8_t want[] = {NMETHOD_NATIVE, NMETHOD_C1, NMETHOD_C1, NMETHOD_C1,
				       NMETHOD_C2};

	EACH_JDK(f)
	{
		for (int level = 0; level <= 4; level++)
			add(f, level, 0, (uint32_t)level);
		assert_int_equal(walk(f), 0);
		assert_int_equal(f->nseen, 5);
		for (int level = 0; level <= 4; level++) {
			assert_int_equal(f->seen[level].level, level);
			assert_int_equal(f->seen[level].kind, want[level]);
		}
	}
}

/* With a JVMCI compiler level 4 is its work, not C2's. */
static void walk_jvmci(void **state _unused_)
{
	struct fixture *f = make(21);

	fake_flag(&f->cart.j, "EnableJVMCI", true);
	fake_flag(&f->cart.j, "UseJVMCICompiler", true);
	layout_fini(&f->cart.l);
	assert_int_equal(layout_read(&f->cart.j.t.mem, f->cart.vs, &f->cart.l), 0);
	add(f, 4, 0, 1);
	add(f, 3, 0, 2);
	assert_int_equal(walk(f), 0);
	assert_int_equal(f->seen[0].kind, NMETHOD_JVMCI);
	assert_int_equal(f->seen[1].kind, NMETHOD_C1);
	drop(f);
}

/* Retired ones are told of, dead ones are not; the numbers of states moved in JDK 23. */
static void walk_states(void **state _unused_)
{
	static const struct {
		int state;
		uint8_t want;
	} states[] = {
		{-1, NMETHOD_IN_USE},	  {0, NMETHOD_IN_USE}, {1, NMETHOD_NOT_ENTRANT},
		{2, NMETHOD_NOT_ENTRANT}, {3, NMETHOD_DEAD},   {4, NMETHOD_DEAD},
	};

	EACH_JDK(f)
	{
		for (size_t i = 0; i < ARRAY_SIZE(states); i++)
			add(f, 4, states[i].state, (uint32_t)i);
		assert_int_equal(walk(f), 0);
		assert_int_equal(f->nseen, 4);
		for (size_t i = 0; i < f->nseen; i++)
			assert_int_equal(f->seen[i].state, states[f->seen[i].compile_id].want);
	}
}

/* An nmethod that is entered from a loop is marked; a position of 0 is one too. */
static void walk_osr(void **state _unused_)
{
	EACH_JDK(f)
	{
		struct fake_nm nm = {
			.method = f->cart.method, .level = 4, .entry_bci = 0, .code_len = 64};
		fake_nmethod(&f->cart.j, &f->cart.j.heaps[0], &nm);
		nm.entry_bci = 17;
		fake_nmethod(&f->cart.j, &f->cart.j.heaps[0], &nm);
		assert_int_equal(walk(f), 0);
		assert_true(f->nseen == 2 && f->seen[0].osr == 1 && f->seen[1].osr == 1);
	}
}

/* Blobs that are no nmethods, and freed blocks, are passed over. */
static void walk_skips_others(void **state _unused_)
{
	EACH_JDK(f)
	{
		struct fake_heap *h = &f->cart.j.heaps[0];
		uint64_t stub = fake_block(&f->cart.j, h, 400);
		fake_put32(&f->cart.j.t, stub + FK_BLOB_SIZE, 400);
		fake_put(&f->cart.j.t, stub + FK_BLOB_HEADER_SIZE, 64, 2);
		add(f, 1, 0, 1);
		fake_block_free(&f->cart.j, add(f, 1, 0, 2));
		fake_block(&f->cart.j, h, 90000); /* longer than the map can tell in one go */
		add(f, 1, 0, 3);
		assert_int_equal(walk(f), 0);
		assert_int_equal(f->nseen, 2);
		assert_int_equal(f->seen[0].compile_id, 1);
		assert_int_equal(f->seen[1].compile_id, 3);
	}
}

/* JDK 23+: a blob of another kind is none, however long its header is. */
static void walk_goes_by_kind(void **state _unused_)
{
	struct fixture *f = make(25);

	fake_put8(&f->cart.j.t, add(f, 1, 0, 1) + FK_BLOB_KIND, 2);
	assert_int_equal(walk(f), 0);
	assert_int_equal(f->nseen, 0);
	drop(f);
}

/* More nmethods than a batch, in two heaps: all, by address, in few reads. */
static void walk_many(void **state _unused_)
{
	enum { N = 1500, PER_METHOD = 3 };

	EACH_JDK(f)
	{
		struct fake_heap *second = fake_code_heap(&f->cart.j);
		layout_fini(&f->cart.l);
		assert_int_equal(layout_read(&f->cart.j.t.mem, f->cart.vs, &f->cart.l), 0);
		for (uint32_t i = 0; i < N; i++) {
			const struct fake_nm nm = {.method = f->cart.method,
						   .level = 2,
						   .entry_bci = -1,
						   .id = i,
						   .code_len = 100};
			fake_nmethod(&f->cart.j, i % 2 ? second : &f->cart.j.heaps[0], &nm);
		}
		f->cart.j.t.reads = 0;
		assert_int_equal(walk(f), 0);
		assert_int_equal(f->nseen, N);
		for (size_t i = 1; i < f->nseen; i++)
			assert_true(f->seen[i - 1].m.end <= f->seen[i].addr);
		assert_ptr_equal(f->seen[0].m.klass, f->seen[N - 1].m.klass);
		/* one for each block, and a few for pages and heaps: names cost none */
		assert_true(f->cart.j.t.reads < N + 50);
	}
}

/* The callback's error ends the walk and comes back. */
static void walk_stops(void **state _unused_)
{
	struct fixture *f = make(17);

	for (uint32_t i = 0; i < 10; i++)
		add(f, 1, 0, i);
	f->stop_at = 4;
	assert_int_equal(walk(f), -42);
	assert_int_equal(f->nseen, 4);
	drop(f);
}

/* An nmethod whose fields contradict each other is left out; its neighbours are not. */
static void walk_leaves_out_damaged(void **state _unused_)
{
	EACH_JDK(f)
	{
		struct fake_target *t = &f->cart.j.t;
		uint64_t at[12];
		for (uint32_t i = 0; i < ARRAY_SIZE(at); i++)
			at[i] = add(f, 1, 0, i);
		fake_put32(t, at[1] + FK_BLOB_SIZE, 0xffffffff);
		fake_put32(t, at[2] + FK_BLOB_SIZE, 8);
		fake_put64(t, at[3] + FK_METHOD, 0);
		fake_put64(t, at[4] + FK_METHOD, 0x1234567890);
		fake_put64(t, at[5] + FK_METHOD, f->cart.method + 4);
		fake_put(t, at[6] + FK_LEVEL, 5, f->cart.j.jdk >= 20 ? 1 : 4);
		fake_put(t, at[7] + FK_LEVEL, 0xffffffff, f->cart.j.jdk >= 20 ? 1 : 4);
		if (f->cart.j.jdk >= 23) {
			fake_put16(t, at[8] + FK_ENTRY, 0xffff);
			fake_put32(t, at[9] + FK_CODE_OFFSET, 8);
			fake_put32(t, at[10] + FK_DATA_OFFSET, 0x7fffffff);
		} else {
			fake_put64(t, at[8] + FK_ENTRY, at[9]);
			fake_put64(t, at[9] + FK_CODE_BEGIN, at[8]);
			fake_put64(t, at[10] + FK_CODE_END, UINT64_MAX);
		}
		assert_int_equal(walk(f), 0);
		assert_int_equal(f->nseen, 2);
		assert_int_equal(f->seen[0].compile_id, 0);
		assert_int_equal(f->seen[1].compile_id, 11);
	}
}

/* A block that says it is longer than the space up to the next one has changed under the walk. */
static void walk_block_lengths(void **state _unused_)
{
	EACH_JDK(f)
	{
		uint64_t header = f->cart.j.jdk >= 23 ? 8 : 16, at[4];
		for (uint32_t i = 0; i < ARRAY_SIZE(at); i++)
			at[i] = add(f, 1, 0, i);
		fake_put(&f->cart.j.t, at[1] - header, 1 << 20, 4);
		fake_put(&f->cart.j.t, at[2] - header, 0, 4);
		fake_put(&f->cart.j.t, at[3] - header, 1, 4); /* shorter than its code */
		assert_int_equal(walk(f), 0);
		assert_int_equal(f->nseen, 1);
		assert_int_equal(f->seen[0].addr, at[0]);
	}
}

/* Zeros all over the segment map make blocks of anything; nothing is told twice, nothing breaks. */
static void walk_map_of_zeros(void **state _unused_)
{
	EACH_JDK(f)
	{
		uint64_t at = add(f, 1, 0, 1);
		memset(fake_at(&f->cart.j.t, f->cart.j.heaps[0].map, FAKE_CODE_LEN / FAKE_SEGMENT),
		       0, FAKE_CODE_LEN / FAKE_SEGMENT);
		assert_int_equal(walk(f), 0);
		/* its block now seems to be one segment long */
		assert_true(f->nseen == 0 || (f->nseen == 1 && f->seen[0].addr == at));
	}
}

/* A map that begins inside a block belongs to no heap. */
static void walk_map_without_start(void **state _unused_)
{
	EACH_JDK(f)
	{
		add(f, 1, 0, 1);
		fake_put8(&f->cart.j.t, f->cart.j.heaps[0].map, 1);
		assert_int_equal(walk(f), -EPROTO);
	}
}

/* Heaps that cannot be: outside the code cache, in odd segments, too many, none, one in another. */
static void walk_impossible_heaps(void **state _unused_)
{
	for (int lie = 0; lie < 10; lie++) {
		struct fixture *f = make(25);
		struct fake_target *t = &f->cart.j.t;
		uint64_t h = f->cart.j.heaps[0].addr, array;
		int want = -EPROTO;

		add(f, 1, 0, 1);
		memcpy(&array, fake_at(t, f->cart.j.heaps_array, 8), 8);
		switch (lie) {
		case 0:
			fake_put64(t, h + HEAP_MEMORY_LOW, FAKE_CODE_ADDR - FAKE_SEGMENT);
			break;
		case 1:
			fake_put64(t, h + HEAP_MEMORY_HIGH, FAKE_CODE_ADDR + (4ULL << 30));
			break;
		case 2:
			fake_put64(t, h + HEAP_MEMORY_HIGH, FAKE_CODE_ADDR - 1);
			break;
		case 3:
			fake_put64(t, h + HEAP_MAP_HIGH, f->cart.j.heaps[0].map - 1);
			break;
		case 4:
			fake_put32(t, h + HEAP_LOG2, 0);
			break;
		case 5:
			fake_put32(t, h + HEAP_LOG2, 64);
			break;
		case 6:
			fake_put32(t, array, 0);
			break;
		case 7:
			fake_put32(t, array, 0x80000000);
			break;
		case 8: /* the same heap twice */
			fake_put32(t, array, 2);
			fake_put64(t, array + 8, f->cart.j.heaps_data);
			fake_put64(t, f->cart.j.heaps_data, h);
			break;
		case 9: /* a map that is not there */
			fake_put64(t, h + HEAP_MAP_LOW, 0x1000);
			fake_put64(t, h + HEAP_MAP_HIGH, 0x1000 + FAKE_CODE_LEN);
			want = -EFAULT;
			break;
		}
		assert_int_equal(walk(f), want);
		assert_int_equal(f->nseen, 0);
		drop(f);
	}
}

/* A map that is still shorter than its heap covers what there is. */
static void walk_short_map(void **state _unused_)
{
	struct fixture *f = make(17);

	add(f, 1, 0, 1);
	struct fake_region *r = fake_map(&f->cart.j.t, 0x5000, 40);
	memcpy(r->data, fake_at(&f->cart.j.t, f->cart.j.heaps[0].map, 40), 40);
	fake_put64(&f->cart.j.t, f->cart.j.heaps[0].addr + HEAP_MAP_LOW, r->addr);
	fake_put64(&f->cart.j.t, f->cart.j.heaps[0].addr + HEAP_MAP_HIGH, r->addr + r->len);
	assert_int_equal(walk(f), 0);
	assert_int_equal(f->nseen, 1);
	drop(f);
}

/* Wherever the target goes away, the walk says so. */
static void walk_target_goes(void **state _unused_)
{
	struct fixture *f = make(21);

	for (uint32_t i = 0; i < 3; i++)
		add(f, 1, 0, i);
	f->cart.j.t.reads = 0;
	assert_int_equal(walk(f), 0);
	uint64_t reads = f->cart.j.t.reads;
	for (uint64_t i = 0; i < reads; i++) {
		f->cart.j.t.gone_after = (int)i;
		assert_int_equal(walk(f), -ESRCH);
	}
	drop(f);
}

/* --- one nmethod ----------------------------------------------------------------------------- */

/* A copied front says the same as the target; shorter than what is needed it says nothing. */
static void decode_from_copy(void **state _unused_)
{
	EACH_JDK(f)
	{
		uint64_t at = add(f, 4, -1, 9);
		uint8_t hdr[NMETHOD_HDR_MAX];
		struct nmethod a = {0}, b = {0};
		memcpy(hdr, fake_at(&f->cart.j.t, at, sizeof(hdr)), sizeof(hdr));
		assert_int_equal(nmethod_decode(&f->cart.l, at, hdr, sizeof(hdr), &a), 0);
		assert_int_equal(nmethod_read(&f->cart.j.t.mem, &f->cart.l, at, &b), 0);
		assert_memory_equal(&a, &b, sizeof(a));
		assert_int_equal(a.state, NMETHOD_IN_USE); /* in construction */
		assert_int_equal(nmethod_decode(&f->cart.l, at, hdr, 16, &a), -EPROTO);
		assert_int_equal(nmethod_decode(&f->cart.l, at, hdr, 0, &a), -EPROTO);
	}
}

/* The same bytes at another address, outside the code cache or of another blob are refused. */
static void decode_elsewhere(void **state _unused_)
{
	EACH_JDK(f)
	{
		uint64_t at = add(f, 4, 0, 9);
		uint8_t *hdr = fake_at(&f->cart.j.t, at, NMETHOD_HDR_MAX);
		struct nmethod nm = {.compile_id = 77};
		assert_int_equal(nmethod_decode(&f->cart.l, 0, hdr, NMETHOD_HDR_MAX, &nm), -EPROTO);
		assert_int_equal(nmethod_decode(&f->cart.l, f->cart.l.code_high - 64, hdr,
						NMETHOD_HDR_MAX, &nm),
				 -EPROTO);
		assert_int_equal(
			nmethod_decode(&f->cart.l, UINT64_MAX - 64, hdr, NMETHOD_HDR_MAX, &nm),
			-EPROTO);
		hdr[FK_BLOB_HEADER_SIZE]++;
		assert_int_equal(nmethod_decode(&f->cart.l, at, hdr, NMETHOD_HDR_MAX, &nm),
				 -ENOENT);
		hdr[FK_BLOB_HEADER_SIZE]--;
		hdr[FK_METHOD] |= 4;
		assert_int_equal(nmethod_decode(&f->cart.l, at, hdr, NMETHOD_HDR_MAX, &nm),
				 -EPROTO);
		assert_int_equal(nm.compile_id, 77);
		assert_int_equal(nmethod_read(&f->cart.j.t.mem, &f->cart.l, 0x1000, &nm), -EFAULT);
	}
}

/* One that is on its way out, its method forgotten, still tells which it was. */
static void decode_while_unloading(void **state _unused_)
{
	EACH_JDK(f)
	{
		for (int s = -1; s <= 4; s++) {
			uint64_t at = add(f, 4, s, 1234);
			struct nmethod nm;
			fake_put64(&f->cart.j.t, at + FK_METHOD, 0);
			assert_int_equal(nmethod_read(&f->cart.j.t.mem, &f->cart.l, at, &nm), 0);
			assert_int_equal(nm.compile_id, 1234);
			assert_int_equal(nm.method_addr, 0);
		}
	}
}

/* The state alone is read with the meaning it has in a whole nmethod. */
static void state_read(void **state _unused_)
{
	EACH_JDK(f)
	{
		uint64_t at = add(f, 4, 0, 9);
		uint8_t got = 99;
		static const uint8_t want[] = {NMETHOD_IN_USE,	    NMETHOD_IN_USE,
					       NMETHOD_NOT_ENTRANT, NMETHOD_NOT_ENTRANT,
					       NMETHOD_DEAD,	    NMETHOD_DEAD};
		for (int s = -1; s <= 4; s++) {
			fake_put8(&f->cart.j.t, at + FK_STATE, (uint8_t)s);
			assert_int_equal(nmethod_state_read(&f->cart.j.t.mem, &f->cart.l, at, &got),
					 0);
			assert_int_equal(got, want[s + 1]);
		}
		assert_int_equal(nmethod_state_read(&f->cart.j.t.mem, &f->cart.l, 0x1000, &got),
				 -EFAULT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walk_tells_everything),
		cmocka_unit_test(walk_empty),
		cmocka_unit_test(walk_kinds),
		cmocka_unit_test(walk_jvmci),
		cmocka_unit_test(walk_states),
		cmocka_unit_test(walk_osr),
		cmocka_unit_test(walk_skips_others),
		cmocka_unit_test(walk_goes_by_kind),
		cmocka_unit_test(walk_many),
		cmocka_unit_test(walk_stops),
		cmocka_unit_test(walk_leaves_out_damaged),
		cmocka_unit_test(walk_block_lengths),
		cmocka_unit_test(walk_map_of_zeros),
		cmocka_unit_test(walk_map_without_start),
		cmocka_unit_test(walk_impossible_heaps),
		cmocka_unit_test(walk_short_map),
		cmocka_unit_test(walk_target_goes),
		cmocka_unit_test(decode_from_copy),
		cmocka_unit_test(decode_elsewhere),
		cmocka_unit_test(decode_while_unloading),
		cmocka_unit_test(state_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
