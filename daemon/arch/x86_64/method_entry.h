/* SPDX-License-Identifier: MIT */
/* method_entry.h - where at its entry a method can be probed. */
#ifndef HP_METHOD_ENTRY_H
#define HP_METHOD_ENTRY_H

#include "arch/x86_64/method_scan.h"

/** method_entry_find() - @ret->probe, @ret->emulated and @ret->divert; @ret->complete is known. */
void method_entry_find(struct method_scan *s, struct method_code *ret);

#endif
