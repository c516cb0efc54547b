/* SPDX-License-Identifier: MIT */
/* copy.h - copy a file. */
#ifndef HP_COPY_H
#define HP_COPY_H

#include "base/util.h"

/**
 * copy_file() - the whole of file @from, from its beginning, to where @to stands.
 * Return: 0; -EFBIG it has more than @max bytes; -EIO it is shorter than it said; -errno.
 */
int copy_file(int from, int to, uint64_t max);

#endif
