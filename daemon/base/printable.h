/* SPDX-License-Identifier: MIT */
/*
 * printable.h - text of a target's, which may hold anything, on somebody's terminal, which must not
 * take it for a command: what utf8_is_command() is written as \n, \x1b or \u202e, half a surrogate
 * pair as \ud800, a backslash as two, and what is no text as U+FFFD. A SPEC takes the same.
 */
#ifndef HP_PRINTABLE_H
#define HP_PRINTABLE_H

#include "base/buf.h"

/**
 * printable_str() - @s is UTF-8, modified or not: see utf8_decode().
 * @quote: 0, or the quotation mark the caller puts around it, which is escaped.
 * Return: how many columns it takes.
 */
size_t printable_str(struct buf *b, const char *s, size_t len, char quote);

/** printable_latin1() / printable_utf16() - the same from a Java string's bytes. */
size_t printable_latin1(struct buf *b, const uint8_t *s, size_t len, char quote);
size_t printable_utf16(struct buf *b, const uint8_t *s, size_t len_bytes, char quote);

/**
 * printable_message() - a sentence of ours with texts of the target's in it. Its backslashes stay
 * as they are: it may show a SPEC.
 */
void printable_message(struct buf *b, const char *s);

/** printable_column() - printable_str(), filled up with blanks to @width columns. */
void printable_column(struct buf *b, const char *s, size_t width);

#endif
