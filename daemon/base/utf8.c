// SPDX-License-Identifier: MIT
/* utf8.c - code points from UTF-8 and UTF-16. See utf8.h. */
#include "base/utf8.h"

/* One sequence, of which any value but an overlong one will do. */
static size_t decode_any(const uint8_t *s, size_t len, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc0 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if (!n || n > len || s[0] > 0xf4)
		return 0;

	uint32_t c = n == 1 ? s[0] : s[0] & (0x7fu >> n);

	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c > 0x10ffff || (c < least[n] && !(c == 0 && n == 2)))
		return 0;
	*ret = c;
	return n;
}

size_t utf8_decode(const uint8_t *s, size_t len, uint32_t *ret)
{
	uint32_t low;
	size_t n = decode_any(s, len, ret);

	if (n != 3 || !utf8_is_high(*ret) || len < UTF8_PAIR_LEN ||
	    decode_any(s + 3, len - 3, &low) != 3 || !utf8_is_low(low))
		return n;
	*ret = utf8_join(*ret, low);
	return UTF8_PAIR_LEN;
}

static uint32_t unit_at(const uint8_t *s)
{
	return s[0] | (uint32_t)s[1] << 8;
}

size_t utf8_from_utf16(const uint8_t *s, size_t len, uint32_t *ret)
{
	*ret = unit_at(s);
	if (!utf8_is_high(*ret) || len < 4 || !utf8_is_low(unit_at(s + 2)))
		return 2;
	*ret = utf8_join(*ret, unit_at(s + 2));
	return 4;
}

size_t utf8_cut_long(const char *s, size_t max)
{
	while (max && ((uint8_t)s[max] & 0xc0) == 0x80)
		max--;
	return max;
}

size_t utf8_cut_utf16(const uint8_t *s, size_t max)
{
	max &= ~(size_t)1;
	return max && utf8_is_high(unit_at(s + max - 2)) ? max - 2 : max;
}

void utf8_mark_cut(char *buf, size_t size)
{
	static const char mark[] = "...";

	if (size > sizeof(mark))
		strcpy(buf + utf8_cut_long(buf, size - sizeof(mark)), mark);
}
