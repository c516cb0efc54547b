// SPDX-License-Identifier: MIT
/* hotspot_config.c - a JVM's layout as its probe is told it. See hotspot_config.h. */
#include "runtime/hotspot/hotspot_config.h"
#include "arch/abi.h"

static uint32_t off32(uint64_t off)
{
	return off >= HP_OFF_NONE ? HP_OFF_NONE : (uint32_t)off;
}

static uint32_t barrier_of(enum gc_kind gc)
{
	switch (gc) {
	case GC_Z:
		return HP_BARRIER_Z;
	case GC_ZGEN:
		return HP_BARRIER_ZGEN;
	case GC_SHENANDOAH:
		return HP_BARRIER_SHENANDOAH;
	default:
		return HP_BARRIER_NONE;
	}
}

/* What an object's klass word holds for @klass; 0 unknown. */
static uint64_t klass_word_of(const struct layout *l, uint64_t klass)
{
	uint64_t narrow = klass - l->narrow_klass_base;

	if (!klass || l->klass_word == KLASS_WIDE)
		return klass;
	return narrow >> l->narrow_klass_shift;
}

void hotspot_config(const struct layout *l, uint32_t string_max, struct hp_config *ret)
{
	bool strings = !l->missing[CAP_STRINGS] && !l->missing[CAP_KLASS];
	bool threads = !l->missing[CAP_THREADS];

	*ret = (struct hp_config){
		.klass_word = (uint32_t)l->klass_word,
		.klass_off = l->missing[CAP_KLASS] ? HP_OFF_NONE : l->klass_off,
		.klass_mark_shift = l->klass_mark_shift,
		.string_klass_word = strings ? klass_word_of(l, l->string_klass) : 0,
		.narrow_oops = l->narrow_oops,
		.narrow_oop_shift = l->narrow_oop_shift,
		.narrow_oop_base = l->narrow_oop_base,
		.stack_args_off = abi_stack_off(ABI_HOTSPOT),
		.array_length_off = l->array_length_off,
		.byte_array_base = l->byte_array_base,
		.string_value_off = strings ? l->string_value_off : HP_OFF_NONE,
		.string_coder_off = l->string_coder_off,
		.string_max = string_max,
		.barrier = barrier_of(l->gc),
		.z_bad_mask_addr = l->z_bad_mask_addr,
		.z_shift_addr = l->z_shift_addr,
		.z_good_mask_addr = l->z.good_mask_addr,
		.z_offset_mask = l->z.offset_mask,
		.z_forwarding = {l->z.forwarding[0], l->z.forwarding[1]},
		.z_forwarding_len = l->z.forwarding_len,
		.z_granule_shift = l->z.granule_shift,
		.z_start_off = l->z.start_off,
		.z_align_shift_off = l->z.align_shift_off,
		.z_length_off = l->z.length_off,
		.z_entries_off = l->z.entries_off,
		.z_ref_count_off = l->z.ref_count_off,
		.thread_obj = threads ? off32(l->thread_obj) : HP_OFF_NONE,
		.thread_vthread = threads ? off32(l->thread_vthread) : HP_OFF_NONE,
		.thread_lock_id = threads ? off32(l->thread_lock_id) : HP_OFF_NONE,
		.thread_tid_off = l->thread_tid_off,
		.thread_name_off = l->thread_name_off,
	};
}
