/* SPDX-License-Identifier: MIT */
/*
 * layout_z.h - the part of a layout by which ZGC's references are read.
 */
#ifndef HP_LAYOUT_Z_H
#define HP_LAYOUT_Z_H

#include "runtime/hotspot/layout.h"

/** layout_z_read() - fill @l->z_bad_mask_addr, z_shift_addr and z. 0; -EFAULT; -ESRCH; -ENOMEM. */
int layout_z_read(struct mem *m, const struct vmstructs *vs, struct layout *l);

#endif
