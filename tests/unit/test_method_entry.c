// SPDX-License-Identifier: MIT
/*
 * Where a compiled method of a native image can be probed, and what can be moved away there. Bytes
 * as GraalVM CE 19 to 25 and Oracle GraalVM 21 and 23 emit them, and what they could be made to be.
 */
#include "lib/method_bytes.h"

/* --- the entry -------------------------------------------------------------------------------- */

/* sub, cmp, jbe: the jump is emulated, eight bytes in, and can be diverted too. */
static void read_usual_prologue(void **state _unused_)
{
	struct method_code m =
		read_code(BYTES(SUB_18, CMP_LIMIT, 0x0f, 0x86, 0x05, 0, 0, 0, 0x48, 0x83, 0xc4,
				0x18, RET, 0xe8, 0, 0x10, 0, 0, 0x90, INT3));

	assert_point(m.probe, 8, 0x18, 6);
	assert_true(m.emulated);
	assert_point(m.divert, 8, 0x18, 6);
	assert_int_equal(m.ntail_jumps, 0);
	assert_returns(&m, OFFSETS(18));
}

/* A short jump is emulated too, but leaves no instruction that a jump fits on. */
static void read_short_jump(void **state _unused_)
{
	struct method_code m = read_code(BYTES(SUB_18, CMP_LIMIT, JBE8_0, RET));

	assert_point(m.probe, 8, 0x18, 2);
	assert_true(m.emulated);
	assert_int_equal(m.divert.len, 0);
	assert_returns(&m, OFFSETS(10));
}

/* The first instruction is never diverted, though that of a large frame is long enough. */
static void read_large_frame(void **state _unused_)
{
	struct method_code m = read_code(BYTES(SUB_118, CMP_LIMIT, JBE32_0, RET));

	assert_point(m.probe, 11, 0x118, 6);
	assert_point(m.divert, 11, 0x118, 6);
	assert_returns(&m, OFFSETS(17));
}

/* As Oracle GraalVM begins methods: rsp is still the caller's at the jump. */
static void read_oracle_prologue(void **state _unused_)
{
	struct method_code m =
		read_code(BYTES(0x48, 0x8d, 0x5c, 0x24, 0xe8, 0x49, 0x3b, 0x5f, 0x08, 0x0f, 0x86, 0,
				0, 0x10, 0, 0x48, 0x8b, 0xe3, 0x48, 0x83, 0xc4, 0x18, 0x41, 0x83,
				0x6f, 0x18, 0x01, 0x0f, 0x8e, 0, 0, 0x10, 0, RET));

	assert_point(m.probe, 9, 0, 6);
	assert_true(m.emulated);
	assert_point(m.divert, 9, 0, 6);
	assert_int_equal(m.ntail_jumps, 2);
	assert_int_equal(m.tail_jumps[0], 9);
	assert_int_equal(m.tail_jumps[1], 27);
	assert_returns(&m, OFFSETS(33));
}

/* A push is emulated, and counts into the depth of what follows. */
static void read_push_prologue(void **state _unused_)
{
	struct method_code m = read_code(BYTES(0x55, 0x48, 0x89, 0xe5, RET)), n;

	assert_point(m.probe, 0, 0, 1);
	assert_true(m.emulated);
	method_code_fini(&m);
	m = read_code(BYTES(SUB_18, 0x41, 0x54, RET));
	assert_point(m.probe, 4, 0x18, 2);
	assert_true(m.emulated);
	method_code_fini(&m);
	n = read_code(BYTES(0x55, 0x41, 0x54, 0x48, 0x8d, 0x64, 0x24, 0xf8, SUB_18, NOP5, RET));
	assert_point(n.probe, 12, 0x30, 5);
	method_code_fini(&n);
}

/* A nop of five bytes is better than any other place; others are as good as each other. */
static void read_nop5_is_best(void **state _unused_)
{
	struct method_code m = read_code(BYTES(0x90, SUB_18, NOP5, CMP_LIMIT, JBE8_0, RET));

	assert_point(m.probe, 5, 0x18, 5);
	assert_true(m.emulated);
	method_code_fini(&m);
	m = read_code(BYTES(NOP5, NOP5, JBE8_0, RET));
	assert_point(m.probe, 0, 0, 5);
	method_code_fini(&m);
	m = read_code(BYTES(SUB_18, 0x66, 0x90, 0x90, JBE8_0, RET));
	assert_point(m.probe, 4, 0x18, 2);
	method_code_fini(&m);
}

/* Nops as the kernel writes them are emulated; others are single-stepped or refused there. */
static void read_nops_of_the_kernel(void **state _unused_)
{
	static const struct {
		uint8_t len, code[10];
		bool emulated;
	} nops[] = {
		{1, {0x90}, true},
		{2, {0x66, 0x90}, true},
		{3, {0x0f, 0x1f, 0x00}, true},
		{4, {0x0f, 0x1f, 0x40, 0x00}, true},
		{5, {0x0f, 0x1f, 0x44, 0x00, 0x00}, true},
		{6, {0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00}, true},
		{7, {0x0f, 0x1f, 0x80, 0, 0, 0, 0}, true},
		{8, {0x0f, 0x1f, 0x84, 0x00, 0, 0, 0, 0}, true},
		{9, {0x66, 0x0f, 0x1f, 0x84, 0x00, 0, 0, 0, 0}, false},
		{10, {0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0, 0, 0, 0}, false},
		{5, {0x0f, 0x1f, 0x44, 0x00, 0x01}, false},
		{4, {0x0f, 0x1f, 0x40, 0x01}, false},
		{4, {0xf3, 0x0f, 0x1e, 0xfa}, false},
		{2, {0xf3, 0x90}, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(nops); i++) {
		uint8_t code[16] = {SUB_18};
		struct method_code m;

		memcpy(code + 4, nops[i].code, nops[i].len);
		code[4 + nops[i].len] = RET;
		m = read_code(code, 4 + nops[i].len + 1);
		if (m.emulated != nops[i].emulated)
			fail_msg("nop %zu: %d", i, m.emulated);
		assert_int_equal(m.probe.off, m.emulated ? 4 : 0);
		method_code_fini(&m);
	}
}

/* A call with a relative target is emulated as well: what has no stack check may begin with one. */
static void read_call_is_emulated(void **state _unused_)
{
	struct method_code m = read_code(BYTES(SUB_18, 0xe8, 0, 0x10, 0, 0, 0x90, RET));

	assert_point(m.probe, 4, 0x18, 5);
	assert_true(m.emulated);
	assert_int_equal(m.divert.len, 0);
	method_code_fini(&m);
}

/* What overwrites an argument, the heap base or the thread ends the search; the start remains. */
static void read_arguments_are_kept(void **state _unused_)
{
	static const struct {
		uint8_t len, code[10];
	} writes[] = {
		{3, {0x48, 0x89, 0xc7}},		    /* mov %rax,%rdi */
		{2, {0x31, 0xf6}},			    /* xor %esi,%esi */
		{3, {0x8b, 0x50, 0x08}},		    /* mov 8(%rax),%edx */
		{3, {0x48, 0x89, 0xe1}},		    /* mov %rsp,%rcx */
		{10, {0x49, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8}}, /* movabs $x,%r8 */
		{2, {0xb1, 0x01}},			    /* mov $1,%cl */
		{2, {0xb6, 0x01}},			    /* mov $1,%dh */
		{4, {0x4d, 0x8d, 0x0c, 0x06}},		    /* lea (%r14,%rax),%r9 */
		{3, {0x4d, 0x89, 0xfe}},		    /* mov %r15,%r14 */
		{3, {0x4c, 0x8b, 0x38}},		    /* mov (%rax),%r15 */
		{3, {0x0f, 0x57, 0xc0}},		    /* xorps %xmm0,%xmm0 */
		{6, {0xf2, 0x0f, 0x10, 0x44, 0x24, 0x08}},  /* movsd 8(%rsp),%xmm0 */
		{5, {0x66, 0x49, 0x0f, 0x6e, 0xc7}},	    /* movq %r15,%xmm0 */
		{2, {0x48, 0x99}},			    /* cqo */
		{3, {0x48, 0xf7, 0xe8}},		    /* imul %rax */
		{2, {0x48, 0xa5}},			    /* movsq */
		{2, {0x87, 0xf8}},			    /* xchg %edi,%eax */
		{2, {0x0f, 0xa2}},			    /* cpuid */
		{1, {0x5f}},				    /* pop %rdi */
		{2, {0x8e, 0xd8}},			    /* mov %eax,%ds */
		{4, {0xf0, 0xff, 0x0c, 0x24}},		    /* lock decl (%rsp) */
		{2, {0x0f, 0x05}},			    /* syscall */
	};

	for (size_t i = 0; i < ARRAY_SIZE(writes); i++) {
		uint8_t code[17] = {SUB_18};
		struct method_code m;

		memcpy(code + 4, writes[i].code, writes[i].len);
		memcpy(code + 4 + writes[i].len, (uint8_t[]){JBE8_0, RET}, 3);
		m = read_code(code, 4 + writes[i].len + 3);
		if (m.emulated || m.probe.off || m.probe.len != 4)
			fail_msg("write %zu: probe at %u", i, m.probe.off);
		method_code_fini(&m);
	}
}

/* Registers behind the last that passes an argument are free; CE 19 compares its stack limit so. */
static void read_args_frees_registers(void **state _unused_)
{
	static const uint8_t code[] = {
		SUB_18, 0x48, 0x89, 0x7c, 0x24, 0x10,	 /* mov %rdi,0x10(%rsp) */
		0x49,	0x8b, 0x87, 0xa0, 0,	0,    0, /* mov 0xa0(%r15),%rax */
		0x48,	0x89, 0xe1, 0x48, 0x3b, 0xc8,	 /* mov %rsp,%rcx; cmp %rax,%rcx */
		JBE8_0, RET,
	};

	for (unsigned int nargs = 0; nargs <= 7; nargs++) {
		struct method_code m;

		assert_int_equal(
			method_code_read_args(decoder, ADDR, code, sizeof(code), nargs, &m), 0);
		assert_int_equal(m.emulated, nargs <= 3);
		assert_int_equal(m.probe.off, nargs <= 3 ? 22 : 0);
		method_code_fini(&m);
	}
}

/* The heap base and the thread are kept whatever the arguments are. */
static void read_args_keeps_heap_base(void **state _unused_)
{
	struct method_code m;

	for (uint8_t modrm = 0xc6; modrm <= 0xc7; modrm++) { /* mov %rax,%r14 or %r15 */
		assert_int_equal(method_code_read_args(decoder, ADDR,
						       BYTES(0x49, 0x89, modrm, JBE8_0, RET), 0,
						       &m),
				 0);
		assert_false(m.emulated);
		assert_int_equal(m.probe.off, 0);
		method_code_fini(&m);
	}
}

/* Other registers, comparisons and stores into the own frame do no harm. */
static void read_harmless_instructions(void **state _unused_)
{
	static const struct {
		uint8_t len, code[10];
	} good[] = {
		{5, {0x48, 0x89, 0x7c, 0x24, 0x10}},		 /* mov %rdi,0x10(%rsp) */
		{4, {0x89, 0x74, 0x24, 0x14}},			 /* mov %esi,0x14(%rsp) */
		{7, {0x89, 0x84, 0x24, 0x00, 0xc0, 0xfe, 0xff}}, /* mov %eax,-0x14000(%rsp) */
		{7, {0x49, 0x8b, 0x87, 0xa0, 0, 0, 0}},		 /* mov 0xa0(%r15),%rax */
		{10, {0x49, 0xba, 1, 2, 3, 4, 5, 6, 7, 8}},	 /* movabs $x,%r10 */
		{4, {0x4d, 0x8d, 0x14, 0x06}},			 /* lea (%r14,%rax),%r10 */
		{3, {0x48, 0x85, 0xff}},			 /* test %rdi,%rdi */
		{4, {0x48, 0x0f, 0xaf, 0xc7}},			 /* imul %rdi,%rax */
		{3, {0x48, 0x89, 0xe5}},			 /* mov %rsp,%rbp */
		{2, {0xb4, 0x01}},				 /* mov $1,%ah */
		{6, {0xf2, 0x0f, 0x11, 0x44, 0x24, 0x10}},	 /* movsd %xmm0,0x10(%rsp) */
		{6, {0xc5, 0xfa, 0x11, 0x44, 0x24, 0x14}},	 /* vmovss %xmm0,0x14(%rsp) */
		{1, {0x53}},					 /* push %rbx */
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		uint8_t code[24] = {SUB_18};
		struct method_code m;

		memcpy(code + 4, good[i].code, good[i].len);
		memcpy(code + 4 + good[i].len, (uint8_t[]){NOP5, RET}, 6);
		m = read_code(code, 4 + good[i].len + 6);
		if (!m.emulated || m.probe.off != 4u + good[i].len)
			fail_msg("%zu: probe at %u", i, m.probe.off);
		assert_int_equal(m.probe.depth, i == ARRAY_SIZE(good) - 1 ? 0x20 : 0x18);
		method_code_fini(&m);
	}
}

/* The return address and what lies above it, the heap, and any place that is not known, are not the
 * frame. */
static void read_stores_outside_the_frame(void **state _unused_)
{
	static const struct {
		uint8_t len, code[9];
	} stores[] = {
		{5, {0x48, 0x89, 0x7c, 0x24, 0x18}},	   /* mov %rdi,0x18(%rsp): return address */
		{5, {0x48, 0x89, 0x7c, 0x24, 0x11}},	   /* mov %rdi,0x11(%rsp): its first byte */
		{5, {0x48, 0x89, 0x7c, 0x24, 0x28}},	   /* mov %rdi,0x28(%rsp): an argument */
		{5, {0x48, 0x89, 0x7c, 0x04, 0x08}},	   /* mov %rdi,8(%rsp,%rax) */
		{3, {0x48, 0x89, 0x38}},		   /* mov %rdi,(%rax) */
		{4, {0x49, 0x89, 0x47, 0x10}},		   /* mov %rax,0x10(%r15) */
		{6, {0x64, 0x48, 0x89, 0x7c, 0x24, 0x08}}, /* mov %rdi,%fs:8(%rsp) */
		{7, {0x48, 0x89, 0x05, 0x00, 0x10, 0x00, 0x00}}, /* mov %rax,0x1000(%rip) */
		{6, {0xf2, 0x0f, 0x11, 0x44, 0x24, 0x18}},	 /* movsd %xmm0,0x18(%rsp) */
		{1, {0xa5}},					 /* movsl */
	};

	for (size_t i = 0; i < ARRAY_SIZE(stores); i++) {
		uint8_t code[24] = {SUB_18};
		struct method_code m;

		memcpy(code + 4, stores[i].code, stores[i].len);
		memcpy(code + 4 + stores[i].len, (uint8_t[]){NOP5, RET}, 6);
		m = read_code(code, 4 + stores[i].len + 6);
		if (m.emulated || m.probe.off)
			fail_msg("store %zu: probe at %u", i, m.probe.off);
		method_code_fini(&m);
	}
}

/* Where rsp is not known, or above its place at the start, nothing is offered. */
static void read_stack_pointer_is_known(void **state _unused_)
{
	static const struct {
		uint8_t len, code[8];
	} moves[] = {
		{3, {0x48, 0x89, 0xdc}},			 /* mov %rbx,%rsp */
		{4, {0x48, 0x83, 0xe4, 0xf0}},			 /* and $-16,%rsp */
		{4, {0x48, 0x83, 0xc4, 0x18}},			 /* add $0x18,%rsp */
		{3, {0x48, 0x29, 0xc4}},			 /* sub %rax,%rsp */
		{5, {0x48, 0x8d, 0x64, 0x24, 0x08}},		 /* lea 8(%rsp),%rsp */
		{5, {0x48, 0x8d, 0x64, 0x04, 0xf8}},		 /* lea -8(%rsp,%rax),%rsp */
		{3, {0x83, 0xec, 0x18}},			 /* sub $0x18,%esp */
		{7, {0x48, 0x81, 0xec, 0x00, 0x00, 0x00, 0x80}}, /* sub $-2 GiB,%rsp */
		{2, {0x66, 0x53}},				 /* push %bx */
		{2, {0xff, 0x37}},				 /* push (%rdi) */
		{1, {0xc9}},					 /* leave */
	};

	for (size_t i = 0; i < ARRAY_SIZE(moves); i++) {
		uint8_t code[16];
		struct method_code m;

		memcpy(code, moves[i].code, moves[i].len);
		memcpy(code + moves[i].len, (uint8_t[]){NOP5, RET}, 6);
		m = read_code(code, moves[i].len + 6);
		if (m.emulated || m.probe.off)
			fail_msg("move %zu: probe at %u", i, m.probe.off);
		method_code_fini(&m);
	}
}

/* The search goes no further than a prologue reaches. */
static void read_run_is_bounded(void **state _unused_)
{
	uint8_t code[3 * 40 + 3];
	struct method_code m;

	for (size_t i = 0; i < 40; i++)
		memcpy(code + 3 * i, (uint8_t[]){0x48, 0x89, 0xf8}, 3); /* mov %rdi,%rax */
	memcpy(code + 120, (uint8_t[]){JBE8_0, RET}, 3);
	m = read_code(code, sizeof(code));
	assert_point(m.probe, 0, 0, 3);
	assert_false(m.emulated);
	method_code_fini(&m);
	m = read_code(code + 120 - 3 * 15, sizeof(code) - 120 + 3 * 15);
	assert_point(m.probe, 45, 0, 2);
	method_code_fini(&m);
}

/* A loop at the very start is entered more often than the method. */
static void read_loop_to_the_start(void **state _unused_)
{
	struct method_code m = read_code(BYTES(0x48, 0xff, 0xc8, 0x75, 0xfb, RET));

	assert_int_equal(m.probe.len, 0);
	assert_int_equal(m.divert.len, 0);
	assert_false(m.emulated);
	assert_returns(&m, OFFSETS(5));
	m = read_code(BYTES(NOP5, 0x90, 0xeb, 0xf8));
	assert_int_equal(m.probe.len, 0);
	assert_int_equal(m.divert.len, 0);
	method_code_fini(&m);
}

/* Of a run that a jump leads into only what is before that place remains. */
static void read_jump_into_the_run(void **state _unused_)
{
	struct method_code m = read_code(BYTES(SUB_18, CMP_LIMIT, JBE8_0, 0x75, 0xf8, RET));

	assert_point(m.probe, 0, 0, 4); /* the loop is cmp, jbe, jne */
	assert_false(m.emulated);
	assert_returns(&m, OFFSETS(12));
	m = read_code(BYTES(0x55, SUB_18, CMP_LIMIT, JBE32_0, 0x75, 0xf4, RET));
	assert_point(m.probe, 0, 0, 1);
	assert_true(m.emulated);
	assert_int_equal(m.divert.len, 0);
	method_code_fini(&m);
}

/* Recursion is a call like any other. */
static void read_recursive_call(void **state _unused_)
{
	struct method_code m = read_code(
		BYTES(SUB_18, CMP_LIMIT, JBE8_0, 0xe8, 0xf1, 0xff, 0xff, 0xff, 0x90, RET));

	assert_point(m.probe, 8, 0x18, 2);
	assert_returns(&m, OFFSETS(16));
}

/* The five bytes of a jump must lie in one aligned word; which one depends on the address. */
static void read_unaligned_words(void **state _unused_)
{
	for (uint64_t at = 0; at < 16; at++) {
		struct method_code m = read_at(ADDR + at, BYTES(SUB_118, CMP_LIMIT, JBE32_0, RET));

		if ((at + 11) % 8 <= 3)
			assert_point(m.divert, 11, 0x118, 6);
		else
			assert_int_equal(m.divert.len, 0);
		method_code_fini(&m);
	}
}

/* What only works in its place is not moved: calls, and what is relative to rip. */
static void read_divert_refuses(void **state _unused_)
{
	static const struct {
		uint8_t len, code[9];
	} insns[] = {
		{5, {0xe8, 0x00, 0x10, 0x00, 0x00}},		 /* call */
		{7, {0x48, 0x8b, 0x05, 0x00, 0x10, 0x00, 0x00}}, /* mov 0x1000(%rip),%rax */
		{7, {0x48, 0x8d, 0x05, 0x00, 0x10, 0x00, 0x00}}, /* lea 0x1000(%rip),%rax */
		{7, {0x48, 0x3b, 0x25, 0x00, 0x10, 0x00, 0x00}}, /* cmp 0x1000(%rip),%rsp */
		{9, {0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0}}, /* mov %fs:0,%rax */
		{6, {0xff, 0x25, 0x00, 0x10, 0x00, 0x00}},	 /* jmp *0x1000(%rip) */
		{6, {0xc7, 0xf8, 0x00, 0x10, 0x00, 0x00}},	 /* xbegin */
		{7, {0xf2, 0x0f, 0x86, 0x00, 0x10, 0x00, 0x00}}, /* bnd jbe */
	};

	for (size_t i = 0; i < ARRAY_SIZE(insns); i++) {
		uint8_t code[12] = {NOP2};
		struct method_code m;

		memcpy(code + 2, insns[i].code, insns[i].len);
		code[2 + insns[i].len] = RET;
		m = read_at(0x1000, code, 2 + insns[i].len + 1);
		if (m.divert.len)
			fail_msg("%zu is diverted", i);
		method_code_fini(&m);
	}
}

/* --- moving ----------------------------------------------------------------------------------- */

/* The text of what method_code_move() writes for @code at AT: at most two instructions. */
static void moved_text(const uint8_t *code, size_t len, char text[2][80])
{
	struct method_code m = read_code(code, len);
	uint8_t out[METHOD_CODE_ROOM];
	size_t n, first = m.divert.len;

	n = method_code_move(&m, ADDR, code, AT, out, sizeof(out));
	assert_true(n >= first && n <= sizeof(out));
	insn_text(decoder, AT, out, n, text[0], sizeof(text[0]));
	text[1][0] = '\0';
	if (n > first)
		insn_text(decoder, AT + first, out + first, n - first, text[1], sizeof(text[1]));
	method_code_fini(&m);
}

/* A displaced instruction is the same elsewhere, and goes on behind its own place. */
static void move_plain_instruction(void **state _unused_)
{
	char text[2][80];

	moved_text(BYTES(NOP2, SUB_118, CMP_LIMIT, JBE8_0, RET), text);
	assert_string_equal(text[0], "sub rsp, 0x118");
	assert_string_equal(text[1], "jmp 0x644de9");
	moved_text(BYTES(NOP2, 0x48, 0x8d, 0x5c, 0x24, 0xe8, RET), text);
	assert_string_equal(text[0], "lea rbx, [rsp - 0x18]");
	assert_string_equal(text[1], "jmp 0x644de7");
	moved_text(BYTES(NOP2, 0x49, 0xba, 8, 7, 6, 5, 4, 3, 2, 1, RET), text);
	assert_string_equal(text[0], "movabs r10, 0x102030405060708");
	assert_string_equal(text[1], "jmp 0x644dec");
}

/* Jumps lead where they led. */
static void move_jumps(void **state _unused_)
{
	char text[2][80];

	moved_text(BYTES(SUB_18, CMP_LIMIT, 0x0f, 0x86, 0x01, 0, 0, 0, RET, INT3), text);
	assert_string_equal(text[0], "jbe 0x644def");
	assert_string_equal(text[1], "jmp 0x644dee");
	moved_text(BYTES(NOP2, 0x0f, 0x84, 0x00, 0x00, 0xff, 0xff, RET), text);
	assert_string_equal(text[0], "je 0x634de8");
	assert_string_equal(text[1], "jmp 0x644de8");
	moved_text(BYTES(NOP2, 0xe9, 0x00, 0x10, 0, 0), text);
	assert_string_equal(text[0], "jmp 0x645de7");
	assert_string_equal(text[1], "");
}

/* What cannot be reached from there, or has no room, is not written. */
static void move_refuses(void **state _unused_)
{
	static const uint8_t code[] = {SUB_18, CMP_LIMIT, 0x0f, 0x86, 0x01, 0, 0, 0, RET, INT3};
	struct method_code m = read_code(code, sizeof(code)), none = {.nreturns = 0};
	uint8_t out[METHOD_CODE_ROOM];

	assert_int_equal(
		method_code_move(&m, ADDR, code, ADDR + (1ULL << 31) - 16, out, sizeof(out)), 11);
	assert_int_equal(
		method_code_move(&m, ADDR, code, ADDR + (1ULL << 31) + 64, out, sizeof(out)), 0);
	assert_int_equal(
		method_code_move(&m, ADDR, code, ADDR - (1ULL << 31) - 64, out, sizeof(out)), 0);
	assert_int_equal(method_code_move(&m, ADDR, code, AT, out, sizeof(out) - 1), 0);
	assert_int_equal(method_code_move(&none, ADDR, code, AT, out, sizeof(out)), 0);
	method_code_fini(&m);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_usual_prologue),
		cmocka_unit_test(read_short_jump),
		cmocka_unit_test(read_large_frame),
		cmocka_unit_test(read_oracle_prologue),
		cmocka_unit_test(read_push_prologue),
		cmocka_unit_test(read_nop5_is_best),
		cmocka_unit_test(read_nops_of_the_kernel),
		cmocka_unit_test(read_call_is_emulated),
		cmocka_unit_test(read_arguments_are_kept),
		cmocka_unit_test(read_args_frees_registers),
		cmocka_unit_test(read_args_keeps_heap_base),
		cmocka_unit_test(read_harmless_instructions),
		cmocka_unit_test(read_stores_outside_the_frame),
		cmocka_unit_test(read_stack_pointer_is_known),
		cmocka_unit_test(read_run_is_bounded),
		cmocka_unit_test(read_loop_to_the_start),
		cmocka_unit_test(read_jump_into_the_run),
		cmocka_unit_test(read_recursive_call),
		cmocka_unit_test(read_unaligned_words),
		cmocka_unit_test(read_divert_refuses),
		cmocka_unit_test(move_plain_instruction),
		cmocka_unit_test(move_jumps),
		cmocka_unit_test(move_refuses),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
