// SPDX-License-Identifier: MIT
/* Which first instructions of a method may run elsewhere. Bytes as JDK 17 and 25 emit them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/insn.h"

#define ENTRY 0x7f8778ec7da0ULL

static struct insn_decoder *decoder;

static int setup(void **state)
{
	(void)state;
	decoder = insn_decoder_new();
	return decoder ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	insn_decoder_free(decoder);
	return 0;
}

struct sample {
	const char *what;
	size_t len;
	uint8_t code[24];
};

static void assert_moves(const struct sample *s, size_t n, const size_t *lens)
{
	for (size_t i = 0; i < n; i++) {
		size_t got = 0;
		int err = insn_displaceable(decoder, ENTRY, s[i].code, s[i].len, &got);

		if (err || got != lens[i])
			fail_msg("%s: %d, %zu bytes", s[i].what, err, got);
	}
}

static void assert_refused(const struct sample *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t got = 77;
		int err = insn_displaceable(decoder, ENTRY, s[i].code, s[i].len, &got);

		if (err != -EOPNOTSUPP || got != 77)
			fail_msg("%s: %d, %zu", s[i].what, err, got);
	}
}

/* What HotSpot begins a compiled method with is accepted, with its exact length. */
static void displaceable_hotspot_prologues(void **state)
{
	static const struct sample s[] = {
		{"stack bang", 7, {0x89, 0x84, 0x24, 0x00, 0xc0, 0xfe, 0xff}},
		{"stack bang and push", 8, {0x89, 0x84, 0x24, 0x00, 0xc0, 0xfe, 0xff, 0x55}},
		{"frame", 7, {0x48, 0x81, 0xec, 0x18, 0x00, 0x00, 0x00}},
		{"large frame", 7, {0x48, 0x81, 0xec, 0x00, 0x10, 0x00, 0x00}},
		{"nop5", 5, {0x0f, 0x1f, 0x44, 0x00, 0x00}},
		{"nop6", 6, {0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00}},
		{"nop7", 7, {0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00}},
		{"nop8", 8, {0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00}},
		{"nop9", 9, {0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00}},
	};
	static const size_t lens[] = {7, 7, 7, 7, 5, 6, 7, 8, 9};

	(void)state;
	assert_moves(s, sizeof(s) / sizeof(*s), lens);
}

/* Loads, stores and compares through rsp and r15 mean the same in a continuation. */
static void displaceable_stack_and_thread(void **state)
{
	static const struct sample s[] = {
		{"mov 8(%rsp),%rbx", 5, {0x48, 0x8b, 0x5c, 0x24, 0x08}},
		{"cmp disp32(%r15),%rsp", 7, {0x49, 0x3b, 0xa7, 0x80, 0x03, 0x00, 0x00}},
		{"mov disp32(%r15),%rax", 7, {0x49, 0x8b, 0x87, 0x80, 0x03, 0x00, 0x00}},
		{"lea 0x100(%rsp),%rax", 8, {0x48, 0x8d, 0x84, 0x24, 0x00, 0x01, 0x00, 0x00}},
		{"cmpb $1,disp32(%r15)", 8, {0x41, 0x80, 0xbf, 0x80, 0x03, 0x00, 0x00, 0x01}},
	};
	static const size_t lens[] = {5, 7, 7, 8, 8};

	(void)state;
	assert_moves(s, sizeof(s) / sizeof(*s), lens);
}

/* The class initialisation barrier is known by its two instructions, and by nothing less. */
static void displaceable_clinit_barrier(void **state)
{
	static const uint8_t code[24] = {0x49, 0xba, 0x08, 0x0a, 0x00, 0x08, 0x87, 0x7f,
					 0x00, 0x00, 0x41, 0x80, 0xba, 0x3b, 0x01, 0x00,
					 0x00, 0x04, 0x0f, 0x84, 0x12, 0x00, 0x00, 0x00};
	uint8_t other[24];
	size_t len = 0;

	(void)state;
	assert_int_equal(insn_displaceable(decoder, ENTRY, code, sizeof(code), &len), 0);
	assert_int_equal(len, 10);
	assert_int_equal(insn_displaceable(decoder, ENTRY, code, INSN_LEN_MAX, &len), 0);
	assert_int_equal(insn_displaceable(decoder, ENTRY, code, 12, &len), -EOPNOTSUPP);
	memcpy(other, code, sizeof(code));
	other[12] = 0x7a; /* disp8: not the barrier */
	assert_int_equal(insn_displaceable(decoder, ENTRY, other, sizeof(other), &len),
			 -EOPNOTSUPP);
	memcpy(other, code, sizeof(code));
	other[1] = 0xbb; /* into r11 */
	assert_int_equal(insn_displaceable(decoder, ENTRY, other, sizeof(other), &len),
			 -EOPNOTSUPP);
}

/* Whatever is tied to its place stays there. */
static void displaceable_position_dependent(void **state)
{
	static const struct sample s[] = {
		{"jmp rel32", 5, {0xe9, 0x00, 0x01, 0x00, 0x00}},
		{"call rel32", 5, {0xe8, 0x00, 0x01, 0x00, 0x00}},
		{"je rel32", 6, {0x0f, 0x84, 0x00, 0x01, 0x00, 0x00}},
		{"jmp *disp32(%rip)", 6, {0xff, 0x25, 0x00, 0x01, 0x00, 0x00}},
		{"call *disp32(%r15)", 7, {0x41, 0xff, 0x97, 0x00, 0x01, 0x00, 0x00}},
		{"mov disp32(%rip),%rax", 7, {0x48, 0x8b, 0x05, 0x00, 0x01, 0x00, 0x00}},
		{"lea disp32(%rip),%rax", 7, {0x48, 0x8d, 0x05, 0x00, 0x01, 0x00, 0x00}},
		{"xbegin rel32", 6, {0xc7, 0xf8, 0x00, 0x01, 0x00, 0x00}},
	};

	(void)state;
	assert_refused(s, sizeof(s) / sizeof(*s));
}

/* What HotSpot finds by address, to rewrite it or to tell a null check from a crash, stays. */
static void displaceable_known_by_address(void **state)
{
	static const struct sample s[] = {
		{"movabs $oop,%r10", 10, {0x49, 0xba, 1, 2, 3, 4, 5, 6, 7, 8}},
		{"mov $narrow oop,%eax", 5, {0xb8, 1, 2, 3, 4}},
		{"entry barrier", 8, {0x41, 0x81, 0x7f, 0x20, 0x01, 0x00, 0x00, 0x00}},
		{"movl $imm32,8(%rsp)", 8, {0xc7, 0x44, 0x24, 0x08, 1, 2, 3, 4}},
		{"null check", 7, {0x48, 0x8b, 0x86, 0x80, 0x03, 0x00, 0x00}},
		{"null check, narrow", 5, {0x43, 0x8b, 0x44, 0xdc, 0x10}},
		{"mov 8(%rsp,%rax),%ecx", 7, {0x8b, 0x8c, 0x04, 0x00, 0x01, 0x00, 0x00}},
	};

	(void)state;
	assert_refused(s, sizeof(s) / sizeof(*s));
}

/* Short, privileged, prefixed and otherwise odd instructions are not touched. */
static void displaceable_odd_instructions(void **state)
{
	static const struct sample s[] = {
		{"push %rbp", 5, {0x55, 0x90, 0x90, 0x90, 0x90}},
		{"mov 8(%rsi),%r10d", 5, {0x44, 0x8b, 0x56, 0x08, 0x90}},
		{"sub imm8,%rsp", 5, {0x48, 0x83, 0xec, 0x18, 0x90}},
		{"endbr64", 5, {0xf3, 0x0f, 0x1e, 0xfa, 0x90}},
		{"ret", 5, {0xc3, 0x90, 0x90, 0x90, 0x90}},
		{"syscall", 5, {0x0f, 0x05, 0x90, 0x90, 0x90}},
		{"int3", 5, {0xcc, 0x90, 0x90, 0x90, 0x90}},
		{"mov %fs:0,%rax", 9, {0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0}},
		{"lock decl 0x100(%rsp)", 8, {0xf0, 0xff, 0x8c, 0x24, 0x00, 0x01, 0x00, 0x00}},
		{"mov 0x100(%r15),%rsp", 7, {0x49, 0x8b, 0xa7, 0x00, 0x01, 0x00, 0x00}},
		{"mov %ds,0x100(%rsp)", 7, {0x8c, 0x9c, 0x24, 0x00, 0x01, 0x00, 0x00}},
		{"push imm32", 5, {0x68, 1, 2, 3, 4}},
		{"enter", 5, {0xc8, 0x10, 0x00, 0x00, 0x90}},
		{"mov moffs,%eax", 9, {0xa1, 1, 2, 3, 4, 5, 6, 7, 8}},
		{"addr32 mov 8(%esp),%eax", 5, {0x67, 0x8b, 0x44, 0x24, 0x08}},
	};

	(void)state;
	assert_refused(s, sizeof(s) / sizeof(*s));
}

/* A prefix of an instruction, no bytes and garbage do not decode, and nothing is written. */
static void displaceable_truncated_code(void **state)
{
	static const uint8_t bang[] = {0x89, 0x84, 0x24, 0x00, 0xc0, 0xfe, 0xff};
	static const uint8_t bad[] = {0x06, 0x06, 0x06, 0x06, 0x06};
	size_t got = 77;

	(void)state;
	for (size_t len = 0; len < sizeof(bang); len++)
		assert_int_equal(insn_displaceable(decoder, ENTRY, bang, len, &got), -EPROTO);
	assert_int_equal(insn_displaceable(decoder, ENTRY, bad, sizeof(bad), &got), -EPROTO);
	assert_int_equal(got, 77);
}

/* Random bytes never yield a length outside the promised bounds or beyond what was given. */
static void displaceable_random_bytes(void **state)
{
	const unsigned int seed = 20251121;
	int accepted = 0;

	(void)state;
	srand(seed);
	for (int i = 0; i < 100000; i++) {
		uint8_t code[16];
		size_t len = rand() % (sizeof(code) + 1), got = 0;

		for (size_t k = 0; k < sizeof(code); k++)
			code[k] = rand();
		if (i % 4 == 0) /* more of them near what is accepted */
			memcpy(code, (uint8_t[]){0x89, 0x84}, 2);
		if (insn_displaceable(decoder, ENTRY, code, len, &got))
			continue;
		accepted++;
		if (got < INSN_JUMP_LEN || got > INSN_LEN_MAX || got > len)
			fail_msg("seed %u, round %d: %zu of %zu bytes", seed, i, got, len);
	}
	assert_true(accepted > 0);
}

/* The text names the instruction, is cut to the buffer, and shows bytes that are none. */
static void text_forms(void **state)
{
	static const uint8_t bang[] = {0x89, 0x84, 0x24, 0x00, 0xc0, 0xfe, 0xff};
	static const uint8_t ret[] = {0xc3};
	static const uint8_t bad[] = {0x06, 0x07};
	char buf[64], small[8];

	(void)state;
	insn_text(decoder, ENTRY, bang, sizeof(bang), buf, sizeof(buf));
	assert_string_equal(buf, "mov dword ptr [rsp - 0x14000], eax");
	insn_text(decoder, ENTRY, bang, sizeof(bang), small, sizeof(small));
	assert_string_equal(small, "mov dwo");
	insn_text(decoder, ENTRY, ret, sizeof(ret), buf, sizeof(buf));
	assert_string_equal(buf, "ret");
	insn_text(decoder, ENTRY, bad, sizeof(bad), buf, sizeof(buf));
	assert_string_equal(buf, "06 07");
	insn_text(decoder, ENTRY, bad, 0, buf, sizeof(buf));
	assert_string_equal(buf, "(no code)");
	insn_text(decoder, ENTRY, bad, sizeof(bad), small, 1);
	assert_string_equal(small, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(displaceable_hotspot_prologues),
		cmocka_unit_test(displaceable_stack_and_thread),
		cmocka_unit_test(displaceable_clinit_barrier),
		cmocka_unit_test(displaceable_position_dependent),
		cmocka_unit_test(displaceable_known_by_address),
		cmocka_unit_test(displaceable_odd_instructions),
		cmocka_unit_test(displaceable_truncated_code),
		cmocka_unit_test(displaceable_random_bytes),
		cmocka_unit_test(text_forms),
	};

	return cmocka_run_group_tests_name("insn", tests, setup, teardown);
}
