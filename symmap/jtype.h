/* SPDX-License-Identifier: MIT */
/*
 * jtype.h - Java method descriptors: "(ILjava/lang/String;[J)V" to types and back to source form.
 *
 * Source of the grammar: Java Virtual Machine Specification, section 4.3.
 */
#ifndef HP_JTYPE_H
#define HP_JTYPE_H

#include <stddef.h>
#include <stdint.h>

/* JVMS 4.3.3: at most 255 parameter words, "this" among them. */
#define JTYPE_PARAMS_MAX 255

/* One parameter or result, as a piece of the descriptor it was parsed from. */
struct jtype {
	char tag;     /* one of BCDFIJSZ, 'L' (class), '[' (array), 'V' (result only) */
	uint16_t off; /* its first byte in the descriptor */
	uint16_t len; /* bytes, "L" and ";" included */
};

struct jsignature {
	const char *desc; /* the caller's string; must outlive this */
	uint8_t nparams;
	struct jtype ret;
	struct jtype params[JTYPE_PARAMS_MAX];
};

/**
 * jsignature_parse() - take a descriptor apart.
 * @desc: NUL-terminated, hostile: bounded by 65535 bytes (JVMS 4.4.7), nothing else is assumed.
 * Return: 0; -EPROTO if it is no method descriptor.
 */
int jsignature_parse(const char *desc, struct jsignature *ret);

/**
 * jtype_name() - source form of one type: "int", "java.lang.String", "int[][]".
 * Return: bytes it takes without the NUL; when that is >= @size the text was cut.
 */
size_t jtype_name(const struct jsignature *sig, const struct jtype *type, char *buf, size_t size);

/**
 * jtype_of_class_name() - source form of what Class.getName() gives: "java.lang.String[]" for
 * "[Ljava.lang.String;", "int[]" for "[I"; any other name is what it is. Same return.
 */
size_t jtype_of_class_name(const char *name, char *buf, size_t size);

/**
 * jsignature_name() - "com.shop.Cart.add(int, java.lang.String)"; same return as jtype_name().
 */
size_t jsignature_name(const struct jsignature *sig, const char *klass, const char *name, char *buf,
		       size_t size);

#endif
