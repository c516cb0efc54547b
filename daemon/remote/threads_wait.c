// SPDX-License-Identifier: MIT
/*
 * threads_wait.c - wait for the remote calls of a killed instance. See threads_wait.h.
 *
 * Released by the death of its tracer, a thread that makes one runs its system call or function to
 * the end, and then goes on where it was. Until then it may still map what the next instance has
 * just not found, or divert what it has just put back. It is known by what it returns by: a signal
 * frame that bears our cookie, with the stack pointer right at the frame's beginning.
 */
#include "remote/threads_wait.h"
#include "arch/sigframe.h"
#include "remote/threads_survey.h"
#include "remote/tracee.h"

#define PATIENCE_NS NSEC_PER_SEC
#define PAUSE_US    100

/*
 * How far below the frame a thread in a remote call may have its stack pointer: a function called,
 * the return address in it, what the kernel's uprobe trampoline saves. On landing it is 8 above.
 */
#define BELOW_FRAME 128

static int not_in_call(const void *ctx, pid_t tid, uint64_t pc, uint64_t sp)
{
	uint64_t words[(BELOW_FRAME + SIGFRAME_COOKIE_OFF) / sizeof(uint64_t) + 3];
	uint64_t from = (sp & ~7ULL) - 8;
	const size_t at = SIGFRAME_COOKIE_OFF / sizeof(uint64_t);

	(void)ctx;
	(void)pc;
	if (tracee_read(tid, from, words, sizeof(words)))
		return 1; /* so near the end of its stack nothing of ours has room */
	for (size_t i = 0; i + at + 1 < ARRAY_SIZE(words); i++)
		if (words[i + at] == SIGFRAME_COOKIE && words[i + at + 1] == from + 8 * i)
			return 0;
	return 1;
}

int threads_wait(pid_t pid)
{
	uint64_t deadline_ns = clock_ns() + PATIENCE_NS;

	for (;;) {
		int res = threads_survey(pid, not_in_call, NULL);

		if (res)
			return res == 1 ? 0 : res;
		if (clock_ns() > deadline_ns)
			return -EAGAIN;
		usleep(PAUSE_US);
	}
}
