/* SPDX-License-Identifier: MIT */
/*
 * image_match.h - which methods of a native image a SPEC means, and what it says of their
 * parameters. How much of it can be checked depends on where the image's names come from:
 *
 *   class is a simple name      the SPEC's package is not held against it
 *   no descriptor               any parameters fit, but see below
 *   symbol with a SHA-1         which is that of the signature: a parameter list picks one overload
 *
 * Nothing says which methods are static, so the SPEC's word is taken for it. An address is one in
 * the file, as `methods -x` shows it.
 */
#ifndef HP_IMAGE_MATCH_H
#define HP_IMAGE_MATCH_H

#include "probe/spec.h"
#include "runtime/image/image_map.h"

struct image_match;

/**
 * image_match_new() - hold @spec against the methods of @map; both outlive it.
 *
 * Where a class's full name is needed (a SHA-1, a descriptor made from the SPEC) it is one that the
 * map knows and that spec_match_class() says is meant: java.lang's first, then one of the package
 * of the SPEC's own class, then any other. One that the map does not know is tried in these
 * packages and in java.util, and otherwise stays as written.
 * Return: 0; -ENOMEM.
 */
int image_match_new(const struct spec *spec, const struct image_map *map, struct image_match **ret);
void image_match_free(struct image_match *p);

/* How well a method fits: by its name alone, or by its signature too. */
enum image_fit { FIT_NOT, FIT_NAME, FIT_SIGNATURE };

/**
 * image_match_fit() - FIT_NOT too where the signature is known and is another one. A SPEC without
 * parameter list, or with (..), never gives FIT_SIGNATURE.
 */
enum image_fit image_match_fit(const struct image_match *p, const struct image_method *m);

/**
 * image_match_best() - how well the method of the map fits that fits best. Where one fits by its
 * signature, those that only share its name are not meant.
 */
enum image_fit image_match_best(const struct image_match *p);

/**
 * image_match_descriptor() - what the SPEC says of @m's parameters, as a descriptor; the result is
 * V if none was given. Return: 0; -ENOENT it gives no parameters; -EINVAL over @size, or of classes
 * that are none by their names.
 */
int image_match_descriptor(const struct image_match *p, const struct image_method *m, char *buf,
			   size_t size);

#endif
