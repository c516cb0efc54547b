/* SPDX-License-Identifier: MIT */
/*
 * image_frame.h - frames in the tables of ImageCodeInfo: which method an instruction belongs to.
 */
#ifndef HP_IMAGE_FRAME_H
#define HP_IMAGE_FRAME_H

#include "runtime/image/image_info.h"

/* Forms of a list of frames. */
enum frame_form {
	FRAME_PLAIN,   /* 20.2, 21.0: one after the other, ended by -1 */
	FRAME_SHARED,  /* 22.x, JDK 21 and 22: those that repeat are kept once, by class and name */
	FRAME_METHODS, /* JDK 23+: the same by method id */
};

struct frame {
	uint32_t klass, name; /* indices; checked */
	uint32_t method;      /* FRAME_METHODS: the id */
};

/* How a method id becomes class and name; @row is 0 without such a table. */
struct method_table {
	const uint8_t *p;
	uint32_t n;
	uint8_t row, klass_size, name_size;
};

/**
 * image_methods_open() - measure the method table of JDK 23+.
 * @max_id: the highest id that is used. A row has class and name, or those, signature and
 * modifiers: the longer one is taken if @max_id is in the table with it. Return: 0; -EOPNOTSUPP
 * when no row length fits.
 */
int image_methods_open(const struct image_info *info, uint32_t max_id, struct method_table *ret);

/** image_methods_get() - class and name of an id. Return: 0; -EPROTO. */
int image_methods_get(const struct image_info *info, const struct method_table *t, uint32_t id,
		      struct frame *ret);

/**
 * image_frame_default() - the one frame kept for a method's start (JDK 21+). With FRAME_METHODS
 * only its id is set. Return: 0; -EPROTO it is not one such frame.
 */
int image_frame_default(const struct image_info *info, enum frame_form form, uint32_t at,
			struct frame *ret);

/**
 * image_frame_outermost() - the last frame of the list at @at: into what others are inlined. For
 * FRAME_PLAIN and FRAME_SHARED.
 * Return: 0; -EPROTO.
 */
int image_frame_outermost(const struct image_info *info, enum frame_form form, uint32_t at,
			  struct frame *ret);

#endif
