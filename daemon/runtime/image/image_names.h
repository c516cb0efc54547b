/* SPDX-License-Identifier: MIT */
/*
 * image_names.h - names of native-image symbols, as far as they are Java methods'.
 *
 *   up to early 2019   com.shop.Cart.add(int,java.lang.String)void
 *   19.0 to JDK 21     Cart_add_<40 hexadecimal digits>: SHA-1 of class, name and signature
 *   JDK 23+            Cart_add_<22 digits and letters>
 *
 * Source: oracle/graal substratevm/src/com.oracle.svm.core/src/com/oracle/svm/core/
 * SubstrateUtil.java (uniqueShortName) and UniqueShortNameProviderDefaultImpl.java.
 */
#ifndef HP_IMAGE_NAMES_H
#define HP_IMAGE_NAMES_H

#include "base/util.h"

/* The longest symbol seen has 175 bytes; with its signature a name may take more. */
#define IMAGE_NAME_MAX 2048

/* One with a digest: 175 bytes were seen. */
#define IMAGE_SHORT_MAX 512

enum image_symbol_kind { SYMBOL_OTHER, SYMBOL_FULL, SYMBOL_SHA1, SYMBOL_BASE62 };

struct image_symbol {
	enum image_symbol_kind kind;
	const char *klass; /* where it begins in the symbol */
	size_t klass_len;
	const char *name;
	size_t name_len;
	const char *params; /* SYMBOL_FULL: what is between the parentheses */
	size_t params_len;
	const char *ret;    /* SYMBOL_FULL: what is behind them; up to the NUL */
	const char *digest; /* the others; up to the NUL */
};

/**
 * image_symbol_parse() - take a symbol apart.
 *
 * Where class or method have '_' in their names the symbol alone does not say where one ends; the
 * class is then taken to end at the first. image_symbol_next() gives the next possibility.
 * Return: its kind, also in @ret->kind.
 */
enum image_symbol_kind image_symbol_parse(const char *symbol, struct image_symbol *ret);

/** image_symbol_next() - move the end of the class to the next '_'. Return: false: no further one.
 */
bool image_symbol_next(struct image_symbol *s);

/** image_method_name() - the Java name: "constructor" in such a symbol is <init>. */
void image_method_name(const struct image_symbol *s, char *buf, size_t size);

/**
 * image_descriptor() - "(I[Ljava/lang/String;)V" from "int,java.lang.String[]" and "void"; blanks
 * are skipped. Return: 0; -EINVAL no types, or over @size.
 */
int image_descriptor(const char *params, size_t params_len, const char *ret, char *buf,
		     size_t size);

/**
 * image_digest() - what the symbol of a method ends in (19.0 to JDK 21), from its Java signature.
 * @klass: with its package. @params, @ret: in source form, as image_descriptor() takes them.
 * Return: 0; -EINVAL.
 */
int image_digest(const char *klass, const char *name, const char *params, size_t params_len,
		 const char *ret, char digest[static 41]);

#endif
