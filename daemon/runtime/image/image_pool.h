/* SPDX-License-Identifier: MIT */
/* image_pool.h - the texts of a map under construction, one after the other. */
#ifndef HP_IMAGE_POOL_H
#define HP_IMAGE_POOL_H

#include "base/util.h"

/* Zero-initialised is empty; @text is malloc'd and becomes the map's. */
struct image_pool {
	char *text;
	uint32_t len, cap; /* bytes */
};

/**
 * image_pool_add() - append @s; "" is always at 0.
 * @ret: where in @p->text it is.
 * Return: 0; -ENOMEM; -EOPNOTSUPP when all texts together are over TEXT_MAX.
 */
int image_pool_add(struct image_pool *p, const char *s, uint32_t *ret);

#endif
