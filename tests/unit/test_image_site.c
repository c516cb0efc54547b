// SPDX-License-Identifier: MIT
/*
 * test_image_site.c - sites on a method of a native image; the code a slot gets is run for real, in
 * this very process, as in test_entry_site.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/mman.h>

#include "output/encoder.h"
#include "runtime/image/image_site.h"

#define PAGES 4096

/* sub $24,%rsp; cmp %rsi,%rdi; nop; jbe 1f; lea (%rdi,%rsi),%rax; addsd %xmm1,%xmm0; add $24,%rsp;
 * ret; 1: mov $-1,%rax; subsd %xmm1,%xmm0; add $24,%rsp; ret */
static const uint8_t method[] = {
	0x48, 0x83, 0xec, 0x18, 0x48, 0x39, 0xf7, 0x90, 0x0f, 0x86, 0x0d, 0x00, 0x00, 0x00, 0x48,
	0x8d, 0x04, 0x37, 0xf2, 0x0f, 0x58, 0xc1, 0x48, 0x83, 0xc4, 0x18, 0xc3, 0x48, 0xc7, 0xc0,
	0xff, 0xff, 0xff, 0xff, 0xf2, 0x0f, 0x5c, 0xc1, 0x48, 0x83, 0xc4, 0x18, 0xc3,
};

/* Where things are in it. */
#define JUMP  8
#define NOP   7
#define DEPTH 0x18

struct bench {
	uint8_t *area; /* rwx: the method, then the slot's text and code. Never in a target. */
	struct mem mem;
	struct region region;
	struct site_env env;
	struct image_site_plan plan;
	struct probe *probe;
	struct site *site; /* its only one */
};

static int self_read(struct mem *m _unused_, uint64_t addr, void *buf, size_t len)
{
	memcpy(buf, (const void *)(uintptr_t)addr, len);
	return 0;
}

static int bench_open(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	uint64_t area;

	if (!b)
		return -1;
	b->area = mmap(NULL, 4 * PAGES, PROT_READ | PROT_WRITE | PROT_EXEC,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (b->area == MAP_FAILED)
		return -1;
	area = (uint64_t)(uintptr_t)b->area;
	memcpy(b->area, method, sizeof(method));
	b->mem.read = self_read;
	b->region.text = area;
	b->region.code = area + 2 * PAGES;
	b->region.code_low = area;
	b->region.code_high = area + PAGES;
	b->env = (struct site_env){
		.mem = &b->mem, .decoder = insn_decoder_new(), .region = &b->region};
	/* The file has it at 0x1000; this process at @area. */
	b->plan = (struct image_site_plan){.method = {.entry = 0x1000,
						      .end = 0x1000 + sizeof(method),
						      .klass = "Cart",
						      .name = "add",
						      .desc = "",
						      .symbol = ""},
					   .overloads = 2,
					   .code = method,
					   .file_offset = 0x200,
					   .bias = area - 0x1000};
	*state = b;
	return 0;
}

static int bench_close(void **state)
{
	struct bench *b = *state;

	probe_free(b->probe);
	munmap(b->area, 4 * PAGES);
	insn_decoder_free(b->env.decoder);
	free(b);
	return 0;
}

static void plan(struct bench *b, bool divert, bool at_start)
{
	probe_free(b->probe);
	b->probe = NULL;
	assert_int_equal(image_site_probe(&b->plan, &b->env, divert, at_start, &b->probe), 0);
	b->site = b->probe->sites[0];
	b->site->slot = 1;
}

/* What an event says of the method. Valid until the next one. */
static const char *event_of(struct bench *b)
{
	static char text[1024];
	struct buf out = {0};
	struct encoder *e = encoder_new("json", &(struct encoder_options){0}, &out);

	assert_non_null(e);
	encoder_event(
		e, &(struct event){.kind = EVENT_PROBED, .change = {.probe = b->probe, .why = ""}});
	encoder_free(e);
	snprintf(text, sizeof(text), "%.*s", (int)out.len, out.data);
	buf_fini(&out);
	return text;
}

static struct hp_slot_spec spec_of(const struct bench *b)
{
	struct hp_slot_spec spec;

	site_slot_spec(b->site, &spec);
	return spec;
}

/* nop5 and a jump to the slot's code, as region.c writes them; then the jump into the method. */
static void divert(struct bench *b)
{
	uint64_t text = region_slot_text(&b->region, 1), code = region_slot_code(&b->region, 1);
	int32_t rel = (int32_t)(code - (text + 10));
	uint8_t bytes[10] = {0x0f, 0x1f, 0x44, 0x00, 0x00, 0xe9}, out[SLOT_CODE];
	size_t len;

	plan(b, true, false);
	assert_int_equal(image_site_place(b->site), IMAGE_DIVERTED);
	b->site->region = &b->region;
	assert_int_equal(b->site->kind->emit(b->site, &b->env, out, &len), 0);
	assert_true(len > 0 && len <= SLOT_CODE);
	memcpy(bytes + 6, &rel, sizeof(rel));
	memcpy((void *)(uintptr_t)text, bytes, sizeof(bytes));
	memcpy((void *)(uintptr_t)code, out, sizeof(out));
	assert_int_equal(b->site->addr, (uintptr_t)b->area + 8);
	memcpy(b->area + 8, &b->site->divert, sizeof(b->site->divert));
}

typedef long long_fn(long a, long b);
typedef double double_fn(long a, long b, double c, double d);

static void assert_works(const struct bench *b)
{
	long_fn *add = (long_fn *)(uintptr_t)b->area;
	double_fn *calc = (double_fn *)(uintptr_t)b->area;

	for (long i = 0; i < 1000; i++) {
		assert_int_equal(add(i + 1, i), 2 * i + 1);
		assert_int_equal(add(i, i), -1); /* the jump is taken */
		assert_int_equal(add(i, i + 1), -1);
		assert_true(calc(2, 1, 1.5, 2.25) == 3.75);
		assert_true(calc(1, 2, 1.5, 2.25) == -0.75);
	}
}

/* The displaced jump goes where it went, either way: the flags it asks for are those of before. */
static void diverted_jump_keeps_its_flags(void **state)
{
	struct bench *b = *state;

	divert(b);
	assert_int_equal(b->area[JUMP], 0xe9);
	assert_memory_equal(b->area, method, JUMP);
	assert_memory_equal(b->area + JUMP + 5, method + JUMP + 5, sizeof(method) - JUMP - 5);
	assert_works(b);
	assert_int_equal(spec_of(b).depth, DEPTH);
	assert_int_equal(spec_of(b).flags, 0);
}

/* With the prologue that saves xmm0-7 too. */
static void diverted_jump_with_doubles(void **state)
{
	struct bench *b = *state;

	b->plan.desc = "(JJDD)D";
	b->plan.is_static = true;
	divert(b);
	assert_works(b);
	assert_int_equal(spec_of(b).depth, DEPTH);
	assert_int_equal(spec_of(b).flags, HP_SLOT_FP);
}

/* Another's breakpoint in the word, or anything else the file does not have, is left alone. */
static void diverted_only_as_in_file(void **state)
{
	struct bench *b = *state;

	for (size_t i = 8; i < 16; i++) {
		memcpy(b->area, method, sizeof(method));
		b->area[i] ^= 0x55;
		plan(b, true, false);
		assert_int_equal(image_site_place(b->site), IMAGE_EMULATED);
	}
	memcpy(b->area, method, sizeof(method));
	b->area[0] = 0xcc; /* at the start there may be one */
	plan(b, true, false);
	assert_int_equal(image_site_place(b->site), IMAGE_DIVERTED);
}

/* The word that the method begins with has the first instruction, for others' uprobes. */
static void first_word_not_diverted(void **state)
{
	/* push %rbx; mov $1,%eax; pop %rbx; ret */
	static const uint8_t small[] = {0x53, 0xb8, 1, 0, 0, 0, 0x5b, 0xc3};
	struct bench *b = *state;
	struct method_code code;

	memcpy(b->area, small, sizeof(small));
	b->plan.code = small;
	b->plan.method.end = b->plan.method.entry + sizeof(small);
	assert_int_equal(method_code_read(b->env.decoder, 0x1000, small, sizeof(small), &code), 0);
	assert_int_equal(code.divert.off, 1);
	method_code_fini(&code);
	plan(b, true, false);
	assert_int_not_equal(image_site_place(b->site), IMAGE_DIVERTED);
}

/* What lies outside of the text that the region is for cannot be patched. */
static void other_text_not_diverted(void **state)
{
	struct bench *b = *state;

	b->region.code_high = b->region.code_low + JUMP + 7;
	plan(b, true, false);
	assert_int_equal(image_site_place(b->site), IMAGE_EMULATED);
	b->region.code_high++;
	plan(b, true, false);
	assert_int_equal(image_site_place(b->site), IMAGE_DIVERTED);
}

/*
 * A uprobe on a jump that another instance left would end it: the kernel writes back the byte that
 * the file has. One on another's uprobe does no harm.
 */
static void in_place_not_on_a_diversion(void **state)
{
	struct bench *b = *state;

	b->area[NOP] = 0xcc;
	plan(b, false, false);
	assert_int_equal(image_site_place(b->site), IMAGE_EMULATED);
	b->area[NOP] = 0xe9;
	plan(b, false, false);
	assert_int_equal(image_site_place(b->site), IMAGE_STEPPED);
	assert_int_equal(b->site->file_offset, 0x200);
	b->env.mem = NULL; /* no one process */
	plan(b, false, false);
	assert_int_equal(image_site_place(b->site), IMAGE_EMULATED);
}

/* In place the probe sits where the kernel emulates, or on the first instruction. */
static void in_place_offsets(void **state)
{
	struct bench *b = *state;

	plan(b, false, false);
	assert_true(b->site->kind->in_place);
	assert_int_equal(image_site_place(b->site), IMAGE_EMULATED);
	assert_int_equal(b->site->file_offset, 0x200 + NOP);
	assert_int_equal(spec_of(b).depth, DEPTH);
	plan(b, false, true);
	assert_int_equal(image_site_place(b->site), IMAGE_STEPPED);
	assert_int_equal(b->site->file_offset, 0x200);
	assert_int_equal(spec_of(b).depth, 0);
}

/* Nobody saves xmm registers in place: what they held is not claimed to be known. */
static void in_place_without_doubles(void **state)
{
	struct bench *b = *state;

	b->plan.desc = "(JD)D";
	plan(b, false, false);
	assert_int_equal(spec_of(b).flags, 0);
	assert_true(b->probe->captures->uses_fp);
}

/* What every event of the site says, with and without types. */
static void head_says_who_knows(void **state)
{
	struct bench *b = *state;

	plan(b, false, false);
	assert_non_null(strstr(event_of(b), "\"method\":\"Cart.add\""));
	assert_non_null(strstr(event_of(b), "\"descriptor\":null"));
	assert_non_null(strstr(event_of(b), "\"kind\":\"native-image\",\"symbol\":null,"
					    "\"overloads\":2,\"signature\":null"));
	b->plan.desc = "(ILjava/lang/String;)V";
	b->plan.desc_by_spec = true;
	b->plan.method.symbol = "Cart_add_0";
	plan(b, false, false);
	assert_non_null(strstr(event_of(b), "\"method\":\"Cart.add(int, java.lang.String)\""));
	assert_non_null(strstr(event_of(b), "\"symbol\":\"Cart_add_0\""));
	assert_non_null(strstr(event_of(b), "\"signature\":\"spec\""));
	b->plan.desc_by_spec = false;
	plan(b, false, false);
	assert_non_null(strstr(event_of(b), "\"signature\":\"image\""));
}

/* The returns are kept with the site. */
static void exits_are_kept(void **state)
{
	struct bench *b = *state;
	const uint32_t *exits;
	bool complete;

	plan(b, false, false);
	assert_int_equal(image_site_exits(b->site, &exits, &complete), 2);
	assert_int_equal(exits[0], 26);
	assert_int_equal(exits[1], 42);
	assert_true(complete);
}

/* What is no code is no site. */
static void no_code(void **state)
{
	static const uint8_t bad[16] = {0x06};
	struct bench *b = *state;

	b->plan.code = bad;
	b->plan.method.end = b->plan.method.entry + sizeof(bad);
	assert_int_equal(image_site_probe(&b->plan, &b->env, true, false, &b->probe), -EPROTO);
	b->plan.method.end = b->plan.method.entry;
	assert_int_equal(image_site_probe(&b->plan, &b->env, true, false, &b->probe), -EPROTO);
}

#define bench_test(f) cmocka_unit_test_setup_teardown(f, bench_open, bench_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		bench_test(diverted_jump_keeps_its_flags),
		bench_test(diverted_jump_with_doubles),
		bench_test(diverted_only_as_in_file),
		bench_test(in_place_offsets),
		bench_test(first_word_not_diverted),
		bench_test(other_text_not_diverted),
		bench_test(in_place_not_on_a_diversion),
		bench_test(in_place_without_doubles),
		bench_test(head_says_who_knows),
		bench_test(exits_are_kept),
		bench_test(no_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
