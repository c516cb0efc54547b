/* SPDX-License-Identifier: (MIT OR GPL-2.0) */
/*
 * capture.bpf.h - looks at what one reference leads to, without a record to put it into.
 */
#ifndef HP_CAPTURE_BPF_H
#define HP_CAPTURE_BPF_H

#include "bpf/object.bpf.h"

/*
 * What one reference turned out to be: a hp_ref, with the text's address in the target in place of
 * its place in the record.
 */
struct located {
	__u64 klass_word;
	__u32 array_len;
	__u16 text_len;
	__u8 status; /* or REF_MOVING */
	__u8 coder;
	union {
		__u64 text;
		__u64 text_off;
	};
};

_Static_assert(sizeof(struct located) == sizeof(struct hp_ref) &&
		       __builtin_offsetof(struct located, coder) ==
			       __builtin_offsetof(struct hp_ref, coder) &&
		       __builtin_offsetof(struct located, text_off) ==
			       __builtin_offsetof(struct hp_ref, text_off),
	       "a located becomes an hp_ref");

/*
 * The text's pages are fetched before the record is reserved: a reserved record holds up everything
 * behind it, and a target may make a fault last for ever (userfaultfd(2)).
 */
static __always_inline void touch_text(__u64 array, __u64 text, __u32 len)
{
	__u64 last = text + len - 1;
	__u8 byte;

	if (!may_sleep || array >> PAGE_SHIFT == last >> PAGE_SHIFT)
		return;
	read_user(&byte, 1, text);
	read_user(&byte, 1, last);
}

static __always_inline void locate_text(__u64 array, __u32 max, struct located *out)
{
	__u32 len;

	if (read_user(&len, sizeof(len), array + target.array_length_off)) {
		out->status = HP_REF_FAULT;
		return;
	}
	len = array_bytes(len);
	out->array_len = len;
	len = text_len(len, max, out->coder);
	if (!len)
		return;
	out->text_len = len;
	out->text = array + target.byte_array_base;
	touch_text(array, out->text, len);
}

/*
 * Look at the object at @oop, of whose text at most @text_max bytes are wanted; @base as
 * heap_base_of(). A global function, so that the verifier looks at it once and not at every place
 * in every loop it is called from.
 */
__noinline int locate(__u64 oop, bool is_string, __u64 base, __u32 text_max, struct located *out)
{
	__u8 head[OBJECT_HEAD_MAX];
	__u64 array;

	if (!out)
		return 0;
	__builtin_memset(out, 0, sizeof(*out));
	out->coder = HP_CODER_NONE;
	if (is_null(oop, base)) {
		out->status = HP_REF_NULL;
		return 0;
	}
	__builtin_memset(head, 0, sizeof(head));
	if (read_head(head, oop) || (forwardee(head) && read_head(head, forwardee(head)))) {
		out->status = HP_REF_FAULT;
		return 0;
	}
	out->status = describe(head, is_string, base, &out->klass_word, &out->coder, &array);
	if (is_readable(out->status) && array)
		locate_text(array, text_max, out);
	return 0;
}

#endif
