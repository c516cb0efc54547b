// SPDX-License-Identifier: (MIT OR GPL-2.0)
/*
 * probe.bpf.c - what happens at a hit.
 *
 * A compiled method's entry leads through a slot (docs/design.md), and a uprobe sits on the slot;
 * in a native image it may sit on the method itself (docs/images.md). The kernel runs hit() in the
 * calling Java thread, before anything has changed the registers of the call: the arguments are
 * where the calling convention puts them, and r15 is the JavaThread, or the IsolateThread. The
 * slot's number comes as the BPF cookie.
 *
 * What user space and this program share is plain memory. slots[] says what to do at each slot; it
 * is written by user space with ordinary stores, so that installing a probe takes no system call,
 * and every number in it is bounded here before use. The stripes count hits and losses, one stripe
 * per CPU with an atomic add: exact although the program may be preempted, and never shared by two
 * busy CPUs. Each hit of a live slot is counted once, as a hit; if its record did not fit into the
 * ring buffer it is also counted as lost. Nothing is dropped in silence.
 *
 * Is what we read true? The thread is _thread_in_Java and cannot poll while it is in here, so no
 * safepoint completes and no handshake with it: nothing that waits for one (an evacuation by a
 * stop-the-world collector, a flip of colours, reuse of from-space) happens during a hit. Arguments
 * are full, uncoloured, current addresses. Only fields of objects may name an object that a
 * concurrent collector is moving: capture.bpf.h, which also says what is done about that. Every
 * read that fails gives that argument a status; nothing is guessed.
 *
 * What does it cost? Reading user memory costs 80 ns a piece, more than anything else here, so that
 * reads are few and large; a helper that returns costs 10 to 15 (return thunks). Calls come in two
 * kinds:
 *
 *   short  few references and short texts, all in memory: nearly all of them. A record of one of
 *          three fixed sizes is reserved, and filled as things are found; a String takes two reads,
 *          its head, and its array's header together with the text behind it.
 *   large  the others, and those that turn out not to be short. First everything is located, page
 *          faults taken included, then a record of the exact size is reserved and filled.
 *
 * No scratch memory per CPU: this program may be preempted and may sleep, so another hit may run on
 * the same CPU meanwhile. Records are built in the ring buffer itself. A reserved record holds up
 * those behind it, so that nothing between reserve and submit ever sleeps.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/arch.bpf.h"
#include "bpf/capture.bpf.h"
#include "bpf/maps.bpf.h"
#include "bpf/threads.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* One call, while it is looked at. */
struct call {
	struct hp_stripe *stripe;
	const struct hp_slot_spec *spec;
	__u64 now_ns;
	__u64 java_tid;
	__u32 slot, flags, tid, tgid;
	__u16 nstack, nrefs;
};

/* --- waking user space ------------------------------------------------------------------------ */

const volatile __u32 wakeup_shift;

/* It takes an interrupt: done once in 2^wakeup_shift bytes. User space also looks by a timer. */
static __always_inline __u64 wakeup_flags(struct hp_stripe *stripe, __u32 size)
{
	__u64 before = __sync_fetch_and_add(&stripe->sent_bytes, size);

	return before >> wakeup_shift != (before + size) >> wakeup_shift ? BPF_RB_FORCE_WAKEUP
									 : BPF_RB_NO_WAKEUP;
}

/* --- records ---------------------------------------------------------------------------------- */

static __always_inline void put_head(struct hp_entry *e, const struct pt_regs *ctx,
				     const struct call *c, __u32 size)
{
	e->h.size = size;
	e->h.kind = HP_ENTRY;
	e->h.pad = 0;
	e->h.ts_ns = c->now_ns;
	e->slot = c->slot;
	e->gen = c->spec->gen;
	e->tid = c->tid;
	e->nstack = c->nstack;
	e->nrefs = c->nrefs;
	e->jthread = regs_thread(ctx);
	e->java_tid = c->java_tid;
	regs_copy(e->gpr, ctx);
	e->flags = c->flags;
	e->stack_err = 0;
	e->tgid = c->tgid;
}

enum { SENT, LOST, TOO_LARGE };

/* --- most calls: a record of a fixed size, filled as it comes --------------------------------- */

/* Room for an array's header and the text behind it, fetched in one read. */
#define SHORT_ARRAY 104

/* The length is in there, and the text behind it: 16 to 24 bytes, by the JVM's flags. */
#define ARRAY_HEAD_MAX 24

/*
 * SHORT_ARRAY bytes of the target, from @from on, are in the record at @area. Are the array at
 * @array and its text among them, whole? Return: where in the record the array is; -1.
 */
static __always_inline int find_array(const __u8 *rec, __u32 area, __u64 from, __u64 array,
				      struct hp_ref *ref)
{
	__u32 len_off = target.array_length_off, base = target.byte_array_base, len;
	__u64 skip = array - from;

	if (len_off > ARRAY_HEAD_MAX - sizeof(len) || base > ARRAY_HEAD_MAX ||
	    skip > SHORT_ARRAY - ARRAY_HEAD_MAX)
		return -1;
	len = array_bytes(*(const __u32 *)(rec + area + skip + len_off));
	ref->array_len = len;
	len = text_len(len, target.string_max, ref->coder);
	if (skip + base + len > SHORT_ARRAY)
		return -1;
	ref->text_len = len;
	ref->text_off = area + skip + base;
	return 0;
}

/*
 * One reference. Anything out of the ordinary (a long text, a read that fails, no room) is left to
 * send_large(), which starts again. Return: 0; -1.
 *
 * While a record is being filled, h.size and h.pad hold where the next reference and the next text
 * go: the verifier knows nothing of a value loaded from there, so that it need not look at a
 * reference anew for every way in which those before it may have turned out.
 */
static __always_inline int put_short_ref(struct hp_entry *e, const __u32 size, __u64 oop,
					 bool is_string, __u64 base)
{
	__u8 plain[OBJECT_HEAD_MAX] = {}, *rec = (__u8 *)e, *head = plain;
	__u32 at = e->h.size, area = e->h.pad;
	struct hp_ref *ref = (struct hp_ref *)(rec + at);
	bool room = area <= size - SHORT_ARRAY;
	__u64 array;

	if (at > size - sizeof(*ref))
		return -1;
	e->h.size = at + sizeof(*ref);
	*ref = (struct hp_ref){.status = HP_REF_NULL, .coder = HP_CODER_NONE};
	if (is_null(oop, base))
		return 0;
	if (is_string && room) {
		/* HotSpot likes to put a String's array right behind it: often one read does. */
		if (read_now(rec + area, SHORT_ARRAY, oop))
			return -1;
		head = rec + area;
	} else if (object_head_len > OBJECT_HEAD_MAX || read_now(plain, object_head_len, oop)) {
		return -1;
	}
	ref->status = describe(head, is_string, base, &ref->klass_word, &ref->coder, &array);
	if (ref->status == REF_MOVING || forwardee(head))
		return -1;
	if (ref->status != HP_REF_OK || !array)
		return 0;
	if (!room)
		return -1;
	e->h.pad = area + SHORT_ARRAY;
	if (is_string && find_array(rec, area, oop, array, ref) == 0)
		return 0;
	if (read_now(rec + area, SHORT_ARRAY, array))
		return -1;
	return find_array(rec, area, array, array, ref);
}

/* What a record of one size has room for: see ROOM(). */
struct room {
	__u32 size, refs, texts;
	bool fp;
};

#define ROOM(nrefs, ntexts, has_fp)                                                                \
	(struct room)                                                                              \
	{                                                                                          \
		.size = sizeof(struct hp_entry) + (nrefs) * sizeof(struct hp_ref) +                \
			(ntexts)*SHORT_ARRAY + (has_fp)*8 * HP_FP_ARGS,                            \
		.refs = (nrefs), .texts = (ntexts), .fp = (has_fp),                                \
	}

static __always_inline int send_short(const struct pt_regs *ctx, struct call *c,
				      const struct room room)
{
	struct hp_entry *e = bpf_ringbuf_reserve(&events, room.size, 0);
	__u32 i;

	if (!e)
		return LOST;
	put_head(e, ctx, c, sizeof(*e));
	e->h.pad = room.size - room.texts * SHORT_ARRAY;
	if (room.fp && c->flags & HP_SLOT_FP) {
		if (read_now(e + 1, 8 * HP_FP_ARGS, regs_stack_pointer(ctx)))
			goto too_large;
		e->h.size += 8 * HP_FP_ARGS;
	}
	for (i = 0; i < room.refs && i < c->nrefs; i++) {
		const struct hp_ref_spec *spec = &c->spec->refs[i];
		__u64 loc = spec->loc;

		barrier_var(loc); /* the register that is compared must be the one that indexes */
		if (loc >= HP_GPR_ARGS ||
		    put_short_ref(e, room.size, e->gpr[loc], spec->text, heap_base_of(ctx)))
			goto too_large;
	}
	e->h.size = room.size;
	e->h.pad = 0;
	bpf_ringbuf_submit(e, wakeup_flags(c->stripe, room.size));
	return SENT;
too_large:
	bpf_ringbuf_discard(e, BPF_RB_NO_WAKEUP);
	return TOO_LARGE;
}

/* --- the others: measured first, then filled -------------------------------------------------- */

/*
 * The first pass, measure_ref(), looks at every reference to learn how long the record gets; the
 * second, put_ref(), fills it. What the first found is kept for the first KEPT references; a BPF
 * stack of 512 bytes holds no more, so the others are looked at again.
 */
#define KEPT 2

struct layout {
	const struct pt_regs *ctx;
	__u64 sp; /* at entry */
	__u32 slot;
	__u32 texts;
	__u32 need; /* bytes to reserve */
	__u32 end;  /* bytes the record has */
	struct located kept[KEPT];
};

struct filling {
	struct bpf_dynptr d;
	struct layout l;
	__u32 refs_at, texts_at;
};

/*
 * A slice of a dynptr has a constant length. So copies are made through a slice of the next larger
 * of these, of which the exact length is written; the record is reserved long enough for the slice.
 */
static __always_inline __u32 slice_of(__u32 len)
{
	return len <= 64 ? 64 : len <= 256 ? 256 : len <= 1024 ? 1024 : HP_TEXT_MAX;
}

#define FILL_SLICE(n)                                                                              \
	do {                                                                                       \
		void *to = bpf_dynptr_data(d, off, n);                                             \
                                                                                                   \
		return to ? read_now(to, len, addr) : -1;                                          \
	} while (0)

/* Not inlined: the compiler must not replace the comparisons that bound @len by others. */
static __noinline long fill(struct bpf_dynptr *d, __u32 off, __u32 len, __u64 addr)
{
	if (len <= 64)
		FILL_SLICE(64);
	if (len <= 256)
		FILL_SLICE(256);
	if (len <= 1024)
		FILL_SLICE(1024);
	if (len <= HP_TEXT_MAX)
		FILL_SLICE(HP_TEXT_MAX);
	return -1;
}

/* Look at the @i-th reference of a call. */
static __always_inline void look(struct layout *l, __u32 i, struct located *out)
{
	const struct hp_ref_spec *spec =
		&slots[l->slot & (HP_SLOTS_MAX - 1)].refs[i & (HP_REFS_MAX - 1)];
	__u16 loc = spec->loc;
	__u64 oop = 0;

	if (loc & HP_LOC_STACK) {
		if (read_user(&oop, sizeof(oop), l->sp + (loc & ~HP_LOC_STACK))) {
			__builtin_memset(out, 0, sizeof(*out));
			out->status = HP_REF_FAULT;
			out->coder = HP_CODER_NONE;
			return;
		}
	} else {
		oop = regs_argument(l->ctx, loc);
	}
	locate(oop, spec->text, heap_base_of(l->ctx), target.string_max, out);
	if (!out->text_len)
		return;
	if (l->texts >= HP_TEXTS_MAX) {
		out->status = HP_REF_TOO_MANY;
		out->text_len = 0;
	} else {
		l->texts++;
	}
}

static __always_inline void grow(struct layout *l, __u32 len)
{
	__u32 need = l->end + slice_of(len);

	if (need > l->need)
		l->need = need;
	l->end += len;
}

static long measure_ref(__u64 i, struct layout *l)
{
	struct located r;

	look(l, i, &r);
	if (r.text_len)
		grow(l, r.text_len);
	if (i < KEPT)
		l->kept[i] = r;
	return 0;
}

static long put_ref(__u64 i, struct filling *f)
{
	struct located r;
	__u32 array_len;

	if (i < KEPT) {
		r = f->l.kept[i];
		f->l.texts += r.text_len > 0;
	} else {
		look(&f->l, i, &r);
	}
	array_len = r.array_len;
	if (r.text_len && fill(&f->d, f->texts_at, r.text_len, r.text))
		r.status = HP_REF_FAULT;
	if (r.status == REF_MOVING) {
		f->l.texts -= r.text_len > 0;
		look(&f->l, i, &r);
		if (r.array_len != array_len)
			r.status = HP_REF_STALE;
		else if (r.status == REF_MOVING)
			r.status = HP_REF_OK; /* not even now */
		else if (r.text_len && fill(&f->d, f->texts_at, r.text_len, r.text))
			r.status = HP_REF_FAULT;
	}
	if (r.status != HP_REF_OK)
		r.text_len = 0;
	r.text_off = f->texts_at;
	f->texts_at += r.text_len;
	bpf_dynptr_write(&f->d, f->refs_at, &r, sizeof(r), 0);
	f->refs_at += sizeof(r);
	return 0;
}

static __noinline int send_large(const struct pt_regs *ctx, struct call *c)
{
	struct filling f = {
		.l =
			{
				.ctx = ctx,
				.sp = regs_stack_pointer(ctx) + c->spec->depth,
				.slot = c->slot,
				.end = sizeof(struct hp_entry),
			},
	};
	__u32 at = sizeof(struct hp_entry);
	struct hp_entry *e;

	if (c->flags & HP_SLOT_FP) {
		f.l.sp += HP_FP_FRAME;
		grow(&f.l, 8 * HP_FP_ARGS);
	}
	if (c->nstack)
		grow(&f.l, 8 * c->nstack);
	f.l.end += c->nrefs * sizeof(struct hp_ref);
	bpf_loop(c->nrefs, measure_ref, &f.l, 0);
	if (f.l.need < f.l.end)
		f.l.need = f.l.end;
	f.l.texts = 0;
	bpf_ringbuf_reserve_dynptr(&events, f.l.need, 0, &f.d);
	e = bpf_dynptr_data(&f.d, 0, sizeof(*e));
	if (!e) {
		bpf_ringbuf_discard_dynptr(&f.d, BPF_RB_NO_WAKEUP);
		return LOST;
	}
	put_head(e, ctx, c, f.l.need);
	if (c->flags & HP_SLOT_FP) {
		if (fill(&f.d, at, 8 * HP_FP_ARGS, regs_stack_pointer(ctx)))
			e->stack_err = 1;
		at += 8 * HP_FP_ARGS;
	}
	if (c->nstack) {
		if (fill(&f.d, at, 8 * c->nstack, f.l.sp + target.stack_args_off))
			e->stack_err = 1;
		at += 8 * c->nstack;
	}
	f.refs_at = at;
	f.texts_at = at + c->nrefs * sizeof(struct hp_ref);
	bpf_loop(c->nrefs, put_ref, &f, 0);
	bpf_ringbuf_submit_dynptr(&f.d, wakeup_flags(c->stripe, f.l.need));
	return SENT;
}

/* --- hits ------------------------------------------------------------------------------------- */

/* How many more hits of a slot go to send_large() at once, after one that was too large. */
#define LARGE_RUN 15
__u8 large_run[HP_SLOTS_MAX];

static __noinline int send_fitting(const struct pt_regs *ctx, struct call *c)
{
	bool fp = c->flags & HP_SLOT_FP;
	__u32 texts = c->spec->ntexts;

	if (c->nrefs <= 1 && !texts && !fp)
		return send_short(ctx, c, ROOM(1, 0, false));
	if (c->nrefs <= 2 && texts <= 1 && !fp)
		return send_short(ctx, c, ROOM(2, 1, false));
	if (c->nrefs <= 4 && texts <= 2)
		return send_short(ctx, c, ROOM(4, 2, true));
	return TOO_LARGE;
}

static __always_inline int send(const struct pt_regs *ctx, struct call *c)
{
	__u32 slot = c->slot & (HP_SLOTS_MAX - 1);
	int sent;

	c->nstack = c->spec->nstack;
	c->nrefs = c->spec->nrefs;
	if (c->nstack > HP_STACK_WORDS_MAX || c->nrefs > HP_REFS_MAX)
		return LOST;
	c->now_ns = bpf_ktime_get_ns();
	c->java_tid = thread_of(c->stripe, regs_thread(ctx), c->tid, c->now_ns);
	if (c->nstack || large_run[slot]) {
		if (large_run[slot])
			large_run[slot]--;
		return send_large(ctx, c);
	}
	sent = send_fitting(ctx, c);
	if (sent != TOO_LARGE)
		return sent;
	large_run[slot] = LARGE_RUN;
	return send_large(ctx, c);
}

SEC("uprobe") /* loaded as sleepable where the kernel can */
int hit(struct pt_regs *ctx)
{
	__u64 slot = bpf_get_attach_cookie(ctx), pid_tgid;
	struct hp_slot_stat *stat;
	struct call c = {};
	__u32 cpu;

	if (slot >= HP_SLOTS_MAX)
		return 0;
	c.slot = slot;
	c.spec = &slots[slot];
	c.flags = *(volatile __u32 *)&c.spec->flags;
	pid_tgid = bpf_get_current_pid_tgid();
	c.tid = pid_tgid;
	c.tgid = pid_tgid >> 32;
	if (!(c.flags & HP_SLOT_LIVE) || (target.tgid && c.tgid != target.tgid))
		return 0;
	cpu = bpf_get_smp_processor_id() & stripe_mask;
	c.stripe = bpf_map_lookup_elem(&stripes, &cpu);
	if (!c.stripe)
		return 0;
	stat = &c.stripe->slots[slot];
	__sync_fetch_and_add(&stat->hits, 1);
	if (!(c.flags & HP_SLOT_COUNT) && send(ctx, &c) != SENT)
		__sync_fetch_and_add(&stat->lost, 1);
	return 0;
}
