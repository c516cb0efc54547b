// SPDX-License-Identifier: MIT
/*
 * symbol.c - texts of HotSpot's Symbols.
 *
 * A Symbol is {hash and reference count, u2 length, bytes}. The bytes are modified UTF-8 (JVMS
 * 4.4.7): a character beyond U+FFFF is written as its two surrogates, three bytes each. The world
 * outside wants UTF-8, so such a pair becomes one sequence of four bytes here, and nowhere else.
 *
 * Source: OpenJDK src/hotspot/share/oops/symbol.hpp, the same in 17, 21 and 25.
 */
#include "runtime/hotspot/symbol.h"

/* "ED Ax xx" is a high surrogate, "ED Bx xx" a low one. */
static bool surrogate_at(const uint8_t *p, uint8_t high_nibble)
{
	return p[0] == 0xed && (p[1] & 0xf0) == high_nibble && (p[2] & 0xc0) == 0x80;
}

static uint32_t surrogate_bits(const uint8_t *p)
{
	return (uint32_t)(p[1] & 0xf) << 6 | (p[2] & 0x3f);
}

static void utf8_put4(uint8_t *p, uint32_t c)
{
	p[0] = (uint8_t)(0xf0 | c >> 18);
	p[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
	p[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	p[3] = (uint8_t)(0x80 | (c & 0x3f));
}

int symbol_check(char *text, size_t len)
{
	uint8_t *p = (uint8_t *)text;
	size_t out = 0;

	if (len == 0 || memchr(text, 0, len))
		return -EPROTO;
	for (size_t in = 0; in < len;) {
		if (len - in >= 6 && surrogate_at(p + in, 0xa0) && surrogate_at(p + in + 3, 0xb0)) {
			uint32_t high = surrogate_bits(p + in), low = surrogate_bits(p + in + 3);
			utf8_put4(p + out, 0x10000 + (high << 10 | low));
			in += 6;
			out += 4;
		} else {
			p[out++] = p[in++];
		}
	}
	return (int)out;
}

int symbol_read(struct mem *m, const struct layout *l, uint64_t addr, char *buf)
{
	uint64_t len;
	int err = field_read(m, addr, l->code->symbol_length, &len);

	if (err)
		return err;
	if (len == 0 || len > SYMBOL_MAX)
		return -EPROTO;
	err = mem_read(m, addr + l->code->symbol_body.off, buf, len);
	if (err)
		return err;
	int n = symbol_check(buf, len);
	if (n >= 0)
		buf[n] = 0;
	return n;
}

int symbol_equal(struct mem *m, const struct layout *l, uint64_t addr, const char *text)
{
	char body[256];
	uint64_t len;
	int err = field_read(m, addr, l->code->symbol_length, &len);

	if (err)
		return err;
	if (len != strlen(text) || len > sizeof(body))
		return 0;
	err = mem_read(m, addr + l->code->symbol_body.off, body, len);
	return err ? err : memcmp(body, text, len) == 0;
}
