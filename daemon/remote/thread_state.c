// SPDX-License-Identifier: MIT
/* thread_state.c - everything a stopped thread has to be given back. See thread_state.h. */
#include <sys/syscall.h>
#include <sys/uio.h>

#include "arch/syscall_code.h"
#include "remote/thread_state.h"
#include "remote/tracee.h"

/*
 * Inside a restartable sequence the kernel would see our program counter, take the sequence for
 * done, and not abort it when it should. Source: kernel/rseq.c, rseq_ip_fixup().
 */
static bool in_rseq(pid_t tid, const struct sigframe_state *s)
{
	struct {
		uint64_t rseq;
		uint32_t size, signature, flags, pad;
	} conf = {0};
	struct {
		uint32_t version, flags;
		uint64_t start, length, abort;
	} cs;
	uint64_t ptr;

	if (regs_syscall(&s->regs) >= 0)
		return false; /* system calls are not allowed in there */
	if (tracee_ptrace(tid, TRACEE_GET_RSEQ_CONFIGURATION, sizeof(conf),
			  (uint64_t)(uintptr_t)&conf) ||
	    !conf.rseq)
		return false;
	if (tracee_read(tid, conf.rseq + 8, &ptr, sizeof(ptr)) || !ptr)
		return false;
	if (tracee_read(tid, ptr, &cs, sizeof(cs)))
		return true;
	return regs_pc(&s->regs) - cs.start < cs.length;
}

/*
 * A sleep that was interrupted before, by us or by job control, is a restart_syscall(2) now. What
 * it was is in the instruction before the system call's, as the C libraries write it. These are all
 * the calls the kernel restarts like that (set_restart_fn()).
 */
static int64_t repeated_sleep(pid_t tid, uint64_t insn)
{
	uint8_t before[SYSCALL_CODE_SET_LEN];

	if (tracee_read(tid, insn - sizeof(before), before, sizeof(before)))
		return SYS_restart_syscall;
	switch (syscall_code_number(before)) {
	case SYS_poll:
	case SYS_nanosleep:
	case SYS_futex:
	case SYS_clock_nanosleep:
		return syscall_code_number(before);
	default:
		return SYS_restart_syscall;
	}
}

static bool is_syscall_insn(pid_t tid, uint64_t addr)
{
	uint8_t code[SYSCALL_CODE_LEN];

	return !tracee_read(tid, addr, code, sizeof(code)) && syscall_code_is(code);
}

/*
 * The system call that the thread has to make again if it returns without us. What the kernel has
 * for sleeps, restart_syscall, which knows how much is left, is closed then: rt_sigreturn makes it
 * fail with EINTR (current->restart_block.fn = do_no_restart_syscall), which a program without
 * signal handlers never expects of nanosleep or poll. The same call made again waits
 * longer than asked, which every program must bear; with an absolute timeout (all of HotSpot's
 * waits) it is exact. The thread may be inside the call, or about to make it.
 */
static void find_restart(pid_t tid, struct sigframe_state *s)
{
	const struct regs *r = &s->regs;
	uint64_t insn = regs_pc(r);
	int64_t nr = regs_next_syscall(r);

	s->call = -1;
	if (regs_interrupted(r)) {
		insn -= SYSCALL_CODE_LEN;
		nr = regs_syscall(r);
	} else if (nr != SYS_restart_syscall || !is_syscall_insn(tid, insn)) {
		return;
	}
	s->call = nr == SYS_restart_syscall ? repeated_sleep(tid, insn) : nr;
	s->call_pc = insn;
}

int thread_state_read(pid_t tid, struct sigframe_state *s)
{
	struct iovec xstate = {s->xstate, sizeof(s->xstate)};
	int err = tracee_get_regs(tid, &s->regs);

	if (!err && !regs_native(&s->regs))
		return -EOPNOTSUPP;
	if (!err)
		err = tracee_ptrace(tid, TRACEE_GETSIGMASK, sizeof(s->sigmask),
				    (uint64_t)(uintptr_t)&s->sigmask);
	if (!err)
		err = tracee_ptrace(tid, PTRACE_GETREGSET, (uint64_t)regs_fp_note,
				    (uint64_t)(uintptr_t)&xstate);
	if (err)
		return err == -EIO || err == -ENODEV || err == -EINVAL ? -EOPNOTSUPP : err;
	s->xstate_len = xstate.iov_len;
	find_restart(tid, s);
	return in_rseq(tid, s) ? -EAGAIN : 0;
}
