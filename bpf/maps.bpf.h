/* SPDX-License-Identifier: (MIT OR GPL-2.0) */
/*
 * maps.bpf.h - what probe.bpf.c shares with user space.
 */
#ifndef HP_MAPS_BPF_H
#define HP_MAPS_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "bpf/events.h"

/* Written by user space with plain stores; only read here. */
struct hp_slot_spec slots[HP_SLOTS_MAX];

const volatile __u32 stripe_mask;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* stripe_mask + 1 */
	__type(key, __u32);
	__type(value, struct hp_stripe);
} stripes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

#endif
