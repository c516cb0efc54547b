/* SPDX-License-Identifier: (MIT OR GPL-2.0) */
/*
 * capture.bpf.h - reading a Java process at a hit: its memory, objects, strings.
 *
 * Every address here came out of the target and may be anything: a read fails or gives bytes, and
 * the bytes are only ever copied, compared or bounded. No function here guesses.
 */
#ifndef HP_ARGS_BPF_H
#define HP_ARGS_BPF_H

const volatile struct hp_config target;

/* Set when the program is loaded as sleepable: it may then take page faults. */
const volatile bool may_sleep;

/* Bytes from an object's start that hold its klass word and, in a String, value and coder. */
#define OBJECT_HEAD_MAX 32
const volatile __u32 object_head_len;

#define PAGE_SHIFT 12

/* Memory that is mapped in: nothing else is tried. The dearest step of a hit, 80 ns each. */
static __always_inline long read_now(void *dst, __u32 len, __u64 addr)
{
	return bpf_probe_read_user(dst, len, (void *)addr);
}

/*
 * What is not mapped in right now (swapped out, a page of a file never touched such as an archived
 * heap, a page that NUMA balancing looks at) is fetched, if we may.
 */
static __always_inline long read_user(void *dst, __u32 len, __u64 addr)
{
	long err = read_now(dst, len, addr);

	if (err && may_sleep)
		err = bpf_copy_from_user(dst, len, (void *)addr);
	return err;
}

#include "bpf/zgc.bpf.h"

/* --- references ------------------------------------------------------------------------------- */

/* What references in memory count from; a native image has a heap of its own in every process. */
static __always_inline __u64 heap_base_of(const struct pt_regs *ctx)
{
	return target.heap_in_r14 ? ctx->r14 : target.narrow_oop_base;
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

/* --- looking without a record ----------------------------------------------------------------- */

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
