/* SPDX-License-Identifier: MIT */
/*
 * layout.h - the offsets of HotSpot's structures that we use, from the target's own tables.
 *
 * One table in layout.c names each wanted field with its aliases over the JDK versions; a field
 * that is missing turns off the capability that needs it, with a reason, and nothing else.
 */
#ifndef HP_LAYOUT_H
#define HP_LAYOUT_H

#include "runtime/hotspot/vmstructs.h"

#define LAYOUT_NONE UINT64_MAX /* this JVM has no such field */

enum capability {
	CAP_CODE,     /* walk the code heaps, read nmethods: without it nothing works */
	CAP_NAMES,    /* class, method and descriptor names */
	CAP_KLASS,    /* an object's class */
	CAP_STRINGS,  /* text of java.lang.String */
	CAP_THREADS,  /* thread name and Java thread id */
	CAP_COVERAGE, /* why a method is not seen: all classes, and their methods' state */
	CAP_COUNT,
};

const char *capability_name(enum capability cap);

enum gc_kind {
	GC_UNKNOWN,
	GC_SERIAL,
	GC_PARALLEL,
	GC_G1,
	GC_Z,
	GC_ZGEN,
	GC_SHENANDOAH,
	GC_EPSILON
};

const char *gc_kind_name(enum gc_kind gc); /* "G1", "Parallel", "Serial", "ZGC", ... */

/* How an object's header names its class. */
enum klass_word { KLASS_WIDE, KLASS_NARROW, KLASS_IN_MARK };

/*
 * Where ZGC keeps what a reader needs that meets a stale reference. Addresses and offsets in the
 * target; docs/hotspot.md has the algorithm. All 0 with another collector, or if @follow is false.
 */
struct layout_z {
	bool follow;		 /* what follows is known: stale references can be followed */
	uint64_t good_mask_addr; /* a reference with one of these bits, and no bad one, is good */
	uint64_t offset_mask;	 /* value: the part of an address that says where in the heap */
	/* Arrays of ZForwarding*, one for each granule of the heap. Generational: young, then old.
	 */
	uint64_t forwarding[2];
	uint64_t forwarding_len; /* of each array */
	uint32_t granule_shift;
	uint32_t start_off, align_shift_off, length_off; /* in ZForwarding: three uint64 */
	uint32_t entries_off;	/* of its table of uint64, right behind the structure */
	uint32_t ref_count_off; /* int32: above 0 while nothing was moved but by copying it away */
};

/* What this JVM compiles, by its flags. */
struct layout_compiler {
	bool on;	 /* UseCompiler: not with -Xint */
	bool interprets; /* UseInterpreter: not with -Xcomp */
	bool tiered;
	bool not_huge; /* DontCompileHugeMethods */
	int64_t stop_at_level;
	int64_t calls; /* Tier3InvocationThreshold: so many and C1 compiles; -1: not known */
	int64_t inline_size, inline_hot; /* Max-, FreqInlineSize: bytes of bytecode; -1 */
};

struct layout {
	int jdk;	/* feature version: 17, 21, 25 */
	bool other_jdk; /* one that is not supported, and nothing else is known of it */
	uint32_t missing[CAP_COUNT]; /* fields missing, per capability; 0: it works */
	char why[CAP_COUNT][96];     /* the first missing one, as a person would say it */
	char version[64];	     /* "17.0.15+6-Debian-1deb12u1" */
	char vm_name[64];	     /* "OpenJDK 64-Bit Server VM" */
	enum gc_kind gc;

	/* code heaps and nmethods; offsets in bytes, LAYOUT_NONE where this JDK lacks the field */
	uint64_t code_low, code_high; /* values: [CodeCache::_low_bound, _high_bound) */
	/* The rest of the code group is private to codeheap.c and klass.c: see layout.c's table. */
	struct layout_code *code;

	/* objects */
	enum klass_word klass_word;
	uint32_t klass_off;	   /* of the klass word in an object; 0 for KLASS_IN_MARK */
	uint32_t klass_mark_shift; /* KLASS_IN_MARK: mark >> shift is the narrow klass */
	uint64_t narrow_klass_base;
	uint32_t narrow_klass_shift;
	bool narrow_oops;
	uint64_t narrow_oop_base;
	uint32_t narrow_oop_shift;
	uint32_t array_length_off, byte_array_base; /* in a byte[] */
	uint64_t string_klass;			    /* Klass* of java.lang.String */
	uint32_t string_value_off, string_coder_off;

	struct layout_compiler compiler;

	/* threads: offsets in JavaThread, LAYOUT_NONE where absent */
	uint64_t thread_obj;	  /* OopHandle: pointer to the slot that holds the oop */
	uint64_t thread_vthread;  /* OopHandle of the mounted virtual (or own) Thread, JDK 19+ */
	uint64_t thread_lock_id;  /* int64: id of the current java.lang.Thread, see layout.c */
	uint32_t thread_tid_off;  /* of long java.lang.Thread.tid */
	uint32_t thread_name_off; /* of String java.lang.Thread.name */

	/*
	 * ZGC: addresses of the globals that say which colours are good; 0 for other collectors.
	 * Not generational: the bad mask is that of weak barriers, as a remapped reference is not
	 * stale.
	 */
	uint64_t z_bad_mask_addr; /* a reference in a field with one of these bits may be stale */
	uint64_t z_shift_addr;	  /* generational: how far to shift the colour away */
	struct layout_z z;
};

/**
 * layout_read() - fill @ret from the target's tables and globals.
 *
 * layout_fini() is due in any case.
 * Return: 0, also with capabilities missing; -EOPNOTSUPP for a JDK outside 17..25 or without
 * CAP_CODE (@ret->why says); -EAGAIN when the JVM is still starting; -EPROTO when its globals make
 * no sense; -EFAULT; -ESRCH; -ENOMEM.
 */
int layout_read(struct mem *m, const struct vmstructs *vs, struct layout *ret);
void layout_fini(struct layout *l); /* accepts NULL, and a zeroed one */
#define _cleanup_layout_ _cleanup_(layout_fini)

#endif
