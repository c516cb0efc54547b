/* SPDX-License-Identifier: MIT */
/*
 * image_heap.h - the initial heap of a GraalVM native image, read from its file.
 *
 * Section .svm_heap, before 19.0 .rodata, holds Java objects as the image will see them at its
 * start. How objects are laid out differs between versions, so it is learned from one object that
 * every image has: the String "image code" (ImageCodeInfo.CODE_INFO_NAME), whose hash code is
 * computed at build time. Objects of the running image are laid out the same, and their classes are
 * here. See docs/images.md.
 *
 * An object is named by its offset in the section, HEAP_NONE standing for null and for anything
 * that is no reference. The file is hostile: every read is bounded by the section, and is of our
 * copy, or, once that is dropped, of a file that may have been cut or changed since.
 */
#ifndef HP_IMAGE_HEAP_H
#define HP_IMAGE_HEAP_H

#include "symmap/elffile.h"

#define HEAP_NONE UINT64_MAX

struct heap_layout {
	uint8_t ref_size;     /* of a reference, and of the word that says an object's class */
	uint8_t ref_shift;    /* a reference counts in units of so many bits */
	int8_t hub_of_hash;   /* the class word of a String, from its hash */
	int8_t value_of_hash; /* its text, from its hash */
	int8_t coder_of_hash; /* its coder, from its hash; -1: none, its text is char[] */
	uint8_t length;	      /* of an array, from its start */
	uint8_t data;	      /* its first element */
};

struct image_heap {
	uint8_t *bytes; /* NULL once it is dropped */
	int fd;		/* then of the file, and ours */
	uint64_t size;
	uint64_t offset; /* of the section in the file */
	uint64_t vaddr;	 /* of the section */
	const struct heap_layout *layout;
	uint64_t base; /* where the section lies in the heap: what references count from is 0 */
	bool absolute; /* references count from address 0, and base is vaddr */
	uint64_t string_hub;
	uint64_t text_hub;  /* of a String's text, byte[] or char[] */
	uint64_t bytes_hub; /* of byte[]; HEAP_NONE where texts are char[]: it was not needed */
	uint64_t name;	    /* where a class has its name */
};

/* What a probe must know to look into objects of a running image; all in bytes. */
struct image_objects {
	uint8_t ref_size, ref_shift; /* of a reference in a field; 8-byte ones are signed */
	uint8_t klass_size;	     /* of the class word, at offset 0 of an object */
	uint64_t klass_mask;	     /* bits of it that say the class; the others are flags */
	uint64_t string_klass_word;  /* class word & klass_mask of a java.lang.String */
	uint32_t string_value, string_coder; /* string_coder UINT32_MAX: text is char[], UTF-16 */
	uint32_t array_length, array_data;
	bool absolute; /* references are addresses; else they count from the heap base */
};

/**
 * image_heap_open() - read the heap of @f and learn its layout.
 * Return: 0; -ENOENT there is none; -EOPNOTSUPP its layout is none we know, or it is larger than
 * HEAP_MAX; -EPROTO the file is cut; -ENOMEM.
 */
int image_heap_open(const struct elffile *f, struct image_heap *ret);
void image_heap_close(struct image_heap *h); /* accepts NULL, and a zeroed one */
#define _cleanup_image_heap_ _cleanup_(image_heap_close)

/**
 * image_heap_drop_copy() - free the copy of the section; reads are of the file from now on.
 * @f: what @h was opened from; its fd is duplicated, and may be closed.
 *
 * For who keeps a heap to ask it now and then: the copy has up to 200 MB, and a read of the file
 * costs a few system calls. What the file has no longer reads as 0, HEAP_NONE or -EPROTO.
 *
 * Return: 0; -errno, and the copy stays.
 */
int image_heap_drop_copy(struct image_heap *h, const struct elffile *f);

/** image_heap_objects() - how objects of the running image are laid out. */
void image_heap_objects(const struct image_heap *h, struct image_objects *ret);

/** image_heap_word() - @size bytes (at most 8) at @pos, zero-extended. 0 outside. */
uint64_t image_heap_word(const struct image_heap *h, uint64_t pos, uint8_t size);

/** image_heap_ref() - the object that the reference at @pos leads to, or HEAP_NONE. */
uint64_t image_heap_ref(const struct image_heap *h, uint64_t pos);

/** image_heap_hub() - the class of the object at @obj, itself an object; HEAP_NONE. */
uint64_t image_heap_hub(const struct image_heap *h, uint64_t obj);

/**
 * image_heap_array() - is there an array of class @hub at @obj, and wholly inside?
 * @elem: bytes of an element. @len: its length. Return: offset of its first element; HEAP_NONE.
 */
uint64_t image_heap_array(const struct image_heap *h, uint64_t obj, uint64_t hub, uint8_t elem,
			  uint32_t *len);

/**
 * image_heap_string() - text of the String at @obj, as UTF-8 with a NUL.
 * Return: its bytes without the NUL; -EPROTO no String, or it does not fit @size.
 */
int image_heap_string(const struct image_heap *h, uint64_t obj, char *buf, size_t size);

/** image_heap_class() - name of the class (a DynamicHub) at @hub. Return: as image_heap_string().
 */
int image_heap_class(const struct image_heap *h, uint64_t hub, char *buf, size_t size);

/**
 * image_heap_class_of_word() - name of the class that a class word stands for.
 * @word: of an object in the heap of the running image, with its flags or without.
 * Return: as image_heap_string().
 */
int image_heap_class_of_word(const struct image_heap *h, uint64_t word, char *buf, size_t size);

#endif
