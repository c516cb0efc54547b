/* SPDX-License-Identifier: MIT */
/*
 * symbol.h - HotSpot's Symbols: the texts of all names of classes, methods and descriptors.
 * Private to target/.
 */
#ifndef HP_SYMBOL_H
#define HP_SYMBOL_H

#include "runtime/hotspot/layout_code.h"

/* JVMS 4.4.7; Symbol::_length is a u2. */
#define SYMBOL_MAX 65535

/**
 * symbol_check() - is this the text of a name? Turns modified UTF-8 into UTF-8, in place.
 * Return: its length, which may have shrunk; -EPROTO when it is empty or holds a zero byte.
 */
int symbol_check(char *text, size_t len);

/**
 * symbol_read() - the text of the Symbol at @addr.
 * @buf: room for SYMBOL_MAX + 1 bytes; ends in NUL.
 * Return: its length, 1 to SYMBOL_MAX; -EPROTO when that is no name; -EFAULT; -ESRCH.
 */
int symbol_read(struct mem *m, const struct layout *l, uint64_t addr, char *buf);

/** symbol_equal() - is it @text? Return: 1 yes; 0 no; -EFAULT; -ESRCH. */
int symbol_equal(struct mem *m, const struct layout *l, uint64_t addr, const char *text);

#endif
