// SPDX-License-Identifier: MIT
/* utf8.c - code points from UTF-8 and UTF-16. See utf8.h. */
#include "base/utf8.h"

size_t utf8_decode(const uint8_t *s, size_t len, uint32_t *ret)
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
	if (c < least[n] || c > 0x10ffff || utf8_is_surrogate(c))
		return 0;
	*ret = c;
	return n;
}

static uint32_t unit_at(const uint8_t *s)
{
	return s[0] | (uint32_t)s[1] << 8;
}

size_t utf8_from_utf16(const uint8_t *s, size_t len, uint32_t *ret)
{
	uint32_t unit = unit_at(s), low;

	*ret = unit;
	if ((unit & 0xfc00) != 0xd800 || len < 4)
		return 2;
	low = unit_at(s + 2);
	if ((low & 0xfc00) != 0xdc00)
		return 2;
	*ret = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
	return 4;
}
