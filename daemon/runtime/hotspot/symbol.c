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
#include "base/utf8.h"
#include "runtime/hotspot/symbol.h"

int symbol_check(char *text, size_t len)
{
	const uint8_t *in = (const uint8_t *)text, *end = in + len;
	char *out = text;

	if (len == 0 || memchr(text, 0, len))
		return -EPROTO;
	while (in < end) {
		uint32_t c;

		if (utf8_decode(in, (size_t)(end - in), &c) == UTF8_PAIR_LEN) {
			out = utf8_put(out, c);
			in += UTF8_PAIR_LEN;
		} else {
			*out++ = (char)*in++;
		}
	}
	return (int)(out - text);
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
