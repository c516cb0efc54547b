// SPDX-License-Identifier: (MIT OR GPL-2.0)
/*
 * nmethod.bpf.c - compile events: HotSpot registers, retires and frees nmethods.
 *
 * One program on several functions of libjvm.so, run by the compiler thread that calls them. At the
 * entry of register_nmethod() the nmethod is complete (code copied, entry points set) but not
 * published yet, so its header is copied here and now: a moment later it may have been freed
 * again. The other events carry the header too, because it says which nmethod of a reused address
 * they are about. The cookie says which function was hit and which parameter is its nmethod*; user
 * space decides that (daemon/runtime/hotspot/codecache.c). There are some thousands of events a
 * second at worst.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/arch.bpf.h"
#include "bpf/events.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

const volatile __u32 hdr_len;
const volatile __u32 tgid; /* of the JVM; 0: not checked */

#define PAGE_SIZE 4096

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events SEC(".maps");

/* Written here only: events that did not fit. */
__u64 lost;

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

static __always_inline int send(__u16 kind, __u64 addr)
{
	struct hp_nmethod *rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);

	if (!rec)
		return -1;
	rec->h.size = sizeof(*rec);
	rec->h.kind = kind;
	rec->h.pad = 0;
	rec->h.ts_ns = bpf_ktime_get_ns();
	rec->addr = addr;
	rec->tid = (__u32)bpf_get_current_pid_tgid();
	rec->hdr_len = addr ? copy_header(rec, addr) : 0;
	/* Otherwise adaptive: a reader that has seen all before this one is woken. */
	bpf_ringbuf_submit(rec, kind == HP_REGISTER ? BPF_RB_FORCE_WAKEUP : 0);
	return 0;
}

SEC("uprobe")
int compile_event(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx), addr;
	__u16 kind = cookie & HP_COOKIE_KIND;

	if (tgid && bpf_get_current_pid_tgid() >> 32 != tgid)
		return 0;
	addr = regs_c_argument(ctx, cookie & HP_COOKIE_RSI);
	if (send(kind, kind == HP_RESCAN ? 0 : addr))
		__sync_fetch_and_add(&lost, 1);
	return 0;
}
