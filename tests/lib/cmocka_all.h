/* SPDX-License-Identifier: MIT */
/* cmocka_all.h - cmocka and the headers it wants before it. */
#ifndef HP_TEST_CMOCKA_ALL_H
#define HP_TEST_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
