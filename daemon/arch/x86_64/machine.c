// SPDX-License-Identifier: MIT
/* machine.c - x86-64. See machine.h. */
#include <elf.h>

#include "arch/machine.h"

bool machine_is_ours(uint16_t elf)
{
	return elf == EM_X86_64;
}

const char *machine_name(uint16_t elf)
{
	return elf == EM_X86_64 ? "x86-64" : elf == EM_AARCH64 ? "aarch64" : "another machine";
}
