/* SPDX-License-Identifier: MIT */
/*
 * region_table.h - the layout of a region, which a later instance has to find its way in.
 *
 * Private to inject/. The table lies in the target's memory and is hostile when read back.
 */
#ifndef HP_REGION_TABLE_H
#define HP_REGION_TABLE_H

#include "region/patch.h"

/* The name shows in /proc/PID/maps; the number is the layout's version. */
#define REGION_NAME    "hotprobe.1"
#define REGION_PATH    "/memfd:" REGION_NAME " (deleted)"
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

/** region_new() - an empty one, without a file or a place. */
struct region *region_new(struct remote *w, uint64_t code_low, uint64_t code_high);

/** region_set_place() - it lies at @base in the target, and is @len bytes so far. */
void region_set_place(struct region *r, uint64_t base, uint64_t len);

/** region_map_ours() - map @r->fd. Return: 0; -errno. */
int region_map_ours(struct region *r);

/** region_write_stub() - put the code that runs on our behalf (stub.h) in place. */
void region_write_stub(struct region *r);

/**
 * region_diverts_to() - the slot that the divert of table entry @e jumps to.
 *
 * Return: UINT32_MAX unless @e is what we make: an aligned word of the code cache, in which a jump
 * into this region takes the place of five bytes of the original and the other three are the same.
 */
uint32_t region_diverts_to(const struct region *r, const struct region_slot *e);

/** region_there() - within a remote call: is @r still mapped? Not if it has executed another
 * program.
 */
bool region_there(const struct region *r);

/**
 * region_call() - run code of the region, after making sure that it is still mapped there: the
 * target may have executed another program.
 * @paused_ns: may be NULL.
 * Return: as remote_begin() and remote_call(); -ESRCH when the region is gone.
 */
int region_call(struct region *r, uint64_t addr, const uint64_t args[static 3],
		uint64_t *paused_ns);

#endif
