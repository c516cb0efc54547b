// SPDX-License-Identifier: MIT
/*
 * outside.c - is any thread still inside a range of code? See hijack_threads_outside().
 *
 * A thread that sleeps in a system call need not be stopped: the kernel tells where its stack and
 * program counter are. Reading its stack afterwards is no race: if a signal handler's
 * frame that leads into the range is on it, that frame is only given up by going into the range,
 * and whatever may overwrite it there is another signal frame at the same place, leading to the
 * same.
 */
#include <sys/uio.h>
#include <sys/user.h>

#include "inject/hijack.h"
#include "inject/threads.h"
#include "inject/tracee.h"

/* A signal handler, and the kernel's frame for it (12 KiB with AMX), lie within this. */
#define STACK_SCAN (64u << 10)
#define PAGE	   4096u
#define ROUNDS_MAX 16

struct range {
	uint64_t lo, hi;
};

static bool inside(const struct range *r, uint64_t addr)
{
	return addr >= r->lo && addr < r->hi;
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
 * Any word that leads into the range counts: the program counter in a signal frame, and the return
 * address of the kernel's uprobe trampoline (6.18, arch/x86/kernel/uprobes.c). A stale word may
 * look like one; then the range is taken for in use, which does no harm.
 */
static int stack_outside(pid_t tid, uint64_t sp, const struct range *r)
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
	for (size_t i = 0; i < n; i++)
		if (inside(r, buf[i]))
			return 0;
	return 1;
}

static bool is_dead(pid_t pid, pid_t tid)
{
	struct thread_info t;

	return thread_read(pid, tid, &t) || thread_dead(&t);
}

static int running_outside(pid_t pid, pid_t tid, const struct range *r)
{
	struct user_regs_struct regs;
	int err = tracee_stop(tid, 0, mono_ns() + TRACEE_LIMIT_NS);

	if (err == -ESRCH || (err == -EPERM && is_dead(pid, tid)))
		return 1;
	if (err)
		return err;
	err = tracee_ptrace(tid, PTRACE_GETREGS, 0, (uint64_t)(uintptr_t)&regs);
	if (!err)
		err = inside(r, regs.rip) ? 0 : stack_outside(tid, regs.rsp, r);
	tracee_detach(tid, 0);
	return err == -ESRCH ? 1 : err;
}

static int thread_outside(pid_t pid, pid_t tid, const struct range *r)
{
	struct thread_info t;
	int err = thread_read_blocked(pid, tid, &t);

	if (err)
		return err == -ESRCH ? 1 : err;
	if (!t.blocked || !t.sp)
		return running_outside(pid, tid, r);
	return inside(r, t.pc) ? 0 : stack_outside(tid, t.sp, r);
}

static int by_tid(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

/* All of @tids that are not in @seen, which is sorted. */
static int new_outside(pid_t pid, const pid_t *tids, size_t n, const pid_t *seen, size_t n_seen,
		       const struct range *r, size_t *n_new)
{
	*n_new = 0;
	for (size_t i = 0; i < n; i++) {
		int res;

		if (n_seen && bsearch(&tids[i], seen, n_seen, sizeof(*seen), by_tid))
			continue;
		++*n_new;
		res = thread_outside(pid, tids[i], r);
		if (res != 1)
			return res;
	}
	return 1;
}

int hijack_threads_outside(pid_t pid, uint64_t lo, uint64_t hi)
{
	const struct range r = {lo, hi};
	_cleanup_free_ pid_t *seen = NULL;
	size_t n_seen = 0, n_new = 1;

	/*
	 * The kernel's listing may leave out a thread when others end meanwhile, so it is repeated
	 * until it brings nothing new. A thread that is younger than the first listing cannot be
	 * inside.
	 */
	for (int round = 0; round < ROUNDS_MAX && n_new; round++) {
		pid_t *tids;
		size_t n;
		int res = threads_list(pid, &tids, &n);

		if (res)
			return res;
		res = new_outside(pid, tids, n, seen, n_seen, &r, &n_new);
		free(seen);
		seen = tids;
		n_seen = n;
		if (res != 1)
			return res;
		qsort(seen, n_seen, sizeof(*seen), by_tid);
	}
	return 1;
}
