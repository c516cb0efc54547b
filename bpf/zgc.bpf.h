/* SPDX-License-Identifier: (MIT OR GPL-2.0) */
/*
 * zgc.bpf.h - a reference out of a field under ZGC, to where the object is now.
 *
 * ZGC moves objects while Java runs and corrects references later, when they are loaded: a load
 * barrier looks at the colour of the reference, and if that is bad asks the forwarding table where
 * the object went. Nothing runs a barrier for us, so this does what it does, up to the moving.
 *
 * Colours flip in pauses only, and a thread that is in here lets no pause begin: a reference that
 * was good, or was forwarded, or lies in no page that is being emptied, stays what it was for the
 * whole hit. One case does not: an object whose page is being emptied and which has not been moved
 * yet. It is still where it was, but may be moved any moment, and the page be reused. That is
 * REF_MOVING: whoever reads such an object looks it up again afterwards, and reads its beginning
 * again. If it has not been moved even then, what was read is good. Its beginning, because when
 * memory is short a page is emptied into itself: an object may then be overwritten by its own copy,
 * from its beginning on, just before the table says so.
 *
 * There are two ZGCs: the first one (17, and 21 by default) has colours above the address and maps
 * the heap once per colour; the generational one has them below, and two tables, one of each
 * generation. daemon/runtime/hotspot/layout_z.c finds the places, docs/hotspot.md has the whole
 * story. Sources: OpenJDK share/gc/z/{zBarrier,zAddress,zForwarding,zHash}.inline.hpp,
 * zForwardingEntry.hpp.
 */
#ifndef HP_ZGC_BPF_H
#define HP_ZGC_BPF_H

#include "bpf/read.bpf.h"

/* Beside the hp_ref_status: it has not been moved yet. Never in a record. */
#define REF_MOVING 0x40

/* Generational: ZPointerRemappedBits and its place; what is above them is the address. */
#define Z_REMAPPED_SHIFT  12
#define Z_REMAPPED_MASK	  15
#define Z_REMEMBERED_MASK 0x30
#define Z_COLOUR_BITS	  16

/* ZForwardingEntry: populated:1, offset it went to:45, index of where it was:18. */
#define Z_ENTRY_TO_BITS	   45
#define Z_ENTRY_FROM_SHIFT 46

/* A table is at most half full, and its hash is good: chains of a few entries are rare. */
#define Z_PROBES_MAX 64

/* The fields we want of a ZForwarding are at its front. */
#define Z_FORWARDING_WORDS 4

/* Which one of the four it has. */
static __always_inline __u32 z_remapped(__u64 raw)
{
	__u32 bit = raw >> Z_REMAPPED_SHIFT & Z_REMAPPED_MASK;

	return (bit >> 1) - (bit >> 3);
}

/* ZHash::uint32_to_uint32(), the integer hash of Thomas Wang. */
static __always_inline __u32 z_hash(__u32 key)
{
	key = ~key + (key << 15);
	key ^= key >> 12;
	key += key << 2;
	key ^= key >> 4;
	key *= 2057;
	return key ^ key >> 16;
}

/*
 * Not in the table: not moved yet, unless the page has been given up since (count 0). Then
 * everything in it has been moved: look again.
 */
static __always_inline __u32 z_absent(__u64 forwarding)
{
	__s32 count;

	if (read_user(&count, sizeof(count), forwarding + target.z_ref_count_off))
		return HP_REF_FAULT;
	return count ? REF_MOVING : HP_REF_OK;
}

/* @off: where in the heap it was; becomes where it is. Return: an hp_ref_status or REF_MOVING. */
static __always_inline __u32 z_look_up(__u64 forwarding, __u64 *off)
{
	__u32 start_at = target.z_start_off / 8 % Z_FORWARDING_WORDS, i;
	__u32 shift_at = target.z_align_shift_off / 8 % Z_FORWARDING_WORDS;
	__u32 length_at = target.z_length_off / 8 % Z_FORWARDING_WORDS;
	__u64 f[Z_FORWARDING_WORDS], from;
	__u64 entries = forwarding + target.z_entries_off;
	__u32 mask, at;

	if (read_user(f, sizeof(f), forwarding))
		return HP_REF_FAULT;
	mask = f[length_at] - 1;
	if (f[length_at] & mask || !f[length_at] || *off < f[start_at])
		return HP_REF_FAULT;
	from = (*off - f[start_at]) >> (f[shift_at] & 63);
	at = z_hash(from);
	for (i = 0; i < Z_PROBES_MAX; i++) {
		if (read_user(f, sizeof(*f), entries + 8 * (__u64)(at & mask)))
			return HP_REF_FAULT;
		if (!(f[0] & 1)) {
			__u32 status = z_absent(forwarding);

			if (status != HP_REF_OK)
				return status;
			continue;
		}
		if (f[0] >> Z_ENTRY_FROM_SHIFT == from) {
			*off = f[0] >> 1 & ((1ULL << Z_ENTRY_TO_BITS) - 1);
			return HP_REF_OK;
		}
		at++;
	}
	return HP_REF_STALE;
}

/*
 * Of which generation is the table that knows? A reference that is good but for the young
 * generation's last move is asked there, and so on; of two bad ones the remembered bits, and then
 * the tables themselves decide (ZBarrier::remap_generation()).
 * Return: an hp_ref_status; @ret is the ZForwarding, 0 if the page has none.
 */
static __always_inline __u32 z_find_forwarding(__u64 raw, __u64 granule, __u64 *ret)
{
	__u64 young = target.z_forwarding[0] + 8 * granule;
	__u64 old = target.z_forwarding[1] + 8 * granule;
	__u32 have = z_remapped(raw), want;

	if (target.barrier == HP_BARRIER_Z)
		return read_user(ret, sizeof(*ret), young) ? HP_REF_FAULT : HP_REF_OK;
	if (read_user(ret, sizeof(*ret), target.z_good_mask_addr))
		return HP_REF_FAULT;
	want = z_remapped(*ret);
	if (want >> 1 == have >> 1) /* good for the old generation */
		return read_user(ret, sizeof(*ret), young) ? HP_REF_FAULT : HP_REF_OK;
	if ((want & 1) != (have & 1) && (raw & Z_REMEMBERED_MASK) != Z_REMEMBERED_MASK) {
		if (read_user(ret, sizeof(*ret), young))
			return HP_REF_FAULT;
		if (*ret)
			return HP_REF_OK;
	}
	return read_user(ret, sizeof(*ret), old) ? HP_REF_FAULT : HP_REF_OK;
}

/*
 * The address in @ref, as it stands in a field, becomes that of the object.
 * Return: an hp_ref_status, or REF_MOVING; @ref is 0 unless it is HP_REF_OK or REF_MOVING.
 */
__noinline int z_follow(__u64 *ref)
{
	__u64 raw, addr, off, word = 0;
	__u32 status;

	if (!ref)
		return HP_REF_FAULT;
	raw = *ref;
	*ref = 0;
	if (target.barrier == HP_BARRIER_ZGEN) {
		if (!(raw >> Z_COLOUR_BITS))
			return HP_REF_NULL;
		word = raw >> Z_REMAPPED_SHIFT & Z_REMAPPED_MASK;
		if (!word || word & (word - 1))
			return HP_REF_FAULT;
		addr = raw >> (Z_REMAPPED_SHIFT + 1 + z_remapped(raw));
	} else {
		if (!raw)
			return HP_REF_NULL;
		/* Each view of the heap will do; that of the lowest colour is always mapped. */
		addr = (raw & target.z_offset_mask) | (target.z_offset_mask + 1);
	}
	if (read_user(&word, sizeof(word), target.z_bad_mask_addr))
		return HP_REF_FAULT;
	if (!(raw & word)) {
		*ref = addr;
		return HP_REF_OK;
	}
	off = addr & target.z_offset_mask;
	if (off >> target.z_granule_shift >= target.z_forwarding_len)
		return HP_REF_STALE; /* among them: nothing is known about the tables */
	status = z_find_forwarding(raw, off >> target.z_granule_shift, &word);
	if (status == HP_REF_OK && word) {
		status = z_look_up(word, &off);
		addr = (addr & ~target.z_offset_mask) | off;
	}
	if (status == HP_REF_OK || status == REF_MOVING)
		*ref = addr;
	return status;
}

#endif
