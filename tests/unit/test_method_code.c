// SPDX-License-Identifier: MIT
/*
 * Where a compiled method of a native image returns, what its switches are, and what becomes of
 * bytes that are no such method.
 */
#include "lib/method_bytes.h"

/* --- returns ---------------------------------------------------------------------------------- */

/* Exception handlers are reached by no jump: what stands behind calls and jumps is code all the
 * same. */
static void read_return_in_a_handler(void **state _unused_)
{
	struct method_code m =
		read_code(BYTES(SUB_18, 0xe8, 0, 0x10, 0, 0, 0x90, RET, 0x48, 0x83, 0xc4, 0x18, RET,
				0xc2, 0x08, 0x00, 0xf3, RET, INT3, INT3));

	assert_returns(&m, OFFSETS(10, 15, 16, 19));
}

/* Bytes within instructions are no returns. */
static void read_no_return_in_operands(void **state _unused_)
{
	struct method_code m =
		read_code(BYTES(0x48, 0x83, 0xec, 0xc3 - 0x80, 0xb8, RET, RET, RET, RET, 0x0f, 0x1f,
				0x84, 0xc3, RET, RET, RET, RET, 0xeb, 0x00, INT3));

	assert_true(m.complete);
	assert_int_equal(m.nreturns, 0);
	assert_null(m.returns);
	method_code_fini(&m);
}

/* A call that never returns may be the last instruction, with its nop; another one may not. */
static void read_end_of_the_method(void **state _unused_)
{
	static const struct {
		uint8_t len, code[6];
		bool complete;
	} ends[] = {
		{5, {0xe8, 0, 0x10, 0, 0}, true},	/* call */
		{6, {0xe8, 0, 0x10, 0, 0, 0x90}, true}, /* call; nop */
		{3, {0xff, 0xd0, 0x90}, true},		/* call *%rax; nop */
		{2, {0x0f, 0x0b}, true},		/* ud2 */
		{1, {0xf4}, true},			/* hlt */
		{1, {INT3}, true},
		{5, {0xe9, 0, 0x10, 0, 0}, true}, /* jmp */
		{3, {0x48, 0x89, 0xf8}, false},	  /* mov */
		{1, {0x90}, false},
		{6, {0x0f, 0x86, 0, 0x10, 0, 0}, false}, /* jbe */
		{4, {0xe8, 0, 0x10, 0}, false},		 /* half a call */
	};

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		uint8_t code[10] = {SUB_18};
		struct method_code m;

		memcpy(code + 4, ends[i].code, ends[i].len);
		m = read_code(code, 4 + ends[i].len);
		if (m.complete != ends[i].complete)
			fail_msg("end %zu: %d", i, m.complete);
		method_code_fini(&m);
	}
}

/* Where decoding ends, the returns before that place are told, and that there may be others. */
static void read_undecodable(void **state _unused_)
{
	struct method_code m = read_code(BYTES(SUB_18, CMP_LIMIT, JBE8_0, RET, 0x06, RET));

	assert_false(m.complete);
	assert_int_equal(m.nreturns, 1);
	assert_int_equal(m.returns[0], 10);
	assert_point(m.probe, 0, 0, 4); /* no loop leads to what lowers rsp */
	method_code_fini(&m);
	m = read_code(BYTES(CMP_LIMIT, JBE8_0, RET, 0x06, RET));
	assert_int_equal(m.probe.len, 0);
	assert_int_equal(m.divert.len, 0);
	method_code_fini(&m);
}

/* No code and no instruction are an error, and nothing is written. */
static void read_nothing(void **state _unused_)
{
	static const uint8_t bad[] = {0x06, RET};
	struct method_code m = {.nreturns = 77};

	assert_int_equal(method_code_read(decoder, ADDR, bad, 0, &m), -EPROTO);
	assert_int_equal(method_code_read(decoder, ADDR, bad, sizeof(bad), &m), -EPROTO);
	assert_int_equal(method_code_read(decoder, ADDR, (const uint8_t[]){SUB_18}, 3, &m),
			 -EPROTO);
	assert_int_equal(m.nreturns, 77);
}

/* Jumps that lead out are told; a loop within is none, whatever its form. */
static void read_tail_jumps(void **state _unused_)
{
	struct method_code m = read_code(BYTES(SUB_18, 0x74, 0x70, 0xe9, 0, 0x10, 0, 0, 0xff, 0x60,
					       0x28, 0xeb, 0xfe, 0x48, 0x89, 0xd4, 0xff, 0xe1));

	assert_true(m.complete);
	assert_int_equal(m.ntail_jumps, 4);
	assert_int_equal(m.tail_jumps[0], 4);
	assert_int_equal(m.tail_jumps[1], 6);
	assert_int_equal(m.tail_jumps[2], 11);
	assert_int_equal(m.tail_jumps[3], 19);
	method_code_fini(&m);
	assert_null(m.tail_jumps);
}

/* A return is seen at the conditional jump out right before it, unless a way leads around that. */
static void read_exits(void **state _unused_)
{
	static const struct {
		uint8_t len, code[16];
		uint32_t ret, exit;
		size_t unseen;
	} exits[] = {
		{12, {0x41, 0x83, 0x6f, 0x18, 1, 0x0f, 0x8e, 0, 0, 0x10, 0, RET}, 11, 5, 0},
		{4, {0xc9, 0x7e, 0x7f, RET}, 3, 1, 0},
		{3, {0x7e, 0x7f, RET}, 2, 0, 0},			 /* the probe too */
		{6, {0xc9, 0x74, 0x02, 0x7e, 0x7f, RET}, 5, 5, 1},	 /* je to the ret */
		{6, {0xc9, 0x74, 0x00, 0x7e, 0x7f, RET}, 5, 3, 0},	 /* je to the jle */
		{4, {0xc9, 0x7e, 0x00, RET}, 3, 3, 0},			 /* jle to the ret itself */
		{4, {0xc9, 0xeb, 0x7f, RET}, 3, 3, 1},			 /* jmp out; ret */
		{7, {0xc9, 0xe9, 0, 0, 0x10, 0, RET}, 6, 6, 1},		 /* the same */
		{8, {0xc9, 0x0f, 0x8e, 0, 0, 0x10, 0x90, RET}, 7, 1, 0}, /* the 90 is the jle's */
		{5, {0xc9, 0x7e, 0x7f, 0x90, RET}, 4, 4, 1},		 /* jle; nop; ret */
	};

	for (size_t i = 0; i < ARRAY_SIZE(exits); i++) {
		struct method_code m = read_code(exits[i].code, exits[i].len);

		if (!m.complete || m.nreturns != 1 || m.returns[0] != exits[i].ret ||
		    m.exits[0] != exits[i].exit || m.nunseen != exits[i].unseen)
			fail_msg("exit %zu: %u, %zu unseen", i, m.exits ? m.exits[0] : 0,
				 m.nunseen);
		method_code_fini(&m);
	}
}

/* Of a method that is not understood nothing is concluded: a way around may be where nobody looked.
 */
static void read_exits_of_the_unknown(void **state _unused_)
{
	struct method_code m = read_code(BYTES(SUB_18, 0x7e, 0x7f, RET, 0x06));

	assert_false(m.complete);
	assert_int_equal(m.nreturns, 1);
	assert_int_equal(m.exits[0], 6);
	assert_int_equal(m.nunseen, 1);
	method_code_fini(&m);
}

/* What contradicts that all of it is code, decoded right, is not believed. */
static void read_contradictions(void **state _unused_)
{
	static const struct {
		uint8_t len, code[16];
	} codes[] = {
		{6, {0xb8, 0x90, 0x90, 0x90, RET, RET}},	      /* decodes... */
		{7, {0xb8, 0x90, 0x90, 0x90, RET, 0xeb, 0xfa}},	      /* jmp into the mov */
		{8, {0x48, 0x8b, 0x05, 0x00, 0x00, 0x00, 0x00, RET}}, /* mov of the code behind */
		{9,
		 {0x48, 0x8d, 0x05, 0x01, 0x00, 0x00, 0x00, 0x90,
		  RET}},				  /* lea of what no call precedes */
		{3, {0xff, 0xe0, RET}},			  /* jmp *%rax */
		{4, {0xff, 0x24, 0xc7, RET}},		  /* jmp *(%rdi,%rax,8) */
		{4, {0x66, 0xff, 0xe0, RET}},		  /* jmp *%ax */
		{6, {0x66, 0xe9, 0x00, 0x00, 0x90, RET}}, /* jmp rel16, or rel32 */
		{5, {0x67, 0xe3, 0x00, 0x90, RET}},	  /* jecxz */
		{2, {0xcb, RET}},			  /* lret */
		{6, {0xe8, 0x01, 0x00, 0x00, 0x00, RET}}, /* call behind the end... */
		{8, {0xe8, 0x01, 0x00, 0x00, 0x00, 0xb0, RET, RET}}, /* call into the mov */
	};

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		struct method_code m = read_code(codes[i].code, codes[i].len);
		bool good = i == 0 || i == 10;

		if (m.complete != good)
			fail_msg("code %zu: %d", i, m.complete);
		method_code_fini(&m);
	}
}

/* --- switches --------------------------------------------------------------------------------- */

/* A dense switch; its table, of returns as it were, is at @table. */
struct dense {
	uint8_t code[64];
	size_t len, table;
};

static void put_i32(uint8_t *p, int32_t v)
{
	memcpy(p, &v, sizeof(v));
}

static struct dense dense_inline(void)
{
	struct dense d = {.code = {0x83, 0xf8, 0x02,		    /* cmp $2,%eax */
				   0x77, 0x22,			    /* ja 39 */
				   0x48, 0x8d, 0x3d, 12,   0, 0, 0, /* lea 24(%rip),%rdi */
				   0x48, 0x63, 0x34, 0x87,	    /* movslq (%rdi,%rax,4),%rsi */
				   0x48, 0x01, 0xf7,		    /* add %rsi,%rdi */
				   0xff, 0xe7,			    /* jmp *%rdi */
				   0x0f, 0x1f, 0x00},
			  .len = 40,
			  .table = 24};

	for (int i = 0; i < 3; i++)
		put_i32(d.code + d.table + 4 * i, 12 + i);
	memset(d.code + 36, RET, 4);
	return d;
}

/* The table behind the jump is stepped over, and where it leads is known. */
static void switch_dense_inline(void **state _unused_)
{
	struct dense d = dense_inline();
	struct method_code m = read_code(d.code, d.len);

	assert_returns(&m, OFFSETS(36, 37, 38, 39));
	put_i32(d.code + d.table + 8, -24); /* the last case begins anew */
	m = read_code(d.code, d.len);
	assert_true(m.complete);
	assert_int_equal(m.probe.len, 0);
	method_code_fini(&m);
}

/* A table at the method's end, where later compilers put it, even right behind a call. */
static void switch_dense_at_the_end(void **state _unused_)
{
	struct dense d = dense_inline();
	struct method_code m;

	put_i32(d.code + 8, 28 - 12);
	d.code[4] = 22 - 5;
	d.code[21] = d.code[22] = RET;
	memcpy(d.code + 23, (uint8_t[]){0xe8, 0, 0x10, 0, 0}, 5);
	put_i32(d.code + 28, -7);
	put_i32(d.code + 32, -6);
	put_i32(d.code + 36, -5);
	m = read_code(d.code, d.len);
	assert_returns(&m, OFFSETS(21, 22));
	d.code[27] = 0xc0; /* xor instead of the call: runs on into the table */
	memcpy(d.code + 23, (uint8_t[]){0x90, 0x90, 0x90, 0x31}, 4);
	m = read_code(d.code, d.len);
	assert_false(m.complete);
	method_code_fini(&m);
}

/* Nothing is taken for a table whose bound, place or targets are in doubt. */
static void switch_dense_in_doubt(void **state _unused_)
{
	static const struct {
		uint8_t off, len, code[4];
	} changes[] = {
		{2, 1, {0x03}},		    /* cmp $3: a fourth entry would be code, and lead out */
		{2, 1, {0xff}},		    /* cmp $-1 */
		{3, 1, {0x76}},		    /* jbe */
		{1, 1, {0xf9}},		    /* cmp %ecx */
		{0, 3, {0x83, 0xe0, 0x02}}, /* and */
		{8, 4, {0x00, 0x10, 0, 0}}, /* table beyond the method */
		{8, 4, {0x00, 0x00, 0, 0}}, /* table over the code */
		{15, 1, {0xc7}},	    /* movslq (%rdi,%rax,8) */
		{14, 1, {0x3c}},	    /* movslq into %rdi */
		{15, 1, {0x86}},	    /* movslq (%rsi,%rax,4) */
		{18, 1, {0xfe}},	    /* add %rdi,%rsi */
		{20, 1, {0xe6}},	    /* jmp *%rsi */
		{24, 4, {17, 0, 0, 0}},	    /* a target behind the end */
		{24, 4, {0xe7, 0xff, 0xff, 0xff}}, /* before the start */
		{24, 4, {0xfe, 0xff, 0xff, 0xff}}, /* amid the nop */
		{24, 4, {0x00, 0x00, 0x00, 0x00}}, /* in the table */
		{24, 4, {0xed, 0xff, 0xff, 0xff}}, /* the lea, past the bound */
	};

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		struct dense d = dense_inline();
		struct method_code m;

		memcpy(d.code + changes[i].off, changes[i].code, changes[i].len);
		m = read_code(d.code, d.len);
		if (m.complete)
			fail_msg("change %zu is believed", i);
		for (size_t k = 0; k < m.nreturns; k++)
			assert_int_equal(d.code[m.returns[k]], RET);
		method_code_fini(&m);
	}
}

static const uint8_t hashed[] = {
	0x89, 0xc1,			  /* mov %eax,%ecx */
	0x83, 0xe1, 0x03,		  /* and $3,%ecx */
	0x48, 0x8d, 0x15, 28,	0,  0, 0, /* lea 40(%rip),%rdx */
	0x48, 0x8b, 0x1c, 0xca,		  /* mov (%rdx,%rcx,8),%rbx */
	0x39, 0xc3,			  /* cmp %eax,%ebx */
	0x0f, 0x85, 49,	  0,	0,  0,	  /* jne 73 */
	0x48, 0xc1, 0xfb, 0x20,		  /* sar $32,%rbx */
	0x48, 0x01, 0xda,		  /* add %rbx,%rdx */
	0xff, 0xe2,			  /* jmp *%rdx */
	0x0f, 0x1f, 0x80, 0,	0,  0, 0, 0xc3, 0xc3, 0xc3, 0xc3, 32,	0,  0, 0, /* key, target */
	0xc3, 0xc3, 0xc3, 0xc3, 33, 0, 0, 0,	0xc3, 0xc3, 0xc3, 0xc3, 32, 0, 0, 0,
	0xc3, 0xc3, 0xc3, 0xc3, 33, 0, 0, 0,	0xc3, 0xc3,
};

/* Keys of a hashed switch are no code, however they look. */
static void switch_hashed(void **state _unused_)
{
	struct method_code m = read_code(hashed, sizeof(hashed));

	assert_returns(&m, OFFSETS(72, 73));
}

/* A hash that is not the and's, or no power of two, bounds nothing. */
static void switch_hashed_in_doubt(void **state _unused_)
{
	static const struct {
		uint8_t off, len, code[4];
	} changes[] = {
		{4, 1, {0x05}},			   /* and $5 */
		{4, 1, {0xff}},			   /* and $-1 */
		{3, 1, {0xe0}},			   /* and %eax: the mov is the index */
		{3, 1, {0xc9}},			   /* or */
		{4, 1, {0x0f}},			   /* and $15 */
		{16, 2, {0x39, 0xd8}},		   /* cmp %ebx,%eax: the same */
		{16, 2, {0x39, 0xc8}},		   /* cmp %ecx,%eax */
		{19, 1, {0x84}},		   /* je */
		{27, 1, {0x1f}},		   /* sar $31 */
		{15, 1, {0xcb}},		   /* mov (%rbx,%rcx,8) */
		{44, 4, {0xff, 0xff, 0xff, 0x7f}}, /* a target far out */
	};

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		uint8_t code[sizeof(hashed)];
		struct method_code m;

		memcpy(code, hashed, sizeof(hashed));
		memcpy(code + changes[i].off, changes[i].code, changes[i].len);
		m = read_code(code, sizeof(code));
		if (m.complete != (i == 5))
			fail_msg("change %zu: %d", i, m.complete);
		method_code_fini(&m);
	}
}

/* --- hostile bytes ---------------------------------------------------------------------------- */

static void check_point(const struct entry_point *p, const uint8_t *code, size_t len,
			unsigned int seed)
{
	char text[80];

	if (!p->len)
		return;
	if (p->len > INSN_LEN_MAX || p->off + p->len > len || p->depth > INT32_MAX)
		fail_msg("seed %u: %u+%u of %zu", seed, p->off, p->len, len);
	insn_text(decoder, ADDR + p->off, code + p->off, p->len, text, sizeof(text));
	assert_string_not_equal(text, "(no code)");
}

/* Any bytes, or such as are near what is understood. Return: how many. */
static size_t random_code(uint8_t code[static 96], int round)
{
	struct dense d = dense_inline();
	size_t len = 1 + rand() % 96;

	for (size_t k = 0; k < len; k++)
		code[k] = rand();
	if (round % 2)
		return len;
	len = round % 4 ? d.len : sizeof(hashed);
	memcpy(code, round % 4 ? d.code : hashed, len);
	for (int k = rand() % 4; k > 0; k--)
		code[rand() % len] = rand();
	return len;
}

/* Whatever the bytes are, all that is told lies in the method, in order. */
static void read_random_bytes(void **state _unused_)
{
	const unsigned int seed = 20261121;
	size_t complete = 0;

	srand(seed);
	for (int i = 0; i < 20000; i++) {
		uint8_t code[96], out[METHOD_CODE_ROOM];
		size_t len = random_code(code, i), n;
		struct method_code m;

		if (method_code_read(decoder, ADDR, code, len, &m))
			continue;
		complete += m.complete;
		check_point(&m.probe, code, len, seed);
		check_point(&m.divert, code, len, seed);
		assert_false(m.emulated && !m.probe.len);
		for (size_t k = 0; k < m.nreturns; k++)
			assert_true(m.returns[k] < len && m.exits[k] <= m.returns[k] &&
				    (!k || m.returns[k - 1] < m.returns[k]));
		assert_true(m.nunseen <= m.ntail_jumps);
		n = method_code_move(&m, ADDR, code, AT, out, sizeof(out));
		assert_true(!n || (m.divert.len && n >= m.divert.len && n <= sizeof(out)));
		method_code_fini(&m);
	}
	assert_true(complete > 100);
}

/* Addresses at both ends of the address space wrap without harm. */
static void read_extreme_addresses(void **state _unused_)
{
	static const uint64_t addrs[] = {0,	     1,		 UINT64_MAX - 63,
					 UINT64_MAX, 1ULL << 63, (1ULL << 47) - 32};

	for (size_t i = 0; i < ARRAY_SIZE(addrs); i++) {
		struct dense d = dense_inline();
		struct method_code m = read_at(addrs[i], d.code, d.len);

		assert_returns(&m, OFFSETS(36, 37, 38, 39));
	}
}

/* Of code longer than the bound only so much is read, and that is told. */
static void read_bounded_length(void **state _unused_)
{
	size_t len = METHOD_CODE_MAX + 16;
	_cleanup_free_ uint8_t *code = malloc(len);
	struct method_code m;

	memset(code, INT3, len);
	memcpy(code, (uint8_t[]){SUB_18, RET}, 5);
	code[len - 1] = RET;
	assert_int_equal(method_code_read(decoder, ADDR, code, len, &m), 0);
	assert_false(m.complete);
	assert_int_equal(m.nreturns, 1);
	method_code_fini(&m);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_return_in_a_handler),
		cmocka_unit_test(read_no_return_in_operands),
		cmocka_unit_test(read_end_of_the_method),
		cmocka_unit_test(read_undecodable),
		cmocka_unit_test(read_nothing),
		cmocka_unit_test(read_tail_jumps),
		cmocka_unit_test(read_exits),
		cmocka_unit_test(read_exits_of_the_unknown),
		cmocka_unit_test(read_contradictions),
		cmocka_unit_test(switch_dense_inline),
		cmocka_unit_test(switch_dense_at_the_end),
		cmocka_unit_test(switch_dense_in_doubt),
		cmocka_unit_test(switch_hashed),
		cmocka_unit_test(switch_hashed_in_doubt),
		cmocka_unit_test(read_random_bytes),
		cmocka_unit_test(read_extreme_addresses),
		cmocka_unit_test(read_bounded_length),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
