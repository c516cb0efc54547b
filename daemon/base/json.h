/* SPDX-License-Identifier: MIT */
/*
 * json.h - values become JSON text, fast and without allocation.
 *
 * Events come a million a second; a JSON library's tree per event would be most of their cost, so
 * events are written straight into a buffer. Requests use jansson.
 */
#ifndef HP_JSON_H
#define HP_JSON_H

#include "base/buf.h"

/**
 * json_str() - a JSON string literal; @s is UTF-8, modified or not: see utf8_decode(). What
 * utf8_is_command() is escaped, so that the line may be shown on a terminal too.
 * Return: how many U+FFFD stand for what is no character: bytes that are no UTF-8, and halves of
 * surrogate pairs, which readers of JSON refuse even when they are escaped (RFC 8259, 8.2).
 */
size_t json_str(struct buf *b, const char *s, size_t len);

/** json_latin1() / json_utf16() - the same from a Java string's bytes. */
size_t json_latin1(struct buf *b, const uint8_t *s, size_t len);
size_t json_utf16(struct buf *b, const uint8_t *s, size_t len_bytes);

/** json_float() / json_double() - shortest text that reads back the same; "NaN", "Infinity" quoted.
 */
void json_float(struct buf *b, float v);
void json_double(struct buf *b, double v);

/** json_char() - one UTF-16 code unit as a one-character string. Return: as json_str(). */
size_t json_char(struct buf *b, uint16_t c);

#endif
