// SPDX-License-Identifier: MIT
/*
 * test_entry_site.c - the code a slot gets, run for real: a function laid out like a compiled
 * method in this very process is diverted through a slot built by entry_site.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/mman.h>

#include "probe/probe.h"
#include "probe/slots.h"
#include "runtime/hotspot/entry_site.h"

#define PAGES 4096

/* One rwx area: method at 0, slot text at 4096, slot code at 8192. Only here: never in a target. */
struct bench {
	uint8_t *area;
	struct mem mem;
	struct region region;
	struct site_env env;
	struct probe probe;
	struct site site;
	struct capture_list captures;
};

static int self_read(struct mem *m _unused_, uint64_t addr, void *buf, size_t len)
{
	memcpy(buf, (const void *)(uintptr_t)addr, len);
	return 0;
}

/* mov %eax,-0x4000(%rsp); lea 1(%rdi,%rsi),%rax; addsd %xmm1,%xmm0; ret */
static const uint8_t method[] = {0x89, 0x84, 0x24, 0x00, 0xc0, 0xff, 0xff, 0x48, 0x8d,
				 0x44, 0x37, 0x01, 0xf2, 0x0f, 0x58, 0xc1, 0xc3};

static int bench_open(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	if (!b)
		return -1;
	b->area = mmap(NULL, 3 * PAGES, PROT_READ | PROT_WRITE | PROT_EXEC,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (b->area == MAP_FAILED)
		return -1;
	memcpy(b->area, method, sizeof(method));
	b->mem.read = self_read;
	b->region.text = (uint64_t)(uintptr_t)b->area + PAGES;
	b->region.code = (uint64_t)(uintptr_t)b->area + 2 * PAGES;
	b->env = (struct site_env){
		.mem = &b->mem, .decoder = insn_decoder_new(), .region = &b->region};
	b->probe.captures = &b->captures;
	b->site = (struct site){
		.kind = &entry_site, .probe = &b->probe, .slot = 1, .region = &b->region};
	b->probe.method.entry = (uint64_t)(uintptr_t)b->area;
	*state = b;
	return 0;
}

static int bench_close(void **state)
{
	struct bench *b = *state;

	munmap(b->area, 3 * PAGES);
	insn_decoder_free(b->env.decoder);
	free(b);
	return 0;
}

/* The slot's text as region.c writes it: nop5, jmp to the slot's code. */
static void write_text(struct bench *b)
{
	uint64_t text = region_slot_text(&b->region, 1), code = region_slot_code(&b->region, 1);
	int32_t rel = (int32_t)(code - (text + 10));
	uint8_t bytes[10] = {0x0f, 0x1f, 0x44, 0x00, 0x00, 0xe9};

	memcpy(bytes + 6, &rel, sizeof(rel));
	memcpy((void *)(uintptr_t)text, bytes, sizeof(bytes));
}

static void divert(struct bench *b)
{
	uint8_t code[SLOT_CODE];
	size_t len;

	assert_int_equal(entry_site.plan(&b->site, &b->env, NULL), 0);
	assert_int_equal(entry_site.emit(&b->site, &b->env, code, &len), 0);
	assert_true(len > 0 && len <= SLOT_CODE);
	write_text(b);
	memcpy((void *)(uintptr_t)region_slot_code(&b->region, 1), code, len);
	memcpy(b->area, &b->site.divert, sizeof(b->site.divert));
}

typedef long long_fn(long a, long b);
typedef double double_fn(double a, double b);

/* A diverted method still does what it did, for integers and for doubles. */
static void entry_emit_keeps_the_method_working(void **state)
{
	struct bench *b = *state;

	divert(b);
	assert_int_equal(b->area[0], 0xe9);
	assert_memory_equal(b->area + 5, method + 5, sizeof(method) - 5);
	for (long i = -1000; i < 1000; i++)
		assert_int_equal(((long_fn *)(uintptr_t)b->area)(i, 2 * i), 3 * i + 1);
	assert_true(((double_fn *)(uintptr_t)b->area)(1.5, 2.25) == 3.75);
}

/* With the prologue that saves xmm0-7 too; and rsp is where it was, or the ret would go astray. */
static void entry_emit_saves_xmm_for_fp_methods(void **state)
{
	struct bench *b = *state;

	b->captures.uses_fp = true;
	divert(b);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(((long_fn *)(uintptr_t)b->area)(i, 7), i + 8);
		assert_true(((double_fn *)(uintptr_t)b->area)(i, 0.5) == i + 0.5);
	}
}

typedef long looked_fn(long a, long b, uint64_t *at);

/*
 * Where the probe sits, somebody who follows frame pointers finds the caller: the return address is
 * above rbp, and rbp above rsp, which is as much lower as the site says.
 */
static void entry_emit_makes_a_frame(void **state)
{
	struct bench *b = *state;
	/* In place of the nop: mov %rsp,(%rdx); mov %rbp,8(%rdx) */
	const uint8_t look[] = {0x48, 0x89, 0x22, 0x48, 0x89, 0x6a, 0x08, 0xe9};
	uint64_t text = region_slot_text(&b->region, 1), at[2];
	int32_t rel = (int32_t)(region_slot_code(&b->region, 1) - (text + 12));
	struct hp_slot_spec spec;

	for (int fp = 0; fp < 2; fp++) {
		uint64_t saved = fp ? HP_FP_FRAME : 0;

		memcpy(b->area, method, sizeof(method));
		b->captures.uses_fp = fp;
		divert(b);
		memcpy((void *)(uintptr_t)text, look, sizeof(look));
		memcpy((void *)(uintptr_t)(text + sizeof(look)), &rel, sizeof(rel));
		assert_int_equal(((looked_fn *)(uintptr_t)b->area)(3, 4, at), 8);
		site_slot_spec(&b->site, &spec);
		assert_int_equal(at[1] + 8, at[0] + saved + spec.depth);
		assert_true(at[1] > at[0]);
		assert_int_equal(spec.depth % 16, 0);
	}
}

/* Where the probe sits, the eight doubles lie at (%rsp) in register order. */
static void entry_emit_lays_xmm_out_for_bpf(void **state)
{
	struct bench *b = *state;
	/* In place of the nop: movsd 8(%rsp),%xmm0 (what BPF would read for xmm1); 6 bytes. */
	const uint8_t peek[] = {0xf2, 0x0f, 0x10, 0x44, 0x24, 0x08};
	uint64_t text = region_slot_text(&b->region, 1);
	int32_t rel;

	b->captures.uses_fp = true;
	divert(b);
	memcpy((void *)(uintptr_t)text, peek, sizeof(peek));
	*(uint8_t *)(uintptr_t)(text + 6) = 0xe9;
	rel = (int32_t)(region_slot_code(&b->region, 1) - (text + 11));
	memcpy((void *)(uintptr_t)(text + 7), &rel, sizeof(rel));
	/* xmm0 := xmm1, so the method adds it to itself. */
	assert_true(((double_fn *)(uintptr_t)b->area)(100.0, 2.25) == 4.5);
}

/* An entry that begins with a jump is being retired by HotSpot: there is nothing to probe. */
static void entry_plan_leaves_a_retired_method(void **state)
{
	struct bench *b = *state;
	const uint8_t jmp[] = {0xe9, 0x10, 0x00, 0x00, 0x00};
	struct fail f = {0};

	memcpy(b->area, jmp, sizeof(jmp));
	assert_int_equal(entry_site.plan(&b->site, &b->env, &f), -ESTALE);
}

/* An instruction that means something else elsewhere is refused, with the reason. */
static void entry_plan_refuses_what_cannot_move(void **state)
{
	struct bench *b = *state;
	const uint8_t lea[] = {0x48, 0x8d, 0x05, 0x10, 0x00, 0x00, 0x00}; /* lea 16(%rip),%rax */
	struct fail f = {0};

	memcpy(b->area, lea, sizeof(lea));
	assert_int_equal(entry_site.plan(&b->site, &b->env, &f), -EOPNOTSUPP);
	assert_non_null(strstr(f.text, "lea"));
}

/* The word must be aligned for the compare-and-swap; any other entry is refused. */
static void entry_plan_refuses_unaligned_entry(void **state)
{
	struct bench *b = *state;
	struct fail f = {0};

	b->probe.method.entry += 4;
	assert_int_equal(entry_site.plan(&b->site, &b->env, &f), -EOPNOTSUPP);
	assert_non_null(strstr(f.text, "aligned"));
}

/* Slots: each is handed out once, one that was never used is free at once, one at rest is not. */
static void slot_take_hands_each_out_once(void **state _unused_)
{
	static struct slots s;
	static bool taken[REGION_SLOTS];

	slots_init(&s, REGION_SLOTS);
	for (int i = 1; i < REGION_SLOTS; i++) {
		uint32_t slot = slots_take(&s);

		assert_true(slot > 0 && slot < REGION_SLOTS && !taken[slot]);
		taken[slot] = true;
	}
	assert_int_equal(slots_take(&s), SLOT_NONE);
	slots_return(&s, 17);
	assert_int_equal(slots_take(&s), 17);
	slots_rest(&s, 99);
	assert_int_equal(slots_take(&s), SLOT_NONE);
	assert_int_equal(s.nresting, 1);
	assert_int_equal(s.nlive, REGION_SLOTS - 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(entry_emit_keeps_the_method_working, bench_open,
						bench_close),
		cmocka_unit_test_setup_teardown(entry_emit_saves_xmm_for_fp_methods, bench_open,
						bench_close),
		cmocka_unit_test_setup_teardown(entry_emit_makes_a_frame, bench_open, bench_close),
		cmocka_unit_test_setup_teardown(entry_emit_lays_xmm_out_for_bpf, bench_open,
						bench_close),
		cmocka_unit_test_setup_teardown(entry_plan_leaves_a_retired_method, bench_open,
						bench_close),
		cmocka_unit_test_setup_teardown(entry_plan_refuses_what_cannot_move, bench_open,
						bench_close),
		cmocka_unit_test_setup_teardown(entry_plan_refuses_unaligned_entry, bench_open,
						bench_close),
		cmocka_unit_test(slot_take_hands_each_out_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
