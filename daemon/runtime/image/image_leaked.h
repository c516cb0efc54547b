/* SPDX-License-Identifier: MIT */
/*
 * image_leaked.h - breakpoints that stay in a native image though nobody has a uprobe there.
 *
 * The kernel takes a uprobe out when its last owner closes it. An owner that is killed in the
 * middle of that has a fatal signal pending, with which the kernel reads no memory of another
 * process: it then leaves the breakpoint where it is ("failed to unregister, leaking uprobe",
 * uprobe_unregister_ nosync(), kernel/events/uprobes.c, 6.18). It does no harm but cost time, and
 * goes when somebody puts a uprobe on the same place and takes it off again.
 */
#ifndef HP_IMAGE_LEAKED_H
#define HP_IMAGE_LEAKED_H

#include "base/fail.h"
#include "runtime/image/image_proc.h"

/* More breakpoints than this are not looked at in one go. */
#define LEAKED_MAX 65536

/**
 * image_leaked_remove() - take such breakpoints out of the code of @p. Those that others have
 * uprobes on stay.
 * @fd: of the image's file, which is @f.
 * Return: how many there are no more; -errno with @fail.
 */
int image_leaked_remove(const struct image_proc *p, const struct elffile *f, int fd,
			struct fail *fail);

#endif
