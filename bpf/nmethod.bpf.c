// SPDX-License-Identifier: (MIT OR GPL-2.0)
/*
 * nmethod.bpf.c - compile events: HotSpot registers, retires and frees nmethods.
 *
 * One program on several functions of libjvm.so, on the compiler thread that calls them. At the
 * entry of register_nmethod() the nmethod is complete (code copied, entry points set) but not
 * published yet, so its header is copied here and now: read a moment later from outside it may have
 * been freed again. Which function was hit, and in which register it has the nmethod*, is in the
 * cookie; both are user space's decision (daemon/follow.c), as is the order of events: there is
 * none but ts_ns.
 *
 * Rare, some thousands a second at the worst, so nothing here is tuned but what is sent: the short
 * form of all but new nmethods, because a class unloading frees thousands at once.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/events.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

const volatile __u32 hdr_len;

#define PAGE_SIZE 4096

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events SEC(".maps");

/* Written here only: events that did not fit. */
__u64 lost;

static __always_inline void put_head(struct hp_nmethod *rec, __u32 size, __u16 kind, __u64 addr)
{
	rec->h.size = size;
	rec->h.kind = kind;
	rec->h.pad = 0;
	rec->h.ts_ns = bpf_ktime_get_ns();
	rec->addr = addr;
	rec->tid = (__u32)bpf_get_current_pid_tgid();
	rec->hdr_len = 0;
}

/* A small nmethod may end, and with it the mapped part of the code heap, before hdr_len bytes. */
static __always_inline __u32 copy_header(struct hp_nmethod *rec, __u64 addr)
{
	__u32 len = hdr_len, rest = PAGE_SIZE - addr % PAGE_SIZE;

	if (len > HP_NMETHOD_HDR_MAX)
		return 0;
	if (bpf_probe_read_user(rec->hdr, len, (void *)addr) == 0)
		return len;
	if (rest >= len || bpf_probe_read_user(rec->hdr, rest, (void *)addr))
		return 0;
	return rest;
}

static __always_inline int send_register(__u64 addr)
{
	struct hp_nmethod *rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);

	if (!rec)
		return -1;
	put_head(rec, sizeof(*rec), HP_REGISTER, addr);
	rec->hdr_len = copy_header(rec, addr);
	bpf_ringbuf_submit(rec, BPF_RB_FORCE_WAKEUP);
	return 0;
}

static __always_inline int send_other(__u16 kind, __u64 addr)
{
	struct hp_nmethod *rec = bpf_ringbuf_reserve(&events, HP_NMETHOD_SHORT, 0);

	if (!rec)
		return -1;
	put_head(rec, HP_NMETHOD_SHORT, kind, kind == HP_RESCAN ? 0 : addr);
	/* Adaptive: wakes a reader that has seen all before this one, which then sees the rest. */
	bpf_ringbuf_submit(rec, 0);
	return 0;
}

SEC("uprobe")
int compile_event(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx), rdi = ctx->di, rsi = ctx->si, addr;
	__u16 kind = cookie & HP_COOKIE_KIND;

	barrier_var(rdi); /* read, then choose: the verifier allows no computed place in ctx */
	barrier_var(rsi);
	addr = cookie & HP_COOKIE_RSI ? rsi : rdi;

	if (kind == HP_REGISTER ? send_register(addr) : send_other(kind, addr))
		__sync_fetch_and_add(&lost, 1);
	return 0;
}
