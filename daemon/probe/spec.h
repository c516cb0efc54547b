/* SPDX-License-Identifier: MIT */
/*
 * spec.h - what the user asked for: "com.shop.*.get*", "Cart.add(int, String)". docs/spec.md is for
 * users; what may be asked of a native image only in part is in runtime/image/image_match.h.
 *
 *   SPEC   := [ "static" ] CLASS '.' METHOD [ '(' PARAMS ')' [ RESULT ] ] [ '@' ENTRY ]
 *   PARAMS := ".." | nothing | TYPE { ',' TYPE }
 *   RESULT := TYPE | "void"
 *
 * '*' matches any characters but '.', "**" any at all. METHOD may be <init> or <clinit>; the '.'
 * before it may be written "::" or '#'. A TYPE may be written in full or from behind its package or
 * any '$' on, with [] for arrays and ... for the last parameter. ENTRY is the address of a method's
 * entry in hexadecimal.
 *
 * CLASS.METHOD is held against class and method name as one text, so "com.shop.**" is every method
 * of every class below com.shop. Nothing is implied: "Cart.add" is a class without a package, and
 * "**.Cart.add" a class Cart in any package or in none.
 */
#ifndef HP_SPEC_H
#define HP_SPEC_H

#include "base/fail.h"
#include "probe/glob.h"
#include "symmap/symmap.h"

#define SPEC_LEN_MAX GLOB_LEN_MAX
#define SPECS_MAX    64 /* in one request */

struct spec;

/* A type as the user wrote it: "Map.Entry[]" is "Map.Entry" with one dimension. */
struct spec_type {
	char *name;
	uint16_t dims;
};

/**
 * spec_parse() - take a SPEC apart; blanks are free between words, not inside a name.
 * @ret: written only on success; for spec_free().
 * Return: 0; -EINVAL, @f names the column (1-based, in bytes); -ENOMEM.
 */
int spec_parse(const char *text, struct spec **ret, struct fail *f);
void spec_free(struct spec *s);

/** spec_text() - as the user wrote it. */
const char *spec_text(const struct spec *s);

/** spec_pattern() - CLASS.METHOD, as one glob. */
const char *spec_pattern(const struct spec *s);

/**
 * spec_method_at() - where METHOD begins in spec_pattern(); the '.' before it is left out of CLASS.
 * Return: NULL when a "**" may stand for both, as in "com.shop.**".
 */
const char *spec_method_at(const struct spec *s);

/**
 * spec_names_class() - does it name its class in full, without wildcards? Then that name is the
 * first *@len bytes of spec_pattern().
 */
bool spec_names_class(const struct spec *s, size_t *len);

/** spec_is_static() - are only static methods meant? spec_match() leaves that to its caller. */
bool spec_is_static(const struct spec *s);

/** spec_entry() - the address it ends in; 0: none. */
uint64_t spec_entry(const struct spec *s);

/**
 * spec_params() - its parameter list.
 * @n_ret: how many there are.
 * Return: the first; NULL when any parameters are meant (then @n_ret is 0).
 */
const struct spec_type *spec_params(const struct spec *s, size_t *n_ret);

/** spec_result() - the type of the result; NULL: any. "void" is one. */
const struct spec_type *spec_result(const struct spec *s);

/** spec_match() - name, parameters, result and entry; the descriptor must be known. */
bool spec_match(const struct spec *s, const struct method *m);

/** spec_match_descriptor() - parameters and result alone. */
bool spec_match_descriptor(const struct spec *s, const char *desc);

/**
 * spec_match_class() - the one rule of what a type's name means.
 * @user: as in a SPEC; a '.' of it stands for '/' and for '$'.
 * @klass: @len bytes as in a descriptor, "java/util/Map$Entry".
 * Return: is it that class, by its name in full, or from behind the package or behind any '$' on?
 */
bool spec_match_class(const char *user, const char *klass, size_t len);

#endif
