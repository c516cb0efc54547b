/* SPDX-License-Identifier: MIT */
/*
 * trial.c - see trial.h. The child may do nothing that a signal handler may not, and not even use
 * errno: it runs on a stack of its own, but with the thread-local variables of its parent, which
 * goes on meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <linux/memfd.h>

#include "clock.h"
#include "signals.h"
#include "trial.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define STACK_BYTES   16384
#define STEP_MS	      1

#define FIXED 0x100000 /* MAP_FIXED_NOREPLACE */

/* Of linux/membarrier.h, which the oldest systems do not have. */
#define SYNC_CORE	   (1 << 5)
#define REGISTER_SYNC_CORE (1 << 6)

/* Fails with one of these errors where it is allowed. */
struct attempt {
	long nr, arg[5];
	int errors[2];
};

#define AGENT_CALLS 13

static const struct attempt attempts[] = {
	/* Without a wait, and without a socket: these need neither. */
	{SYS_poll, {0, 0, 0}, {0}},
	{SYS_socket, {AF_UNIX, -1}, {EINVAL}},
	{SYS_bind, {-1}, {EBADF}},
	{SYS_listen, {-1}, {EBADF}},
	{SYS_connect, {-1}, {EBADF}},
	{SYS_accept4, {-1}, {EBADF}},
	{SYS_getsockopt, {-1}, {EBADF}},
	{SYS_sendmsg, {-1}, {EBADF}},
	{SYS_recvfrom, {-1}, {EBADF}},
	{SYS_eventfd2, {0, -1}, {EINVAL}},
	{SYS_openat, {-1}, {EFAULT}},
	{SYS_getdents64, {-1}, {EBADF}},
	{SYS_readlinkat, {-1}, {EINVAL}},
	/* What daemon/region asks for, by the agent or in its stub. */
	{SYS_memfd_create, {0, MFD_CLOEXEC | MFD_ALLOW_SEALING}, {EFAULT, EINVAL}},
	{SYS_mmap, {0, 0, PROT_READ | PROT_EXEC, MAP_PRIVATE | FIXED, -1}, {EBADF, EINVAL}},
	{SYS_mmap, {0, 0, PROT_READ | PROT_EXEC, MAP_SHARED | FIXED, -1}, {EBADF, EINVAL}},
	{SYS_mmap, {0, 0, PROT_READ | PROT_WRITE, MAP_SHARED | FIXED, -1}, {EBADF, EINVAL}},
	{SYS_munmap, {0, 0}, {EINVAL}},
	{SYS_membarrier, {REGISTER_SYNC_CORE, -1}, {EINVAL}},
	{SYS_membarrier, {SYNC_CORE, -1}, {EINVAL}},
	{SYS_close, {-1}, {EBADF}},
};

_Static_assert(ARRAY_SIZE(attempts) > AGENT_CALLS, "the agent's come first");

/* Written by the child. */
static atomic_size_t n_made;
static int answers[ARRAY_SIZE(attempts)];

static size_t n_wanted;
static struct rlimit no_core;
static _Alignas(64) unsigned char stack[STACK_BYTES];
static bool stuck; /* a child has not ended: all of this is still its own */

static long raw_syscall(long nr, const long a[5])
{
	register long r10 __asm__("r10") = a[3];
	register long r8 __asm__("r8") = a[4];
	register long r9 __asm__("r9") = 0;

	__asm__ volatile("syscall"
			 : "+a"(nr)
			 : "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return nr;
}

/*
 * A filter that kills has the kernel write a core file, of all of the JVM's memory. A limit of one
 * byte forbids it, also where cores go to a program (do_coredump(), kernel fs/coredump.c).
 */
static void child_main(void)
{
	raw_syscall(SYS_prlimit64, (const long[5]){0, RLIMIT_CORE, (long)&no_core});
	for (size_t i = 0; i < n_wanted; i++) {
		answers[i] = (int)-raw_syscall(attempts[i].nr, attempts[i].arg);
		atomic_store(&n_made, i + 1);
	}
	for (;;)
		raw_syscall(SYS_exit, (const long[5]){0});
}

/*
 * Not fork(), which copies the page tables of a heap, nor glibc's clone(), which before 2.25
 * overwrites what the parent's thread remembers of its own id. Without an exit signal, so that
 * neither the program's handler nor its wait() learns of the child.
 */
static pid_t child_start(void)
{
	long pid = SYS_clone;

	__asm__ volatile("xorl %%r8d, %%r8d\n\t"
			 "xorl %%r10d, %%r10d\n\t"
			 "syscall\n\t"
			 "testq %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xorl %%ebp, %%ebp\n\t"
			 "callq *%%rbx\n\t"
			 "1:\n\t"
			 : "+a"(pid)
			 : "D"((long)(CLONE_VM | CLONE_FILES)), "S"(stack + sizeof(stack)), "d"(0L),
			   "b"(child_main)
			 : "rcx", "r8", "r10", "r11", "cc", "memory");
	return (pid_t)pid;
}

/* Whoever else may have waited for it: it has ended. */
static bool child_ended(pid_t child, int limit_ms)
{
	uint64_t until = clock_ms() + (uint64_t)limit_ms;

	while (waitpid(child, NULL, __WALL | WNOHANG) == 0) {
		if (clock_ms() >= until)
			return false;
		poll(NULL, 0, STEP_MS);
	}
	return true;
}

static int make(enum trial_what what)
{
	sigset_t old;
	pid_t child;

	n_wanted = what == TRIAL_ALL ? ARRAY_SIZE(attempts) : AGENT_CALLS;
	atomic_store(&n_made, 0);
	if (getrlimit(RLIMIT_CORE, &no_core))
		return -errno;
	no_core.rlim_cur = no_core.rlim_max ? 1 : 0;
	/* A handler of the program's must not run in the child: SIGSYS is one that a filter sends.
	 */
	signals_block(&old);
	child = child_start();
	signals_restore(&old);
	if (child < 0)
		return child;
	if (!child_ended(child, TRIAL_LIMIT_MS)) {
		kill(child, SIGKILL); /* the filter asks a program that does not answer */
		stuck = !child_ended(child, TRIAL_LIMIT_MS);
	}
	return 0;
}

/* How many filters this thread has, as far as the kernel tells. */
static int count_filters(void)
{
	FILE *f = fopen("/proc/thread-self/status", "re");
	bool at_begin = true;
	char line[64];
	int mode = 0, n = 1;

	while (f && fgets(line, sizeof(line), f)) {
		if (at_begin) {
			sscanf(line, "Seccomp: %d", &mode);
			sscanf(line, "Seccomp_filters: %d", &n);
		}
		at_begin = strchr(line, '\n') != NULL;
	}
	if (f)
		fclose(f);
	return mode ? n : 0;
}

static bool is_right(const struct attempt *a, int error)
{
	return error == a->errors[0] || error == a->errors[1];
}

int trial_run(enum trial_what what, struct trial *ret)
{
	size_t made, i = 0;
	int err;

	if (!count_filters())
		return 0;
	err = stuck ? -EBUSY : make(what);
	if (err)
		return err;
	made = atomic_load(&n_made);
	while (i < made && is_right(&attempts[i], answers[i]))
		i++;
	if (i == n_wanted)
		return 0;
	/* What ends the process counts more than what is merely refused before it. */
	if (made < n_wanted)
		*ret = (struct trial){.nr = attempts[made].nr};
	else
		*ret = (struct trial){.nr = attempts[i].nr, .error = answers[i]};
	return -EPERM;
}

bool trial_deadly(void)
{
	static int seen;
	static bool deadly;
	struct trial t = {0};
	int filters = count_filters();

	if (filters != seen) {
		int err = trial_run(TRIAL_ALL, &t);

		deadly = err == -EPERM ? !t.error : err != 0;
		seen = err && err != -EPERM ? 0 : filters; /* then again the next time */
	}
	return deadly;
}
