/* SPDX-License-Identifier: (MIT OR GPL-2.0) */
/*
 * events.h - the one contract between the BPF programs and user space.
 *
 * Includes nothing: BPF takes __u32 and friends from vmlinux.h, user space from <linux/types.h>,
 * before including this. Fixed widths, explicit padding, 8-byte aligned; record kinds are
 * append-only. The consumer checks @size against the bytes received before any cast.
 */
#ifndef HP_EVENTS_H
#define HP_EVENTS_H

#define HP_SLOTS_MAX	   4096 /* REGION_SLOTS */
#define HP_GPR_ARGS	   6	/* rsi rdx rcx r8 r9 rdi: HotSpot's order, x86-64 */
#define HP_FP_ARGS	   8	/* xmm0-7 */
#define HP_STACK_WORDS_MAX 256	/* JVMS 4.3.3: 255 parameter words */
#define HP_REFS_MAX	   32	/* references looked into, per call */
#define HP_TEXTS_MAX	   16	/* of which strings whose text is copied */
#define HP_TEXT_MAX	   4096 /* largest --string-max, in bytes of the Java array */
#define HP_NMETHOD_HDR_MAX 512	/* NMETHOD_HDR_MAX */
#define HP_THREAD_NAME_MAX 256	/* bytes of a thread's name that are copied */

/*
 * Room a slot makes below rsp to save xmm0-7 before it passes the nop; the saved doubles are at
 * 0(%rsp), 8(%rsp), ... in register order. A multiple of 16, so alignment stays what it was.
 */
#define HP_FP_FRAME 64

/* --- what user space tells the probe about a slot -------------------------------------------- */

#define HP_SLOT_LIVE  (1u << 0) /* a site is diverted here; hits of other slots are not counted */
#define HP_SLOT_FP    (1u << 1) /* xmm0-7 were saved: rsp is HP_FP_FRAME lower than at entry */
#define HP_SLOT_COUNT (1u << 2) /* only count hits, send nothing */

#define HP_LOC_STACK                                                                               \
	0x8000u /* hp_ref_spec.loc: byte offset from rsp at entry; else index in gpr[] */

struct hp_ref_spec {
	__u16 loc;
	__u8 text; /* declared java.lang.String */
	__u8 pad;
};

struct hp_slot_spec {
	__u32 flags;
	__u32 gen;    /* copied into each record: tells uses of one slot apart */
	__u16 nstack; /* stack words to copy, from stack_args_off above rsp at entry */
	__u8 nrefs;
	__u8 ntexts; /* how many refs are declared java.lang.String */
	__u32 depth; /* rsp is so many bytes lower at the probe than at entry, HP_FP_FRAME aside */
	struct hp_ref_spec refs[HP_REFS_MAX];
};

/* Per slot, written by the probe only. */
struct hp_slot_stat {
	__u64 hits;
	__u64 lost;
};

/* What the probe counts and remembers for one CPU, or for a few where there are many. */
struct hp_stripe {
	struct hp_slot_stat slots[HP_SLOTS_MAX];
	__u64 sent_bytes; /* of records: user space is woken from time to time */
	/* The thread of the last hit; @sum over the others tells a torn entry. */
	__u64 thread_a, thread_b, java_tid, thread_ts_ns, sum;
	__u64 pad[2];
};

/* --- the target, fixed before load ----------------------------------------------------------- */

enum hp_klass_word { HP_KLASS_WIDE, HP_KLASS_NARROW, HP_KLASS_IN_MARK };
enum hp_barrier { HP_BARRIER_NONE, HP_BARRIER_Z, HP_BARRIER_ZGEN, HP_BARRIER_SHENANDOAH };

#define HP_OFF_NONE 0xffffffffu

struct hp_config {
	__u32 tgid;	  /* as the kernel's initial PID namespace counts; 0: not checked */
	__u32 klass_word; /* enum hp_klass_word */
	__u32 klass_off;
	__u32 klass_mark_shift;
	__u64 klass_flags; /* bits of the klass word that do not say the class */
	/* what klass_word holds for a java.lang.String (in the mark: shifted down); 0 unknown */
	__u64 string_klass_word;
	__u32 narrow_oops;
	__u32 narrow_oop_shift;
	__u64 narrow_oop_base;
	__u32 native_image;   /* no JavaThread: threads are the kernel's */
	__u32 heap_in_r14;    /* references count from r14, not from narrow_oop_base */
	__u32 stack_args_off; /* from rsp at entry: the first word that holds a parameter */
	__u32 array_length_off, byte_array_base;
	__u32 string_value_off, string_coder_off;
	__u32 string_is_chars; /* its text is a char[], and there is no coder */
	__u32 string_max;      /* bytes, at most HP_TEXT_MAX */
	__u32 barrier;	       /* enum hp_barrier */
	__u64 z_bad_mask_addr, z_shift_addr;
	/* ZGC's forwarding tables: struct layout_z. z_forwarding_len 0: unknown, stale references
	 * stay stale */
	__u64 z_good_mask_addr, z_offset_mask;
	__u64 z_forwarding[2], z_forwarding_len;
	__u32 z_granule_shift, z_start_off, z_align_shift_off, z_length_off;
	__u32 z_entries_off, z_ref_count_off;
	__u32 thread_obj, thread_vthread, thread_lock_id; /* HP_OFF_NONE: absent */
	__u32 thread_tid_off, thread_name_off;
	__u32 wakeup_bytes; /* wake user space when so much waits; less is fetched by its timer */
};

/* --- records --------------------------------------------------------------------------------- */

enum hp_kind {
	HP_ENTRY = 1,	   /* struct hp_entry: a call */
	HP_THREAD = 2,	   /* struct hp_thread: name of a Java thread, before its first entry */
	HP_REGISTER = 3,   /* struct hp_nmethod: a new nmethod */
	HP_UNREGISTER = 4, /* struct hp_nmethod: about to be freed */
	HP_RETIRE = 5,	   /* struct hp_nmethod: being made not entrant */
	HP_RESCAN = 6,	   /* struct hp_nmethod, addr 0: code changed, the source cannot say what */
};

struct hp_record {
	__u32 size; /* whole record, this prefix included */
	__u16 kind;
	__u16 pad;
	__u64 ts_ns; /* CLOCK_MONOTONIC */
};

/*
 * One call. The fixed part is followed by, in this order: fp[HP_FP_ARGS] (8 bytes each) when
 * HP_SLOT_FP; stack[nstack] (8 each); refs[nrefs] (struct hp_ref). Behind them, anywhere in the
 * record, are the texts of those refs that have text_len > 0.
 */
struct hp_entry {
	struct hp_record h;
	__u32 slot;
	__u32 gen;
	__u32 tid; /* kernel thread id, initial PID namespace */
	__u16 nstack;
	__u16 nrefs;
	__u64 jthread;	/* r15: JavaThread*, or a native image's IsolateThread */
	__u64 java_tid; /* java.lang.Thread.tid, 0 unknown */
	__u64 gpr[HP_GPR_ARGS];
	__u16 flags;	 /* of the slot, at the hit */
	__u16 stack_err; /* the stack words could not be read */
	__u32 tgid;	 /* kernel process id, initial PID namespace */
};

enum hp_ref_status {
	HP_REF_OK = 0, /* klass_word is good; text too if there is one */
	HP_REF_NULL = 1,
	HP_REF_FAULT = 2,    /* not readable at the hit (paged out, or not an object) */
	HP_REF_STALE = 3,    /* the collector is moving it; klass_word is good, the text is not */
	HP_REF_TOO_MANY = 4, /* beyond HP_TEXTS_MAX */
};

#define HP_CODER_NONE 0xff

struct hp_ref {
	__u64 klass_word; /* HP_KLASS_IN_MARK: the bits below klass_mark_shift are zero */
	__u32 array_len;  /* bytes of the string's array */
	__u16 text_len;	  /* bytes copied: less than array_len when cut */
	__u8 status;
	__u8 coder;	/* 0 Latin-1, 1 UTF-16, HP_CODER_NONE: not a string, or not known */
	__u32 text_off; /* from the start of the record */
	__u32 pad;
};

struct hp_thread {
	struct hp_record h;
	__u64 java_tid; /* 0: a native image's, known by its tid */
	__u32 tid;
	__u16 text_len;
	__u8 status;	/* enum hp_ref_status */
	__u8 coder;	/* HP_CODER_NONE: bytes up to a NUL, as the kernel names threads */
	__u32 name_len; /* bytes of the whole name: more than text_len when it was cut */
	__u32 pad;
	__u8 text[HP_THREAD_NAME_MAX];
};

/* Cookie of a hook: the kind of record it makes, and which register holds the nmethod*. */
#define HP_COOKIE_KIND 0xff
#define HP_COOKIE_RSI  0x100 /* else rdi */

struct hp_nmethod {
	struct hp_record h;
	__u64 addr; /* nmethod* */
	__u32 tid;
	__u32 hdr_len; /* bytes of hdr that were read; 0 if not */
	__u8 hdr[HP_NMETHOD_HDR_MAX];
};

_Static_assert(HP_FP_FRAME == 8 * HP_FP_ARGS && HP_FP_FRAME % 16 == 0, "HP_FP_FRAME");
_Static_assert(HP_LOC_STACK > 8 * HP_STACK_WORDS_MAX + 4096, "an offset leaves HP_LOC_STACK free");
_Static_assert(sizeof(struct hp_slot_spec) == 16 + 4 * HP_REFS_MAX, "hp_slot_spec");
_Static_assert(sizeof(struct hp_record) == 16, "hp_record");
_Static_assert(sizeof(struct hp_entry) == 104, "hp_entry");
_Static_assert(sizeof(struct hp_ref) == 24, "hp_ref");
_Static_assert(sizeof(struct hp_thread) == 40 + HP_THREAD_NAME_MAX, "hp_thread");
_Static_assert(sizeof(struct hp_nmethod) == 32 + HP_NMETHOD_HDR_MAX, "hp_nmethod");

#endif
