// SPDX-License-Identifier: MIT
/*
 * Fuzz target (libFuzzer): the code of a compiled method. Whatever the bytes are, all that is told
 * lies in the method, in order, and what can be diverted can be moved.
 */
#include "arch/method_code.h"
#include "base/util.h"

#define ADDR 0x400000ULL

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(bool promise)
{
	if (!promise)
		abort();
}

static void check_point(const struct entry_point *p, size_t len)
{
	if (p->len)
		check(p->len <= INSN_LEN_MAX && p->off + p->len <= len && p->depth <= INT32_MAX);
}

static void check_offsets(const uint32_t *offs, size_t n, size_t len)
{
	for (size_t i = 0; i < n; i++)
		check(offs[i] < len && (!i || offs[i - 1] < offs[i]));
}

/* The first byte is where in a word the method begins, and how many arguments it has. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct insn_decoder *d;
	uint8_t out[METHOD_CODE_ROOM];
	struct method_code m;
	uint64_t addr;
	size_t n;

	if (!d)
		d = insn_decoder_new();
	check(d != NULL);
	if (!len)
		return 0;
	addr = ADDR + data[0] % 16;
	if (method_code_read_args(d, addr, data + 1, len - 1, data[0] >> 4, &m))
		return 0;
	check_point(&m.probe, len - 1);
	check_point(&m.divert, len - 1);
	check(m.probe.len || !m.emulated);
	check_offsets(m.returns, m.nreturns, len - 1);
	check_offsets(m.exits, m.nreturns, len - 1);
	check_offsets(m.tail_jumps, m.ntail_jumps, len - 1);
	check(m.nunseen <= m.ntail_jumps);
	if (m.divert.len) {
		check((addr + m.divert.off) % 8 + INSN_JUMP_LEN <= 8);
		n = method_code_move(&m, addr, data + 1, ADDR + 0x1000000, out, sizeof(out));
		check(!n || (n >= m.divert.len && n <= sizeof(out))); /* 0: a jump to far away */
	}
	method_code_fini(&m);
	return 0;
}
