/* SPDX-License-Identifier: MIT */
/*
 * image_file.h - from a path or a process to the file of a native image.
 */
#ifndef HP_IMAGE_FILE_H
#define HP_IMAGE_FILE_H

#include <sys/types.h>

#include "base/fail.h"
#include "proto/request.h"
#include "runtime/image/image.h"

/**
 * image_file_open() - open the file of an image, or any 64-bit program, and look at it.
 * @fd_ret: the caller's to close.
 * Return: 0; -ENOENT; -EPERM; -EOPNOTSUPP it is no such file.
 */
int image_file_open(const char *path, int *fd_ret, struct image_about *a, struct fail *f);

/** image_file_of() - what kind of image process @pid runs. Return: false when it cannot be read. */
bool image_file_of(pid_t pid, struct image_about *ret);

/** image_file_exe() - does @pid run a native image? */
bool image_file_exe(pid_t pid);

/** image_file_path() - the file that @t is about: given, or what its process runs (in @exe). */
#define IMAGE_EXE_MAX 32
const char *image_file_path(const struct target_request *t, char exe[static IMAGE_EXE_MAX]);

/** image_file_no_names() - why image_map_read() failed with @err, for a person. */
const char *image_file_no_names(int err);

#endif
