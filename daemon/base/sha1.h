/* SPDX-License-Identifier: MIT */
/*
 * sha1.h - SHA-1, which native images use to make symbol names unique. Not for security.
 * Source: FIPS 180-4.
 */
#ifndef HP_SHA1_H
#define HP_SHA1_H

#include <stddef.h>
#include <stdint.h>

#define SHA1_SIZE 20
#define SHA1_HEX  41 /* with a NUL */

/** sha1() - digest of @len bytes at @data. */
void sha1(const void *data, size_t len, uint8_t ret[static SHA1_SIZE]);

/** sha1_hex() - the same as 40 lower-case hexadecimal digits. */
void sha1_hex(const void *data, size_t len, char ret[static SHA1_HEX]);

#endif
