/* SPDX-License-Identifier: MIT */
/*
 * image_code.h - what the tables of ImageCodeInfo say: where each method begins, and its name.
 *
 * The tables' form changes between versions and carries no version number. What is believed is what
 * fits exactly: the entries end with the last byte of their array, the index leads to them one by
 * one, every method is named by entries that exist, and all frames of one method agree. Anything
 * else is an unknown form, which is said, and no name is told.
 */
#ifndef HP_IMAGE_CODE_H
#define HP_IMAGE_CODE_H

#include "runtime/image/image_info.h"

#define CODE_NO_NAME UINT32_MAX

struct code_start {
	uint32_t ip;	      /* relative to code_start */
	uint32_t klass, name; /* indices in Class[] and String[], or CODE_NO_NAME both */
	bool c_entry;	      /* called from C, by C's convention (JDK 21+ says so) */
};

/**
 * image_code_read() - every method start, ascending.
 * @ret: malloc'd.
 * Return: 0; -EOPNOTSUPP the tables have a form we do not know; -ENOMEM.
 * Source: oracle/graal, CodeInfoEncoder.java, CodeInfoDecoder.java, FrameInfoEncoder.java and
 * FrameInfoDecoder.java beside ImageCodeInfo.java; docs/images.md has the layouts.
 */
int image_code_read(const struct image_info *from, struct code_start **ret, size_t *n_ret);

#endif
