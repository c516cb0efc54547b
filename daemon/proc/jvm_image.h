/* SPDX-License-Identifier: MIT */
/*
 * jvm_image.h - is a file a GraalVM native image?
 *
 * The file may belong to anybody and change while it is read: see symmap/elffile.h.
 */
#ifndef HP_JVM_IMAGE_H
#define HP_JVM_IMAGE_H

#include "symmap/elffile.h"

/**
 * jvm_image_recognise() - is @fd a native image? Reads its headers and at most EXPORTS_MAX symbols,
 * and remembers the answer for as long as the file stays as it is.
 */
bool jvm_image_recognise(int fd);

/** jvm_image_has_marks() - has @f what every image since 19.0 has: a section or exports? */
bool jvm_image_has_marks(const struct elffile *f);

#endif
