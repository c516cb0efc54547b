/* SPDX-License-Identifier: MIT */
/*
 * images.h - short requests about a GraalVM native image: its file, or a process that runs it.
 */
#ifndef HP_IMAGES_H
#define HP_IMAGES_H

#include "probe/spec.h"
#include "output/encoder.h"
#include "proto/conn.h"
#include "proto/proto.h"
#include "runtime/image/image.h"

/** images_check() - what kind of image @path is, and whether it can be probed. */
enum status images_check(struct encoder *e, const char *path);

/** images_methods() - one line per method of @path that @spec means (NULL: all). */
enum status images_methods(struct conn *conn, struct encoder *e, const char *path,
			   const struct spec *spec);

/** images_clean() - as report_clean(), of a process that runs a native image. */
enum status images_clean(struct encoder *e, pid_t pid);

#endif
