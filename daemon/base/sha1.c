// SPDX-License-Identifier: MIT
/* sha1.c - SHA-1. See sha1.h. */
#include "base/sha1.h"
#include "base/util.h"

#define BLOCK 64

static uint32_t rotate(uint32_t v, int n)
{
	return v << n | v >> (32 - n);
}

static void add_block(uint32_t h[static 5], const uint8_t *p)
{
	uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];

	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 |
		       (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
	for (int i = 16; i < 80; i++)
		w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	for (int i = 0; i < 80; i++) {
		uint32_t f, k, t;

		if (i < 20)
			f = (b & c) | (~b & d), k = 0x5a827999;
		else if (i < 40)
			f = b ^ c ^ d, k = 0x6ed9eba1;
		else if (i < 60)
			f = (b & c) | (b & d) | (c & d), k = 0x8f1bbcdc;
		else
			f = b ^ c ^ d, k = 0xca62c1d6;
		t = rotate(a, 5) + f + e + k + w[i];
		e = d;
		d = c;
		c = rotate(b, 30);
		b = a;
		a = t;
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
	h[4] += e;
}

void sha1(const void *data, size_t len, uint8_t ret[static SHA1_SIZE])
{
	uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
	uint8_t tail[2 * BLOCK] = {0};
	const uint8_t *p = data;
	size_t rest = len % BLOCK, total = rest + 9 <= BLOCK ? BLOCK : 2 * BLOCK;
	uint64_t bits = (uint64_t)len * 8;

	for (size_t i = 0; i + BLOCK <= len; i += BLOCK)
		add_block(h, p + i);
	if (rest)
		memcpy(tail, p + len - rest, rest);
	tail[rest] = 0x80;
	for (int i = 0; i < 8; i++)
		tail[total - 1 - i] = (uint8_t)(bits >> (8 * i));
	for (size_t i = 0; i < total; i += BLOCK)
		add_block(h, tail + i);
	for (int i = 0; i < SHA1_SIZE; i++)
		ret[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}

void sha1_hex(const void *data, size_t len, char ret[static SHA1_HEX])
{
	uint8_t digest[SHA1_SIZE];

	sha1(data, len, digest);
	for (int i = 0; i < SHA1_SIZE; i++)
		snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}
