/* SPDX-License-Identifier: MIT */
/*
 * images.h - requests about the file of a GraalVM native image: nothing is run or changed.
 */
#ifndef HP_IMAGES_H
#define HP_IMAGES_H

#include "proto/conn.h"
#include "proto/proto.h"
#include "target/image.h"

/** images_check() - what kind of image @path is, and whether it can be probed. */
enum status images_check(struct conn *conn, const char *path);

/** images_methods() - one line per method of @path that matches @pattern (NULL: all). */
enum status images_methods(struct conn *conn, const char *path, const char *pattern);

/** images_of() - what kind of image process @pid runs. Return: false when it cannot be read. */
bool images_of(pid_t pid, struct image_about *ret);

#endif
