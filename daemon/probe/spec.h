/* SPDX-License-Identifier: MIT */
/*
 * spec.h - what the user asked for: "com.shop.*.get*", "Cart.add(int, String)".
 *
 *   SPEC   := CLASS '.' METHOD [ '(' PARAMS ')' ]
 *   PARAMS := ".." | nothing | TYPE { ',' TYPE }
 *
 * '*' matches any characters but '.', "**" any at all. METHOD may be <init> or <clinit>. A TYPE may
 * be written in full or by its simple name, with [] for arrays and ... for the last one.
 *
 * CLASS.METHOD is held against class and method name as one text, so "com.shop.**" is every method
 * of every class below com.shop. Nothing is implied: "Cart.add" is a class without a package, and
 * "**.Cart.add" a class Cart in any package.
 */
#ifndef HP_SPEC_H
#define HP_SPEC_H

#include "base/util.h"

#define SPEC_LEN_MAX 4096
#define SPECS_MAX    64 /* in one request */

struct spec;

/* Where and why a text is no SPEC. */
struct spec_error {
	size_t column; /* 1-based, in bytes */
	char why[128];
};

/**
 * spec_parse() - take a SPEC apart; blanks are free between words, not inside a name.
 * @ret: written only on success; for spec_free().
 * Return: 0; -EINVAL with @err filled; -ENOMEM.
 */
int spec_parse(const char *text, struct spec **ret, struct spec_error *err);
void spec_free(struct spec *s);

/** spec_text() - as the user wrote it. */
const char *spec_text(const struct spec *s);

/** spec_match() - @klass in source form, @name, @desc as in struct nmethod. */
bool spec_match(const struct spec *s, const char *klass, const char *name, const char *desc);

/**
 * glob_match() - the pattern language of a SPEC's names, for `hotprobe methods PATTERN` too.
 * Runs in time proportional to the product of the lengths, whatever the pattern. One longer than
 * SPEC_LEN_MAX matches nothing.
 */
bool glob_match(const char *pattern, const char *text);

#endif
