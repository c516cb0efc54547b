/* SPDX-License-Identifier: MIT */
/*
 * region_table.h - the part of a region that outlives us: how a later instance finds its way.
 *
 * Private to inject/. It lies in the target's memory and is hostile when read back.
 */
#ifndef HP_REGION_TABLE_H
#define HP_REGION_TABLE_H

#include "inject/patch.h"

#define REGION_MAGIC   0x31656270746f68ULL /* "hotpbe1" */
#define REGION_VERSION 1

struct region_table {
	uint64_t magic;
	uint32_t version, slots;
	uint64_t base; /* where it is mapped */
	uint64_t code_low, code_high;
	uint64_t pad[3];
	struct region_slot slot[REGION_SLOTS];
	struct patch_op patch[PATCH_BATCH_MAX];
};

#endif
