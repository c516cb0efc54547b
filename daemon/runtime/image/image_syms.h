/* SPDX-License-Identifier: MIT */
/*
 * image_syms.h - what a native image's symbols add to its map: methods where its tables gave none,
 * else the symbol of each method that has one. Only image_map.c needs it.
 */
#ifndef HP_IMAGE_SYMS_H
#define HP_IMAGE_SYMS_H

#include "symmap/elfsyms.h"
#include "runtime/image/image_map.h"
#include "runtime/image/image_pool.h"

/** image_syms_add() - Return: 0; -ENOMEM; -EOPNOTSUPP too much text. */
int image_syms_add(struct elfsyms *syms, struct image_pool *pool, struct image_map *m);

#endif
