// SPDX-License-Identifier: MIT
/* image_pool.c - the texts of a map under construction. */
#include "runtime/image/image_pool.h"

/* 60 000 methods have 6 MB of names. */
#define TEXT_MAX (128u << 20)

int image_pool_add(struct image_pool *p, const char *s, uint32_t *ret)
{
	size_t len = strlen(s) + 1;

	if (len == 1) {
		*ret = 0;
		return 0;
	}
	if (len > TEXT_MAX - p->len)
		return -EOPNOTSUPP;
	if (p->len + len > p->cap) {
		uint32_t cap = MAX(p->cap, 65536u);
		char *text;

		while (cap < p->len + len)
			cap *= 2;
		text = realloc(p->text, cap);
		if (!text)
			return -ENOMEM;
		p->text = text;
		p->cap = cap;
	}
	if (!p->len) /* the first byte is "" */
		p->text[p->len++] = '\0';
	if (len > p->cap - p->len)
		return image_pool_add(p, s, ret);
	memcpy(p->text + p->len, s, len);
	*ret = p->len;
	p->len += (uint32_t)len;
	return 0;
}
