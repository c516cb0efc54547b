/* SPDX-License-Identifier: MIT */
/* image_config.h - what an attachment and its BPF program must know of a native image.
 */
#ifndef HP_IMAGE_CONFIG_H
#define HP_IMAGE_CONFIG_H

#include "probe/attachment.h"
#include "runtime/image/image_heap.h"
#include "runtime/image/image_proc.h"

/**
 * image_config() - @h NULL: the layout of its objects is not known.
 * @string_max: bytes of a string's text, at most HP_TEXT_MAX.
 */
void image_config(const struct image_heap *h, uint32_t string_max, struct hp_config *ret);

/** image_attachment_target() - a process of it, as an attachment needs it; both outlive that. */
struct attachment_target image_attachment_target(const struct image_proc *p, struct remote *w);

#endif
