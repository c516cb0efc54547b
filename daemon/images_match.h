/* SPDX-License-Identifier: MIT */
/*
 * images_match.h - which methods of a native image a PATTERN means. How much of it can be checked
 * depends on where the image's names come from.
 */
#ifndef HP_IMAGES_MATCH_H
#define HP_IMAGES_MATCH_H

#include "target/image_map.h"

struct image_pattern;

/**
 * image_pattern_new() - "CLASS.NAME", with * and ** as in a SPEC, optionally "(TYPES)" and, directly
 * behind, the type of the result.
 * Return: 0; -EINVAL parentheses that do not pair, or over IMAGE_NAME_MAX; -ENOMEM.
 */
int image_pattern_new(const char *text, struct image_pattern **ret);
void image_pattern_free(struct image_pattern *p);

/* How well a method fits: by its name alone, or by its signature too. */
enum image_fit { FIT_NOT, FIT_NAME, FIT_SIGNATURE };

/**
 * image_pattern_fit() - FIT_NOT too where the signature is known and is another one. A pattern
 * without parentheses never gives FIT_SIGNATURE.
 */
enum image_fit image_pattern_fit(const struct image_pattern *p, const struct image_map *map,
				 const struct image_method *m);

#endif
