/* SPDX-License-Identifier: MIT */
/*
 * image_info.h - the object ImageCodeInfo of a native image: the tables by which the image itself
 * walks its stacks, from code addresses to methods. Names in a stack trace come from them, so they
 * are there in stripped images too. See docs/images.md.
 */
#ifndef HP_IMAGE_INFO_H
#define HP_IMAGE_INFO_H

#include "runtime/image/image_heap.h"

struct span {
	const uint8_t *p; /* in the heap's copy */
	uint32_t len;
};

struct image_info {
	struct span index, encodings, frames;
	struct span methods; /* JDK 23+: class and name of each method id; len 0: there is none */
	uint64_t classes, names; /* first element of a Class[] and a String[] */
	uint32_t nclasses, nnames;
	uint64_t code_start; /* virtual address of relative address 0 */
	uint64_t code_size;
	uint64_t *work; /* bytes of frames that may still be read; see image_code_read() */
};

/**
 * image_info_find() - find it.
 * @exported: value of symbol __svm_code_section, 0 if there is none.
 * Return: 0; -EOPNOTSUPP there is not exactly one object that looks like it.
 * Source: oracle/graal substratevm/src/com.oracle.svm.core/src/com/oracle/svm/core/code/
 * ImageCodeInfo.java, the order of its fields measured (docs/images.md).
 */
int image_info_find(const struct elffile *f, const struct image_heap *h, uint64_t exported,
		    struct image_info *ret);

#endif
