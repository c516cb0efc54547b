/* SPDX-License-Identifier: MIT */
/*
 * patch.h - change code words in the target: the only writer of code.
 */
#ifndef HP_PATCH_H
#define HP_PATCH_H

#include "arch/stub.h"
#include "region/region.h"

#define PATCH_BATCH_MAX 1024

/**
 * patch_apply() - compare-and-swap each word, in order, by a thread of the target, between two
 * membarrier(PRIVATE_EXPEDITED_SYNC_CORE).
 * @paused_ns: may be NULL; how long that thread stood. No other thread stops.
 *
 * Return: 0 when all were tried (see @seen); -EINVAL for an address outside the code cache or not
 * aligned (nothing was written); -EOPNOTSUPP when the kernel refuses the membarrier (nothing was
 * written); -EACCES the target's security policy, or its limits, keep the text of its file as it is
 * (nothing was written); -EFAULT for a word that cannot be written (those before it were tried, see
 * @seen); -ESRCH; -EPERM; -ETIMEDOUT; as remote_begin().
 */
int patch_apply(struct region *r, struct patch_op *ops, size_t n, uint64_t *paused_ns);

/** patch_find_writable() - what text a killed instance left writable. Return: 0; as remote_maps().
 */
int patch_find_writable(struct region *r);

/** patch_seal() - make that r-x again. Return: 0; as remote_begin(). */
int patch_seal(struct region *r);

#endif
