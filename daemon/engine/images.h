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

/**
 * images_open() - open the file of an image, or any 64-bit program; prints one error line when it
 * fails. Return: STATUS_OK with *@fd_ret open; STATUS_FAILED; STATUS_UNSUPPORTED.
 */
enum status images_open(const char *path, int *fd_ret, struct image_about *a);

/** images_no_names() - why image_map_read() failed with @err, for a person. */
const char *images_no_names(int err);

/** images_of() - what kind of image process @pid runs. Return: false when it cannot be read. */
bool images_of(pid_t pid, struct image_about *ret);

/**
 * images_exe() - does @pid run a native image? Then @exe is a path to it.
 */
#define IMAGES_EXE_MAX 32
bool images_exe(pid_t pid, char exe[static IMAGES_EXE_MAX]);

/** images_clean() - as report_clean(), of a process that runs a native image. */
enum status images_clean(struct encoder *e, pid_t pid);

#endif
