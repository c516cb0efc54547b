/* SPDX-License-Identifier: MIT */
/*
 * klass.h - classes: which one an object is of, and what it is called.
 */
#ifndef HP_KLASS_H
#define HP_KLASS_H

#include "symmap/strpool.h"
#include "runtime/hotspot/layout.h"

/* JVMS 4.4.7: a class name takes at most 65535 bytes. */
#define KLASS_NAME_MAX 65535

/**
 * klass_from_word() - Klass* out of an object's klass word, as copied at a hit.
 * @word: the 8 bytes at klass_off (KLASS_NARROW uses the low 4), or the mark (KLASS_IN_MARK).
 * Return: 0 when it cannot be a Klass*.
 */
uint64_t klass_from_word(const struct layout *l, uint64_t word);

/**
 * klass_name() - "com.shop.Cart", "int[]", "java.lang.String[][]".
 * @strings: where the name is interned.
 * Return: 0; -EPROTO if that is no class; -EFAULT; -ESRCH; -ENOMEM.
 */
int klass_name(struct mem *m, const struct layout *l, uint64_t klass, struct strpool *strings,
	       const char **ret);

/**
 * klass_is_hidden() - is the class at @klass, or of the array there the element's, a hidden one
 * (JEP 371: a lambda's, say)? @internal: its name, @len bytes. A class may have any name, so a name
 * that looks like a hidden class's only says where the class must be asked.
 * Return: 1 yes; 0 no; -EFAULT; -ESRCH.
 */
int klass_is_hidden(struct mem *m, const struct layout *l, uint64_t klass, const char *internal,
		    size_t len);

/**
 * klass_external_name() - a class file name in source form: '/' becomes '.', arrays as in
 * jtype_name(); in the name of a @hidden class the last '+' a '/', as Class.getName() has it.
 * Return: its length, of which at most @size - 1 bytes were written; 0: that is no name of a class.
 */
size_t klass_external_name(const char *internal, size_t len, bool hidden, char *buf, size_t size);

#endif
