/* SPDX-License-Identifier: MIT */
/*
 * machine.h - the machine whose code we understand.
 */
#ifndef HP_MACHINE_H
#define HP_MACHINE_H

#include "base/util.h"

/* No user space from here on. */
#define MACHINE_ADDR_END 0x7ffffffff000ULL

/** machine_is_ours() - is @elf, an ELF file's e_machine, this one? */
bool machine_is_ours(uint16_t elf);

/** machine_name() - "x86-64", "aarch64" or "another machine". */
const char *machine_name(uint16_t elf);

#endif
