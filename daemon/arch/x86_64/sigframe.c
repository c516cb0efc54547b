// SPDX-License-Identifier: MIT
/* sigframe.c - build a signal frame. See sigframe.h. */
#include <asm/sigcontext.h>
#include <cpuid.h>

#include "arch/sigframe.h"

/* From the kernel's arch/x86/include/uapi/asm/ucontext.h. */
#define UC_FP_XSTATE	     0x1
#define UC_SIGCONTEXT_SS     0x2
#define UC_STRICT_RESTORE_SS 0x4

/* struct rt_sigframe of arch/x86/include/asm/sigframe.h. */
struct rt_frame {
	uint64_t pretcode;
	uint64_t uc_flags, uc_link;
	uint64_t ss_sp;
	uint32_t ss_flags, ss_pad;
	uint64_t ss_size;
	struct sigcontext mcontext;
	uint64_t sigmask;
	uint64_t siginfo[16];
};
_Static_assert(sizeof(struct sigcontext) == 256, "struct sigcontext_64 of the kernel");
_Static_assert(sizeof(struct rt_frame) == 440, "struct rt_sigframe of the kernel");
_Static_assert(offsetof(struct rt_frame, siginfo) == SIGFRAME_COOKIE_OFF, "sigframe.h");
_Static_assert(offsetof(struct rt_frame, mcontext.rip) == 8 * (SIGFRAME_PEEK_WORDS - 1) &&
		       offsetof(struct rt_frame, mcontext.rsp) < 8 * SIGFRAME_PEEK_WORDS,
	       "sigframe.h");

/* The extended state in its standard form. Source: Intel SDM vol. 1, 13.4. */
#define XSTATE_MIN	   576 /* legacy area, then the header */
#define XSTATE_SW_OFFSET   464 /* 48 bytes for software; ptrace puts XCR0 into the first eight */
#define XSTATE_BV_OFFSET   512
#define XFEATURE_FPSSE	   0x3ULL
#define XFEATURE_TILE_DATA (1ULL << 18)
#define XFEATURES_MAX	   63
#define CPUID_XSTATE	   0xd

static uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static void store(uint8_t *p, const void *v, size_t len)
{
	memcpy(p, v, len);
}

/* Bytes that hold all of @features; the first two lie in the legacy area. */
static size_t xstate_size(uint64_t features)
{
	size_t size = XSTATE_MIN;

	for (unsigned int i = 2; i < XFEATURES_MAX; i++) {
		unsigned int eax, ebx, ecx, edx;

		if (!(features >> i & 1) ||
		    !__get_cpuid_count(CPUID_XSTATE, i, &eax, &ebx, &ecx, &edx))
			continue;
		size = MAX(size, (size_t)ebx + eax);
	}
	return size;
}

/*
 * The kernel looks for a second magic word right behind the state, at xstate_size of the frame or,
 * in versions with dc8aa31a7ac2 ("x86/fpu: Refine and simplify the magic number check during signal
 * return") and without its revert, at the size of the task's own buffer. Both are the same unless
 * the processor has AMX, whose tile data a task gets room for only once it uses them. While they
 * are unused no one reads that room, so a magic word goes to either place. Without it all but the
 * SSE registers would be lost.
 */
static int put_xstate(const struct sigframe_state *s, uint8_t *to)
{
	struct _fpx_sw_bytes sw = {.magic1 = FP_XSTATE_MAGIC1};
	uint32_t magic2 = FP_XSTATE_MAGIC2;
	uint64_t bv;
	size_t size = s->xstate_len;

	if (size < XSTATE_MIN || size >= SIGFRAME_XSTATE_MAX)
		return -EOPNOTSUPP;
	memcpy(to, s->xstate, size);
	store(to + size, &magic2, sizeof(magic2));
	sw.xfeatures = load64(to + XSTATE_SW_OFFSET);
	bv = load64(to + XSTATE_BV_OFFSET);
	if (sw.xfeatures & XFEATURE_TILE_DATA && !(bv & XFEATURE_TILE_DATA)) {
		size = xstate_size(sw.xfeatures & ~XFEATURE_TILE_DATA);
		if (size > s->xstate_len)
			return -EOPNOTSUPP;
		store(to + size, &magic2, sizeof(magic2));
	}
	sw.xstate_size = (uint32_t)size;
	sw.extended_size = (uint32_t)(size + FP_XSTATE_MAGIC2_SIZE);
	store(to + XSTATE_SW_OFFSET, &sw, sizeof(sw));
	bv |= XFEATURE_FPSSE;
	store(to + XSTATE_BV_OFFSET, &bv, sizeof(bv));
	return 0;
}

static void put_regs(const struct user_regs_struct *r, struct sigcontext *c)
{
	c->r8 = r->r8;
	c->r9 = r->r9;
	c->r10 = r->r10;
	c->r11 = r->r11;
	c->r12 = r->r12;
	c->r13 = r->r13;
	c->r14 = r->r14;
	c->r15 = r->r15;
	c->rdi = r->rdi;
	c->rsi = r->rsi;
	c->rbp = r->rbp;
	c->rbx = r->rbx;
	c->rdx = r->rdx;
	c->rax = r->rax;
	c->rcx = r->rcx;
	c->rsp = r->rsp;
	c->rip = r->rip;
	c->eflags = r->eflags;
	c->cs = (uint16_t)r->cs;
	c->ss = (uint16_t)r->ss;
}

int sigframe_build(const struct sigframe_state *s, uint64_t top, uint64_t sigreturn,
		   struct sigframe *ret)
{
	struct rt_frame f = {
		.pretcode = sigreturn,
		.uc_flags = UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS,
		/* No such mode: do_sigaltstack() refuses, and the thread keeps its alternate stack.
		 */
		.ss_flags = ~0u,
		.sigmask = s->sigmask,
	};
	uint64_t xstate = (top - s->xstate_len - FP_XSTATE_MAGIC2_SIZE) & ~63ULL;
	int err;

	ret->addr = ((xstate - sizeof(f)) & ~15ULL) - 8;
	ret->len = xstate + s->xstate_len + FP_XSTATE_MAGIC2_SIZE - ret->addr;
	if (ret->len > sizeof(ret->bytes))
		return -EOPNOTSUPP;
	memset(ret->bytes, 0, ret->len);
	err = put_xstate(s, ret->bytes + (xstate - ret->addr));
	if (err)
		return err;
	f.siginfo[0] = SIGFRAME_COOKIE;
	f.siginfo[1] = ret->addr;
	put_regs(&s->regs.user, &f.mcontext);
	if (s->call >= 0) {
		f.mcontext.rax = (uint64_t)s->call;
		f.mcontext.rip = s->call_pc;
	}
	f.mcontext.fpstate = (void *)xstate;
	memcpy(ret->bytes, &f, sizeof(f));
	return 0;
}

struct sigframe_peek sigframe_peek(const uint64_t words[static SIGFRAME_PEEK_WORDS])
{
	return (struct sigframe_peek){
		.restorer = words[0],
		.pc = words[offsetof(struct rt_frame, mcontext.rip) / 8],
		.sp = words[offsetof(struct rt_frame, mcontext.rsp) / 8],
	};
}
