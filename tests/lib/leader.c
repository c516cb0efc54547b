// SPDX-License-Identifier: MIT
/* leader.c - end the first thread of a process. See leader.h. */
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "lib/cmocka_all.h"
#include "lib/leader.h"
#include "proc/entry.h"

#define SYSCALL_LEN 2

void leader_end(pid_t pid)
{
	struct user_regs_struct r;
	int status;

	assert_int_equal(ptrace(PTRACE_SEIZE, pid, 0, 0), 0);
	assert_int_equal(ptrace(PTRACE_INTERRUPT, pid, 0, 0), 0);
	assert_int_equal(waitpid(pid, &status, __WALL), pid);
	assert_int_equal(ptrace(PTRACE_GETREGS, pid, 0, &r), 0);
	r.rip -= SYSCALL_LEN; /* the call that it slept in, as another one */
	r.rax = SYS_exit;
	r.orig_rax = (unsigned long long)-1;
	r.rdi = 0;
	assert_int_equal(ptrace(PTRACE_SETREGS, pid, 0, &r), 0);
	assert_int_equal(ptrace(PTRACE_DETACH, pid, 0, 0), 0);
	while (entry_leader_lives(pid))
		usleep(1000);
}
