// SPDX-License-Identifier: MIT
/* abi.c - where compiled Java code expects its parameters, on x86-64. See abi.h. */
#include <linux/types.h>

#include "arch/abi.h"
#include "bpf/events.h"

/* hp_entry has them in HotSpot's order. Native images have C's. */
static const char *const gpr_names[HP_GPR_ARGS] = {"rsi", "rdx", "rcx", "r8", "r9", "rdi"};

uint16_t abi_gpr(enum abi_convention convention, unsigned int i)
{
	static const uint8_t c_order[HP_GPR_ARGS] = {5, 0, 1, 2, 3, 4};

	i %= HP_GPR_ARGS;
	return (uint16_t)(convention == ABI_HOTSPOT ? i : c_order[i]);
}

const char *abi_gpr_name(enum abi_convention convention, unsigned int i)
{
	return gpr_names[abi_gpr(convention, i)];
}

/* The return address, and in a native image one word reserved behind it. */
uint16_t abi_stack_off(enum abi_convention convention)
{
	return convention == ABI_HOTSPOT ? 8 : 16;
}

struct abi_place abi_place_next(struct abi_placing *p, bool fp)
{
	if (fp && p->fp < HP_FP_ARGS)
		return (struct abi_place){.kind = ABI_FP, .index = p->fp++};
	if (!fp && p->gpr < HP_GPR_ARGS)
		return (struct abi_place){.kind = ABI_GPR,
					  .index = abi_gpr(p->convention, p->gpr++)};
	/* One word each, whatever the type: 17 counts two 4-byte slots for each argument, later
	 * JDKs align before each. */
	return (struct abi_place){.kind = ABI_STACK, .index = (uint16_t)(8 * p->stack++)};
}
