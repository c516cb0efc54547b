/* SPDX-License-Identifier: MIT */
/* hotspot_config.h - what the BPF program must know of a JVM, from what we know. */
#ifndef HP_HOTSPOT_CONFIG_H
#define HP_HOTSPOT_CONFIG_H

#include <linux/types.h>

#include "bpf/events.h"
#include "runtime/hotspot/layout.h"

/**
 * hotspot_config() - what @l lacks turns off what needs it.
 * @string_max: bytes of a string's text, at most HP_TEXT_MAX.
 */
void hotspot_config(const struct layout *l, uint32_t string_max, struct hp_config *ret);

#endif
