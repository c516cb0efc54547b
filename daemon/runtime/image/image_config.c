// SPDX-License-Identifier: MIT
/* image_config.c - a native image's layout as its probe is told it. See image_config.h. */
#include "runtime/image/image_config.h"
#include "arch/abi.h"

void image_config(const struct image_heap *h, uint32_t string_max, struct hp_config *ret)
{
	struct image_objects o;

	*ret = (struct hp_config){
		.native_image = true,
		.stack_args_off = abi_stack_off(ABI_NATIVE_IMAGE),
		.klass_off = HP_OFF_NONE,
		.string_value_off = HP_OFF_NONE,
		.string_coder_off = HP_OFF_NONE,
		.string_max = string_max,
		.thread_obj = HP_OFF_NONE,
		.thread_vthread = HP_OFF_NONE,
		.thread_lock_id = HP_OFF_NONE,
	};
	if (!h)
		return;
	image_heap_objects(h, &o);
	ret->heap_in_r14 = !o.absolute;
	ret->klass_word = o.klass_size == 4 ? HP_KLASS_NARROW : HP_KLASS_WIDE;
	ret->klass_off = 0;
	ret->klass_flags = ~o.klass_mask;
	ret->string_klass_word = o.string_klass_word;
	ret->narrow_oops = o.ref_size == 4;
	ret->narrow_oop_shift = o.ref_shift;
	ret->array_length_off = o.array_length;
	ret->byte_array_base = o.array_data;
	ret->string_value_off = o.string_value;
	ret->string_is_chars = o.string_coder == UINT32_MAX;
	if (!ret->string_is_chars)
		ret->string_coder_off = o.string_coder;
}

struct attachment_target image_attachment_target(const struct image_proc *p, struct remote *w)
{
	return (struct attachment_target){.id = &p->id,
					  .remote = w,
					  .mem = p->mem,
					  .code_low = p->code_low,
					  .code_high = p->code_high,
					  .file_text = true};
}
