/* SPDX-License-Identifier: (MIT OR GPL-2.0) */
/*
 * object.bpf.h - a reference, and what the first bytes of the object say: its class and, for a
 * String, where its text is.
 */
#ifndef HP_OBJECT_BPF_H
#define HP_OBJECT_BPF_H

#include "bpf/arch.bpf.h"
#include "bpf/read.bpf.h"
#include "bpf/zgc.bpf.h"

/* Bytes from an object's start that hold its klass word and, in a String, value and coder. */
#define OBJECT_HEAD_MAX 32
const volatile __u32 object_head_len;

/* --- references ------------------------------------------------------------------------------- */

/* What references in memory count from; a native image has a heap of its own in every process. */
static __always_inline __u64 heap_base_of(const struct pt_regs *ctx)
{
	return target.heap_in_r14 ? regs_heap_base(ctx) : target.narrow_oop_base;
}

/*
 * A null that a caller passes. Native images take the heap base for it in registers and on the
 * stack, so that references in memory, where null is 0, become addresses by an addition without a
 * test (SubstrateOptions.UseLinearPointerCompression).
 */
static __always_inline bool is_null(__u64 oop, __u64 base)
{
	return !oop || (target.heap_in_r14 && oop == base);
}

/*
 * A full-width reference out of a field or a handle, as the collector keeps it there, to the
 * object's address. Return: an hp_ref_status or REF_MOVING; @ret is 0 unless it is that or
 * HP_REF_OK.
 */
static __always_inline __u32 full_decode(__u64 raw, __u64 *ret)
{
	*ret = raw;
	if (target.barrier == HP_BARRIER_Z || target.barrier == HP_BARRIER_ZGEN)
		return z_follow(ret);
	return raw ? HP_REF_OK : HP_REF_NULL;
}

static __always_inline bool is_readable(__u32 status)
{
	return status == HP_REF_OK || status == REF_MOVING;
}

static __always_inline __u32 narrow_decode(__u32 raw, __u64 base, __u64 *ret)
{
	*ret = raw ? base + ((__u64)raw << target.narrow_oop_shift) : 0;
	return raw ? HP_REF_OK : HP_REF_NULL;
}

/* --- objects ---------------------------------------------------------------------------------- */

/* The stack takes aligned loads only; so are all fields. What lies outside is 0. */
static __always_inline __u64 load_u64(const __u8 *p, __u32 off)
{
	return off <= OBJECT_HEAD_MAX - 8 && off % 8 == 0 ? *(const __u64 *)(p + off) : 0;
}

static __always_inline __u32 load_u32(const __u8 *p, __u32 off)
{
	return off <= OBJECT_HEAD_MAX - 4 && off % 4 == 0 ? *(const __u32 *)(p + off) : 0;
}

static __always_inline __u32 field_decode(const __u8 *head, __u32 off, __u64 base, __u64 *ret)
{
	__u64 raw;

	if (target.narrow_oops)
		return narrow_decode(load_u32(head, off), base, ret);
	raw = load_u64(head, off);
	if (target.heap_in_r14 && raw)
		raw += base;
	return full_decode(raw, ret);
}

static __always_inline __u64 klass_word_of(const __u8 *head)
{
	switch (target.klass_word) {
	case HP_KLASS_WIDE:
		return load_u64(head, target.klass_off) & ~target.klass_flags;
	case HP_KLASS_NARROW:
		return load_u32(head, target.klass_off) & ~target.klass_flags;
	default:
		return load_u64(head, 0) >> target.klass_mark_shift << target.klass_mark_shift;
	}
}

/*
 * Shenandoah leaves the copied-from object as it was until no reference leads there any more, but
 * for the mark, which becomes the new address (markWord::marked_value). With the class in the mark,
 * that is where the class is. Return: that address, 0 if the object has not been moved.
 */
static __always_inline __u64 forwardee(const __u8 *head)
{
	__u64 mark = load_u64(head, 0);

	if (target.barrier != HP_BARRIER_SHENANDOAH || target.klass_word != HP_KLASS_IN_MARK)
		return 0;
	return (mark & 3) == 3 ? mark & ~3ULL : 0;
}

/* Is it that of java.lang.String? If that cannot be known, what is declared String is one. */
static __always_inline bool names_string(__u64 klass_word, bool declared)
{
	if (!target.string_klass_word)
		return declared;
	if (target.klass_word == HP_KLASS_IN_MARK)
		klass_word >>= target.klass_mark_shift;
	return klass_word == target.string_klass_word;
}

/*
 * What the head of an object says: its class and, for a String, the coder and the array with the
 * text. A reference of another declared type still gets its text when it is a String.
 * Return: an hp_ref_status or REF_MOVING; @array is 0 if there is no text to fetch.
 */
static __always_inline __u32 describe(const __u8 *head, bool is_string, __u64 base,
				      __u64 *klass_word, __u8 *coder, __u64 *array)
{
	__u32 off = target.string_coder_off, status;
	__u8 is_utf16 = 1;

	*array = 0;
	*klass_word = klass_word_of(head);
	if (!names_string(*klass_word, is_string))
		return HP_REF_OK;
	if (!target.string_is_chars) {
		if (off >= OBJECT_HEAD_MAX)
			return HP_REF_OK;
		is_utf16 = head[off];
		if (is_utf16 > 1)
			return HP_REF_FAULT;
	}
	status = field_decode(head, target.string_value_off, base, array);
	if (status == HP_REF_NULL) /* still in its constructor: an object without text */
		return HP_REF_OK;
	*coder = is_utf16;
	return status;
}

/* Bytes of an array that says it has @len elements. */
static __always_inline __u32 array_bytes(__u32 len)
{
	if (!target.string_is_chars)
		return len;
	return len > 0x7fffffff ? 0xfffffffe : 2 * len;
}

/* How much of an array of @len bytes is copied. Halves of a pair are user space's concern. */
static __always_inline __u32 text_len(__u32 len, __u32 max, __u8 coder)
{
	if (len > max)
		len = max;
	if (len > HP_TEXT_MAX)
		len = HP_TEXT_MAX;
	return coder ? len & ~1u : len;
}

/* The head of an object that is shorter, and ends where its mapping ends, still has 16 bytes. */
static __always_inline long read_head(__u8 head[OBJECT_HEAD_MAX], __u64 oop)
{
	__u32 len = object_head_len;

	if (len > OBJECT_HEAD_MAX)
		return -1;
	if (read_now(head, len, oop) == 0)
		return 0;
	return read_user(head, 16, oop);
}

#endif
