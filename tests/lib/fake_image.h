/* SPDX-License-Identifier: MIT */
/*
 * fake_image.h - small native images made to order: an ELF file whose .svm_heap holds the objects
 * that daemon/runtime/image looks for, in the layouts of several GraalVM versions.
 */
#ifndef HP_FAKE_IMAGE_H
#define HP_FAKE_IMAGE_H

#include "lib/fake_elf.h"

enum fake_image_kind {
	FAKE_CE_25,	 /* 8-byte references, method table */
	FAKE_CE_25_LAZY, /* the same with a byte behind deoptimization entries */
	FAKE_ORACLE_23,	 /* 4-byte references, method table */
	FAKE_ORACLE_21,	 /* 4-byte references, class and name in the frame */
	FAKE_CE_22,	 /* names at call sites only, shared frames */
	FAKE_CE_20,	 /* names at call sites only, plain frames */
	FAKE_IMAGE_KINDS,
	FAKE_CE_19 = FAKE_IMAGE_KINDS, /* from here on texts are char[], and tables are not read */
	FAKE_RC,		       /* objects in .rodata, at addresses that are theirs */
	FAKE_HEAP_KINDS,
};

#define FAKE_IMAGE_CODE	   0x401000 /* virtual address of the code */
#define FAKE_IMAGE_STEP	   32	    /* bytes per method */
#define FAKE_IMAGE_METHODS 20
#define FAKE_IMAGE_CLASSES 5
#define FAKE_IMAGE_HEAP	   16384
#define FAKE_IMAGE_VADDR   0x800000 /* virtual address of the heap */

/* What a test may change before the file is made; all of it lies in the heap. */
struct fake_image {
	enum fake_image_kind kind;
	uint8_t heap[FAKE_IMAGE_HEAP];
	size_t len;
	/* Objects' places: of the references of ImageCodeInfo, and data of its arrays. */
	size_t info, index, encodings, frames, methods, classes, names;
	size_t encodings_len, frames_len, encodings_array;
	uint32_t frame_of[FAKE_IMAGE_METHODS]; /* where its frame begins */
	size_t entry_of[FAKE_IMAGE_METHODS];   /* where its first entry begins */
	size_t string_hub, text_hub, bytes_hub;
	size_t anchor;	  /* the String "image code" */
	size_t class_hub; /* of pkg.Class0 */
	uint64_t base;	  /* where the heap's first byte lies, from what references count from */
};

/** fake_image_make() - method i is "pkg.Class<i % FAKE_IMAGE_CLASSES>.method<i>", at i * STEP. */
void fake_image_make(struct fake_image *f, enum fake_image_kind kind);

/** fake_image_string() - add a String of @n units of UTF-16. Return: where it is. */
size_t fake_image_string(struct fake_image *f, const uint16_t *text, uint32_t n);

/** fake_image_fd() - the file. The caller closes it. */
int fake_image_fd(const struct fake_image *f);

#endif
