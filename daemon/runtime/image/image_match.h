/* SPDX-License-Identifier: MIT */
/*
 * image_match.h - which methods of a native image a PATTERN or SPEC means. How much of it can be
 * checked depends on where the image's names come from.
 *
 *   SPEC := [ "static" ] CLASS '.' METHOD [ '(' PARAMS ')' [ RESULT ] ] [ '@' ENTRY ]
 *
 * as in probe/spec.h, and more: an image does not say which methods are static, so the SPEC does,
 * as the method's source does; RESULT is part of what names a method in some images; ENTRY, an
 * address as `methods -x` shows it, picks one of several that share a name.
 */
#ifndef HP_IMAGES_MATCH_H
#define HP_IMAGES_MATCH_H

#include "runtime/image/image_map.h"

struct image_pattern;

/**
 * image_pattern_new() - take one apart.
 * Return: 0; -EINVAL parentheses that do not pair, no address behind '@', or over IMAGE_NAME_MAX;
 * -ENOMEM.
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

/**
 * image_pattern_best() - how well the method of @map fits that fits best. Where one fits by its
 * signature, those that only share its name are not meant.
 */
enum image_fit image_pattern_best(const struct image_pattern *p, const struct image_map *map);

/** image_pattern_picks_one() - was an entry address given? */
bool image_pattern_picks_one(const struct image_pattern *p);

/** image_pattern_is_static() - does it say so? */
bool image_pattern_is_static(const struct image_pattern *p);

/**
 * image_pattern_descriptor() - the parameters it gives, as a descriptor; the result is V if none
 * was given. Return: 0; -ENOENT it gives none; -EINVAL they are no types, or over @size.
 */
int image_pattern_descriptor(const struct image_pattern *p, char *buf, size_t size);

#endif
