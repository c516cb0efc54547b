/* SPDX-License-Identifier: MIT */
/*
 * bpf_record.h - what BPF programs send.
 */
#ifndef HP_BPF_RECORD_H
#define HP_BPF_RECORD_H

#include <linux/types.h>

#include "base/util.h"
#include "bpf/events.h"

/* Called for each record, which is @size bytes long and starts with a struct hp_record. */
typedef int record_fn(void *arg, const struct hp_record *rec, size_t size);

#endif
