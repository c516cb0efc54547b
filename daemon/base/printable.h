/* SPDX-License-Identifier: MIT */
/*
 * printable.h - text of a target's, which may hold anything, on somebody's terminal, which must not
 * take it for a command: control characters are written as \n or \x1b, what is no text as U+FFFD.
 */
#ifndef HP_PRINTABLE_H
#define HP_PRINTABLE_H

#include "base/buf.h"

/**
 * printable_str() - @s is UTF-8.
 * @quote: 0, or the quotation mark the caller puts around it, which is escaped.
 * Return: how many columns it takes.
 */
size_t printable_str(struct buf *b, const char *s, size_t len, char quote);

/** printable_latin1() / printable_utf16() - the same from a Java string's bytes. */
size_t printable_latin1(struct buf *b, const uint8_t *s, size_t len, char quote);
size_t printable_utf16(struct buf *b, const uint8_t *s, size_t len_bytes, char quote);

/** printable_column() - printable_str(), filled up with blanks to @width columns. */
void printable_column(struct buf *b, const char *s, size_t width);

#endif
