/* SPDX-License-Identifier: MIT */
/* method_bytes.h - what the tests of daemon/arch/x86_64/method_code.c share: bytes in, what they
 * are taken for out. */
#ifndef HP_TEST_METHOD_BYTES_H
#define HP_TEST_METHOD_BYTES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/method_code.h"
#include "base/util.h"

#define ADDR 0x644de0ULL
#define AT   (ADDR + 0x10000000)

#define SUB_18	  0x48, 0x83, 0xec, 0x18		   /* sub $0x18,%rsp */
#define SUB_118	  0x48, 0x81, 0xec, 0x18, 0x01, 0x00, 0x00 /* sub $0x118,%rsp */
#define CMP_LIMIT 0x49, 0x3b, 0x67, 0x08		   /* cmp 8(%r15),%rsp */
#define JBE8_0	  0x76, 0x00
#define JBE32_0	  0x0f, 0x86, 0x00, 0x00, 0x00, 0x00
#define RET	  0xc3
#define INT3	  0xcc
#define NOP2	  0x66, 0x90
#define NOP5	  0x0f, 0x1f, 0x44, 0x00, 0x00

static struct insn_decoder *decoder;

static inline int setup(void **state _unused_)
{
	decoder = insn_decoder_new();
	return decoder ? 0 : -1;
}

static inline int teardown(void **state _unused_)
{
	insn_decoder_free(decoder);
	return 0;
}

/* The compiler of these bytes is gcc's array of a compound literal: no length to count by hand. */
#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

/* A copy of exactly @len bytes, so that a sanitizer sees what is read behind them. */
static inline struct method_code read_at(uint64_t addr, const uint8_t *code, size_t len)
{
	_cleanup_free_ uint8_t *copy = malloc(len);
	struct method_code m;

	memcpy(copy, code, len);
	assert_int_equal(method_code_read(decoder, addr, copy, len, &m), 0);
	return m;
}

static inline struct method_code read_code(const uint8_t *code, size_t len)
{
	return read_at(ADDR, code, len);
}

static inline void assert_point(struct entry_point p, uint32_t off, uint32_t depth, uint8_t len)
{
	if (p.off != off || p.depth != depth || p.len != len)
		fail_msg("%u+%u at depth %u, not %u+%u at %u", p.off, p.len, p.depth, off, len,
			 depth);
}

static inline void assert_returns(struct method_code *m, const uint32_t *want, size_t n)
{
	assert_true(m->complete);
	assert_int_equal(m->nreturns, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(m->returns[i], want[i]);
	method_code_fini(m);
}

#define OFFSETS(...) (const uint32_t[]){__VA_ARGS__}, ARRAY_SIZE(((const uint32_t[]){__VA_ARGS__}))

#endif
