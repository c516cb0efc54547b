// SPDX-License-Identifier: MIT
/*
 * threads_outside.c - is any thread still inside a range of code? See threads_outside.h.
 *
 * Looking at the stack of a thread that was not stopped is no race: if a signal handler's frame
 * that leads into the range is on it, that frame is only given up by going into the range, and
 * whatever may overwrite it there is another signal frame at the same place, leading to the same. A
 * thread that began after nothing led into the range any more cannot be inside.
 */
#include <sys/uio.h>

#include "arch/sigframe.h"
#include "arch/syscall_code.h"
#include "remote/threads_outside.h"
#include "remote/threads_survey.h"
#include "remote/tracee.h"
#include "proc/maps.h"

/* A signal handler, and the kernel's frame for it, lie within this. */
#define STACK_SCAN (64u << 10)
_Static_assert(STACK_SCAN >= 2 * SIGFRAME_MAX, "a frame is seen whole");
#define PAGE 4096u

/* The kernel's uprobe trampoline pushes the return address and three registers (6.18). */
#define TRAMPOLINE_WORDS 8

struct range {
	const struct maps *maps;
	uint64_t lo, hi;
	threads_inside_fn *fn; /* NULL: all of it */
	void *arg;
};

static bool inside(const struct range *r, uint64_t addr)
{
	return addr >= r->lo && addr < r->hi && (!r->fn || r->fn(r->arg, addr));
}

static bool in_mapping(const struct range *r, uint64_t addr, const char *name)
{
	const struct map_entry *e = maps_find(r->maps, addr);

	return e && strcmp(e->path, name) == 0;
}

/*
 * Will a thread with these registers go through the range? It is there; or in the kernel's
 * trampoline, which a slot's nop was turned into a call of, and which returns to the slot; or it
 * executes an instruction that a uprobe replaced, out of line, and whose that is cannot be seen.
 * Source: kernel arch/x86/kernel/uprobes.c, kernel/events/uprobes.c (6.18).
 */
static bool leads_inside(const struct range *r, pid_t tid, uint64_t pc, uint64_t sp)
{
	uint64_t words[TRAMPOLINE_WORDS];

	if (inside(r, pc) || in_mapping(r, pc, "[uprobes]"))
		return true;
	if (!in_mapping(r, pc, "[uprobes-trampoline]"))
		return false;
	if (tracee_read(tid, sp, words, sizeof(words)))
		return true;
	for (size_t i = 0; i < TRAMPOLINE_WORDS; i++) {
		if (inside(r, words[i]))
			return true;
	}
	return false;
}

/* Is there code at @addr that calls rt_sigreturn, as at a signal frame's return address? */
static bool is_restorer(const struct range *r, pid_t tid, uint64_t addr)
{
	const struct map_entry *e = maps_find(r->maps, addr);
	uint8_t code[SYSCALL_CODE_LONGEST];

	if (!e || !e->exec || tracee_read(tid, addr, code, sizeof(code)))
		return false;
	return syscall_code_sigreturn(code, sizeof(code));
}

/* Page by page, for the stack may end anywhere. Return: bytes read. */
static size_t read_stack(pid_t tid, uint64_t sp, uint64_t *buf)
{
	struct iovec local = {buf, STACK_SCAN}, remote[STACK_SCAN / PAGE + 1];
	size_t n = 0;
	ssize_t got;

	for (uint64_t at = sp, end = sp + STACK_SCAN; at < end; n++) {
		uint64_t next = MIN((at | (PAGE - 1)) + 1, end);

		remote[n].iov_base = (void *)at;
		remote[n].iov_len = next - at;
		at = next;
	}
	got = process_vm_readv(tid, &local, 1, remote, n, 0);
	return got > 0 ? (size_t)got : 0;
}

/*
 * Does a signal frame on the stack lead back into the range? Only whole frames count: stale return
 * addresses of the uprobe trampoline lie about on every stack that passed a slot.
 */
static int stack_outside(const struct range *r, pid_t tid, uint64_t sp)
{
	_cleanup_free_ uint64_t *buf = NULL;
	size_t n;

	sp &= ~7ULL;
	if (sp > UINT64_MAX - STACK_SCAN)
		return 1;
	buf = malloc(STACK_SCAN);
	if (!buf)
		return -ENOMEM;
	n = read_stack(tid, sp, buf) / sizeof(*buf);
	for (size_t i = 0; i + SIGFRAME_PEEK_WORDS <= n; i++) {
		struct sigframe_peek f = sigframe_peek(buf + i);

		if (f.pc < PAGE || f.restorer < PAGE)
			continue;
		if (leads_inside(r, tid, f.pc, f.sp) && is_restorer(r, tid, f.restorer))
			return 0;
	}
	return 1;
}

static int thread_outside(const void *ctx, pid_t tid, uint64_t pc, uint64_t sp)
{
	const struct range *r = ctx;

	return leads_inside(r, tid, pc, sp) ? 0 : stack_outside(r, tid, sp);
}

static int none_lives(const void *ctx, pid_t tid, uint64_t pc, uint64_t sp)
{
	(void)ctx;
	(void)tid;
	(void)pc;
	(void)sp;
	return 0;
}

int threads_outside_check(pid_t pid, uint64_t lo, uint64_t hi, threads_inside_fn *fn, void *arg)
{
	_cleanup_maps_ struct maps maps = {0};
	struct range r = {.maps = &maps, .lo = lo, .hi = hi, .fn = fn, .arg = arg};
	int err = maps_read(pid, &maps);

	if (err)
		return err;
	if (maps.n)
		err = threads_survey(pid, thread_outside, &r);
	else /* all threads have ended, or are about to */
		err = threads_survey(pid, none_lives, NULL) == 1 ? -ESRCH : -EAGAIN;
	return err;
}

int threads_outside(pid_t pid, uint64_t lo, uint64_t hi)
{
	return threads_outside_check(pid, lo, hi, NULL, NULL);
}
