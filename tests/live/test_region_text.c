// SPDX-License-Identifier: MIT
/*
 * test_region_text.c - code that is mapped from a file, read-only, where the kernel's uprobes of
 * others may sit beside our jumps: it is changed, put back, and no more writable afterwards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "lib/code_cache.h"
#include "region/region_table.h"
#include "proc/maps.h"

static struct victim victim;
static struct remote *remote;
static struct region *region;

static void victim_protects(uint64_t addr, uint64_t len, int prot)
{
	assert_int_equal(remote_begin(remote), 0);
	assert_int_equal(remote_syscall(remote, SYS_mprotect,
					(const uint64_t[6]){addr, len, (uint64_t)prot}),
			 0);
	assert_int_equal(remote_end(remote), 0);
}

static int setup(void **state)
{
	uint64_t paused_ns;

	(void)state;
	cache_map();
	victim_start_fn(&victim, cache_victim);
	if (remote_ptrace_open(victim.pid, &remote) ||
	    region_create(remote, cache_low(), cache_high(), &region, &paused_ns))
		return -1;
	region->file_text = true;
	victim_protects(cache_low(), CACHE_LEN, PROT_READ | PROT_EXEC);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	region_close(region);
	remote_close(remote);
	victim_stop(&victim);
	cache_unmap();
	return 0;
}

/* Is any of the code writable? */
static bool writable(void)
{
	struct maps maps;
	bool found = false;

	assert_int_equal(maps_read(victim.pid, &maps), 0);
	for (size_t i = 0; i < maps.n; i++)
		if (maps.entries[i].start < cache_high() && maps.entries[i].end > cache_low())
			found = found || maps.entries[i].write || !maps.entries[i].exec;
	maps_fini(&maps);
	return found;
}

/* The next instance's. */
static void found_again(void)
{
	pid_t holder;

	region_close(region);
	assert_int_equal(region_find(remote, cache_low(), cache_high(), 0, &region, &holder), 0);
	region->file_text = true;
}

static void restore(size_t expected)
{
	size_t restored, skipped;

	assert_int_equal(region_restore(region, &restored, &skipped), 0);
	assert_int_equal(restored, expected);
	assert_false(writable());
	for (uint32_t i = 0; i < CACHE_METHODS; i++)
		assert_int_equal(cache_word(&victim, i), cache_op(region, i).expect);
	assert_int_equal(region_unmap(region), 0);
	victim_check(&victim);
}

/* What is changed is writable only meanwhile. */
static void changed_and_put_back(void **state)
{
	(void)state;
	for (uint32_t slot = 1; slot < 16; slot++) {
		assert_int_equal(cache_divert(region, slot), 0);
		assert_false(writable());
	}
	victim_check(&victim);
	found_again();
	restore(15);
}

/* An instance killed between making text writable and making it read-only again leaves it so. */
static void left_writable(void **state)
{
	(void)state;
	victim_protects(cache_low() + 3 * REGION_PAGE, 5 * REGION_PAGE,
			PROT_READ | PROT_WRITE | PROT_EXEC);
	found_again();
	restore(0);
}

/* The same with few of the words in place yet. */
static void left_writable_with_words(void **state)
{
	(void)state;
	for (uint32_t slot = 200; slot < 203; slot++)
		assert_int_equal(cache_divert(region, slot), 0);
	victim_protects(cache_low(), CACHE_LEN / 2, PROT_READ | PROT_WRITE | PROT_EXEC);
	found_again();
	restore(3);
}

/* --- beside uprobes --------------------------------------------------------------------------- */

#define AT 2 /* where the jump begins */

struct word {
	struct region r;
	struct region_slot e;
	uint8_t orig[8], divert[8];
};

static void word_init(struct word *w)
{
	const uint8_t orig[8] = {1, 2, 0x0f, 0x86, 5, 6, 7, 8};
	int32_t rel;

	memset(w, 0, sizeof(*w));
	w->r = (struct region){.code_low = 0x1000, .code_high = 0x2000, .file_text = true};
	region_set_place(&w->r, 0x10000, TOTAL_LEN);
	w->e.addr = 0x1040;
	memcpy(w->orig, orig, 8);
	memcpy(w->divert, orig, 8);
	rel = (int32_t)(region_slot_text(&w->r, 9) - (w->e.addr + AT + 5));
	w->divert[AT] = 0xe9;
	memcpy(w->divert + AT + 1, &rel, 4);
	memcpy(&w->e.orig, w->orig, 8);
	memcpy(&w->e.divert, w->divert, 8);
	assert_int_equal(region_diverts_to(&w->r, &w->e), 9);
}

/* The divert with byte @i as @byte must become the original, with that byte kept if @keep. */
static void check_back(const struct word *w, size_t i, uint8_t byte, bool keep)
{
	uint8_t now[8], want[8];
	uint64_t seen, back;

	memcpy(now, w->divert, 8);
	memcpy(want, w->orig, 8);
	now[i] = byte;
	if (keep)
		want[i] = byte;
	memcpy(&seen, now, 8);
	assert_true(region_word_back(&w->r, &w->e, seen, &back));
	assert_memory_equal(&back, want, 8);
}

/* Bytes of others stay, wherever they are in the word; what is ours goes. */
static void word_back_keeps_breakpoints(void **state)
{
	struct word w;

	(void)state;
	word_init(&w);
	check_back(&w, AT, 0xe9, false);
	for (size_t i = 0; i < 8; i++)
		if (i <= AT || i >= AT + 5)
			check_back(&w, i, 0xcc, true);
	check_back(&w, AT, w.orig[AT], true); /* a uprobe on our jump is gone again */
}

/* A word that is as it was, or has none of our jump, or anything else for it, is left alone. */
static void word_back_leaves_others(void **state)
{
	struct word w;
	uint64_t seen, back;
	uint8_t now[8];

	(void)state;
	word_init(&w);
	assert_false(region_word_back(&w.r, &w.e, w.e.orig, &back));
	assert_false(region_word_back(&w.r, &w.e, 0, &back));
	for (size_t i = AT; i < AT + 5; i++) {
		memcpy(now, w.divert, 8);
		now[i] ^= 0x40;
		memcpy(&seen, now, 8);
		assert_false(region_word_back(&w.r, &w.e, seen, &back));
	}
	w.e.addr = 0x3000; /* not in the code */
	assert_false(region_word_back(&w.r, &w.e, w.e.divert, &back));
}

/* In a code cache only the very word is ours: HotSpot writes there, and the kernel does not. */
static void word_back_in_code_cache(void **state)
{
	struct word w;
	uint64_t back;

	(void)state;
	word_init(&w);
	w.r.file_text = false;
	assert_true(region_word_back(&w.r, &w.e, w.e.divert, &back));
	assert_int_equal(back, w.e.orig);
	assert_false(region_word_back(&w.r, &w.e, w.e.divert ^ 1, &back));
}

/* A uprobe that came into a diverted word is still there when that has been put back. */
static void put_back_beside_breakpoint(void **state)
{
	struct patch_op op;
	size_t restored, skipped;

	(void)state;
	assert_int_equal(cache_divert(region, 600), 0);
	op = cache_op(region, 600);
	op.expect = op.desire;
	op.desire = (op.desire & ~(0xffULL << 56)) | 0xccULL << 56;
	assert_int_equal(patch_apply(region, &op, 1, NULL), 0);
	assert_int_equal(region_unmap(region), -EBUSY); /* it still leads there */
	found_again();
	assert_int_equal(region_restore(region, &restored, &skipped), 0);
	assert_int_equal(restored, 1);
	assert_int_equal(cache_word(&victim, 600),
			 (cache_op(region, 600).expect & ~(0xffULL << 56)) | 0xccULL << 56);
	assert_int_equal(region_unmap(region), 0);
	victim_check(&victim);
}

/* --- not ours any more ------------------------------------------------------------------------ */

/* Where the region is gone the process has become another program: its memory is left alone. */
static void another_program_left_alone(void **state)
{
	struct patch_op op = cache_op(region, 5);

	(void)state;
	assert_int_equal(remote_begin(remote), 0);
	assert_int_equal(
		remote_syscall(remote, SYS_munmap, (const uint64_t[6]){region->base, region->len}),
		0);
	assert_int_equal(remote_end(remote), 0);
	victim_protects(cache_low(), CACHE_LEN, PROT_READ | PROT_WRITE | PROT_EXEC);
	assert_int_equal(patch_apply(region, &op, 1, NULL), -ESRCH);
	assert_true(writable());
	victim_check(&victim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(changed_and_put_back, setup, teardown),
		cmocka_unit_test_setup_teardown(left_writable, setup, teardown),
		cmocka_unit_test_setup_teardown(left_writable_with_words, setup, teardown),
		cmocka_unit_test_setup_teardown(put_back_beside_breakpoint, setup, teardown),
		cmocka_unit_test_setup_teardown(another_program_left_alone, setup, teardown),
		cmocka_unit_test(word_back_keeps_breakpoints),
		cmocka_unit_test(word_back_leaves_others),
		cmocka_unit_test(word_back_in_code_cache),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
