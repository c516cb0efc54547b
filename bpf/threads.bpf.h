/* SPDX-License-Identifier: (MIT OR GPL-2.0) */
/*
 * threads.bpf.h - which thread makes a call: its id at every hit, its name once a second.
 */
#ifndef HP_THREADS_BPF_H
#define HP_THREADS_BPF_H

#include "bpf/capture.bpf.h"
#include "bpf/maps.bpf.h"

#define TASK_COMM_LEN 16 /* Linux include/linux/sched.h */

/* A thread: {java_tid, 0}, or {JavaThread*, kernel tid} where that spares the reads. */
struct thread_key {
	__u64 a, b;
};

struct thread_seen {
	__u64 java_tid;
	__u64 ts_ns;
};

#define THREADS_MAX    16384
#define THREAD_REDO_NS 1000000000ULL

_Static_assert(TASK_COMM_LEN <= HP_THREAD_NAME_MAX, "a name of the kernel fits");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, THREADS_MAX);
	__type(key, struct thread_key);
	__type(value, struct thread_seen);
} threads SEC(".maps");

/* The java.lang.Thread that runs on @jthread: the virtual thread if one is mounted. */
static __always_inline __u32 thread_oop(__u64 jthread, __u64 *ret)
{
	__u32 off =
		target.thread_vthread != HP_OFF_NONE ? target.thread_vthread : target.thread_obj;
	__u64 slot = 0, raw = 0;

	*ret = 0;
	if (off == HP_OFF_NONE || read_user(&slot, sizeof(slot), jthread + off) ||
	    read_user(&raw, sizeof(raw), slot))
		return HP_REF_FAULT;
	return full_decode(raw, ret);
}

/*
 * What was found by following references is right if none of them was moving; or if following them
 * a second time leads to the same place: then nothing was moved meanwhile.
 */
static __always_inline __u32 read_tid(__u64 jthread, __u64 *tid, __u64 *oop)
{
	__u32 status = thread_oop(jthread, oop);

	if (is_readable(status) && read_user(tid, sizeof(*tid), *oop + target.thread_tid_off))
		status = HP_REF_FAULT;
	return status;
}

/* java.lang.Thread.tid, 0 unknown. */
__noinline int read_java_tid(__u64 jthread, __u64 *ret)
{
	__u64 tid = 0, oop, again = 0;
	__u32 status;

	if (!ret)
		return 0;
	*ret = 0;
	if (target.thread_lock_id != HP_OFF_NONE) {
		if (read_user(&tid, sizeof(tid), jthread + target.thread_lock_id) == 0)
			*ret = tid;
		return 0;
	}
	status = read_tid(jthread, &tid, &oop);
	if (status == REF_MOVING) {
		status = read_tid(jthread, &tid, &again);
		if (status == REF_MOVING && oop == again)
			status = HP_REF_OK;
	}
	if (status == HP_REF_OK)
		*ret = tid;
	return 0;
}

/* The String at Thread.name. A global function because its callers have no stack left. */
__noinline int locate_name(__u64 jthread, struct located *out)
{
	__u64 oop, raw = 0;
	__u32 narrow = 0, status, name_status;

	if (!out)
		return HP_REF_FAULT;
	__builtin_memset(out, 0, sizeof(*out));
	status = thread_oop(jthread, &oop);
	if (!is_readable(status))
		return status;
	oop += target.thread_name_off;
	if (target.narrow_oops) {
		if (read_user(&narrow, sizeof(narrow), oop))
			return HP_REF_FAULT;
		name_status = narrow_decode(narrow, target.narrow_oop_base, &oop);
	} else {
		if (read_user(&raw, sizeof(raw), oop))
			return HP_REF_FAULT;
		name_status = full_decode(raw, &oop);
	}
	if (!is_readable(name_status))
		return name_status;
	locate(oop, true, target.narrow_oop_base, HP_THREAD_NAME_MAX, out);
	if (out->status == HP_REF_OK && (status == REF_MOVING || name_status == REF_MOVING))
		out->status = REF_MOVING;
	return out->status;
}

static __always_inline long copy_name(struct hp_thread *rec, const struct located *name)
{
	__u32 len = name->text_len;

	if (len > HP_THREAD_NAME_MAX)
		len = HP_THREAD_NAME_MAX;
	rec->text_len = len;
	rec->name_len = name->array_len;
	rec->coder = name->coder;
	return len ? read_now(rec->text, len, name->text) : 0;
}

static __always_inline void put_thread_head(struct hp_thread *rec, __u64 java_tid, __u64 now_ns)
{
	rec->h.size = sizeof(*rec);
	rec->h.kind = HP_THREAD;
	rec->h.pad = 0;
	rec->h.ts_ns = now_ns;
	rec->name_len = 0;
	rec->pad = 0;
	rec->java_tid = java_tid;
	rec->tid = (__u32)bpf_get_current_pid_tgid();
}

/* Send the thread's name to user space. Return: 0; -1 not sent, to be tried at the next hit. */
__noinline int tell_thread(__u64 jthread, __u64 java_tid, __u64 now_ns)
{
	struct hp_thread *rec;
	struct located name;
	__u32 status = locate_name(jthread, &name);
	__u64 text = name.text;

	rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);
	if (!rec)
		return -1;
	put_thread_head(rec, java_tid, now_ns);
	if (copy_name(rec, &name))
		status = HP_REF_FAULT;
	if (status == REF_MOVING) {
		status = locate_name(jthread, &name);
		if (status == REF_MOVING && name.text == text)
			status = HP_REF_OK;
		else if (copy_name(rec, &name))
			status = HP_REF_FAULT;
	}
	if (status == REF_MOVING || status == HP_REF_STALE) { /* next time, then */
		bpf_ringbuf_discard(rec, BPF_RB_NO_WAKEUP);
		return -1;
	}
	if (status != HP_REF_OK)
		rec->text_len = rec->name_len = 0;
	rec->status = status;
	bpf_ringbuf_submit(rec, BPF_RB_NO_WAKEUP);
	return 0;
}

/* The kernel's name of a thread, which a native image sets to the Java thread's. */
static __noinline int tell_native_thread(__u64 now_ns)
{
	struct hp_thread *rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);

	if (!rec)
		return -1;
	put_thread_head(rec, 0, now_ns);
	rec->coder = HP_CODER_NONE;
	rec->status = HP_REF_OK;
	rec->text_len = bpf_get_current_comm(rec->text, TASK_COMM_LEN) ? 0 : TASK_COMM_LEN;
	bpf_ringbuf_submit(rec, BPF_RB_NO_WAKEUP);
	return 0;
}

/*
 * Without virtual threads a JavaThread has one java.lang.Thread for life, so that the id need not
 * be read at every hit; the kernel's tid tells a JavaThread from a later one at the same address.
 */
static __always_inline bool keyed_by_jthread(void)
{
	return target.thread_lock_id == HP_OFF_NONE && target.thread_vthread == HP_OFF_NONE;
}

static __always_inline __u64 thread_sum(__u64 a, __u64 b, __u64 java_tid, __u64 ts_ns)
{
	return a ^ b << 20 ^ java_tid * 0x9e3779b97f4a7c15ULL ^ ts_ns;
}

/*
 * A thread that another CPU saw last, or that is new. Its name is sent to user space before its
 * first call and once a second after that, so that a new name and a reused id are noticed.
 */
static __noinline __u64 look_up_thread(struct hp_stripe *stripe, __u64 jthread, __u64 a, __u64 b,
				       __u64 now_ns)
{
	struct thread_key key = {a, b};
	struct thread_seen *seen = bpf_map_lookup_elem(&threads, &key), fresh = {a, now_ns};

	if (seen && now_ns - seen->ts_ns < THREAD_REDO_NS) {
		fresh = *seen;
	} else {
		if (target.native_image) {
			fresh.java_tid = 0;
			if (tell_native_thread(now_ns))
				return 0;
		} else {
			if (keyed_by_jthread())
				read_java_tid(jthread, &fresh.java_tid);
			if (!fresh.java_tid || tell_thread(jthread, fresh.java_tid, now_ns))
				return fresh.java_tid;
		}
		bpf_map_update_elem(&threads, &key, &fresh, BPF_ANY);
	}
	stripe->thread_a = a;
	stripe->thread_b = b;
	stripe->java_tid = fresh.java_tid;
	stripe->thread_ts_ns = fresh.ts_ns;
	stripe->sum = thread_sum(a, b, fresh.java_tid, fresh.ts_ns);
	return fresh.java_tid;
}

static __always_inline __u64 thread_of(struct hp_stripe *stripe, __u64 jthread, __u32 tid,
				       __u64 now_ns)
{
	__u64 a = jthread, b = tid, java_tid, ts_ns;

	if (!keyed_by_jthread()) {
		read_java_tid(jthread, &a);
		if (!a)
			return 0;
		b = 0;
	}
	java_tid = stripe->java_tid;
	ts_ns = stripe->thread_ts_ns;
	if (stripe->thread_a == a && stripe->thread_b == b && now_ns - ts_ns < THREAD_REDO_NS &&
	    stripe->sum == thread_sum(a, b, java_tid, ts_ns))
		return java_tid;
	return look_up_thread(stripe, jthread, a, b, now_ns);
}

#endif
