/* SPDX-License-Identifier: MIT */
/*
 * region_table.h - the layout of a region, which a later instance has to understand.
 *
 * Private to inject/. The table lies in the target's memory and is hostile when read back.
 */
#ifndef HP_REGION_TABLE_H
#define HP_REGION_TABLE_H

#include "region/patch.h"

/* The name shows in /proc/PID/maps; the number is the layout's version. */
#define REGION_NAME    "hotprobe.1"
#define REGION_PATH    "/memfd:" REGION_NAME " (deleted)"
#define REGION_ANY     "/memfd:hotprobe." /* how those of other versions begin */
#define REGION_MAGIC   0x31656270746f68ULL
#define REGION_VERSION 1

struct region_table {
	uint64_t magic; /* written last */
	uint32_t version, slots;
	uint64_t base; /* where it is mapped */
	uint64_t code_low, code_high;
	int64_t patch_status; /* what the first membarrier of a patch said */
	uint64_t pad[2];
	struct region_slot slot[REGION_SLOTS];
	struct patch_op patch[PATCH_BATCH_MAX];
};

#define REGION_PAGE	4096ULL
#define REGION_ALIGN(n) (((n) + REGION_PAGE - 1) & ~(REGION_PAGE - 1))

/* The parts, in the file as in the target. */
#define TEXT_LEN  (REGION_PAGE + REGION_ALIGN(REGION_SLOTS * SLOT_TEXT))
#define STUB_OFF  ((uint64_t)REGION_SLOTS * SLOT_CODE) /* in the code */
#define CODE_LEN  (STUB_OFF + REGION_PAGE)
#define TABLE_LEN REGION_ALIGN(sizeof(struct region_table))
#define TABLE_OFF (TEXT_LEN + CODE_LEN)
#define TOTAL_LEN (TABLE_OFF + TABLE_LEN)

/* Nobody may shrink the file under our mapping: that would be a SIGBUS. */
#define REGION_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

#endif
