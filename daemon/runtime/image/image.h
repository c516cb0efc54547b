/* SPDX-License-Identifier: MIT */
/*
 * image.h - is a file a GraalVM native image, and what kind of one?
 *
 * The file may belong to anybody and change while it is read: see symmap/elffile.h.
 */
#ifndef HP_IMAGE_H
#define HP_IMAGE_H

#include "runtime/image/image_map.h"

struct image_about {
	bool is_image;
	uint16_t machine; /* EM_* */
	bool pie;
	bool is_static; /* no dynamic linker is needed */
	bool has_symtab;
	const char *packer; /* "UPX": what is inside cannot be seen; NULL */
	char version[128];  /* "GraalVM CE 25.0.2+10.1"; "" when it does not say */
	char java[64];	    /* "25.0.2"; "" */
	char libc[64];	    /* "musl", "glibc", or as the image says it; "" */
};

/**
 * image_look() - what the file @fd is.
 * Return: 0, with @ret->is_image false for any other ELF file; -EPROTO no ELF file, or a damaged
 * one; -EOPNOTSUPP an ELF file, but not of 64 bits; -ENOMEM.
 */
int image_look(int fd, struct image_about *ret);

/**
 * image_recognise() - is @fd a native image? Reads its headers and at most EXPORTS_MAX symbols, and
 * remembers the answer for as long as the file stays as it is.
 */
bool image_recognise(int fd);

/** image_machine() - "x86-64", "aarch64" or "another machine". */
const char *image_machine(uint16_t machine);

/** image_unprobeable() - why methods of it cannot be probed here; NULL when nothing is against it.
 */
const char *image_unprobeable(const struct image_about *a);

#endif
