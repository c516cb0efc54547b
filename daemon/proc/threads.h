/* SPDX-License-Identifier: MIT */
/*
 * threads.h - the threads of a process as /proc/PID/task shows them, without stopping any.
 */
#ifndef HP_THREADS_H
#define HP_THREADS_H

#include <sys/types.h>

#include "base/util.h"

/* More threads than this are not looked at; HotSpot dies of others limits long before. */
#define THREADS_MAX 65536

#define THREAD_COMM_MAX 16 /* TASK_COMM_LEN in the kernel's include/linux/sched.h */

/* One thread at one moment. It may have gone on since. */
struct thread_info {
	pid_t tid;
	char state;		    /* as in /proc/PID/stat: R S D T t Z X I */
	char comm[THREAD_COMM_MAX]; /* hostile text */
	bool blocked;		    /* off the processor: @nr, @sp and @pc are valid */
	long nr;		    /* system call it sleeps in, or -1 */
	uint64_t sp, pc;
};

/**
 * threads_list() - the ids of all threads of @pid; malloc'd.
 * Return: 0; -ESRCH; -EPERM; -ENOMEM; -errno.
 */
int threads_list(pid_t pid, pid_t **ret, size_t *n_ret);

/**
 * thread_read_blocked() - fill @blocked, @nr, @sp and @pc alone.
 * Return: 0; -ESRCH when the thread is gone; -EPERM; -errno.
 * Source: /proc/PID/task/TID/syscall, kernel fs/proc/base.c, proc_pid_syscall().
 */
int thread_read_blocked(pid_t pid, pid_t tid, struct thread_info *ret);

/** thread_read() - fill everything. Return: as thread_read_blocked(); -EPROTO. */
int thread_read(pid_t pid, pid_t tid, struct thread_info *ret);

/** thread_dead() - has it ended? Its entry in /proc may stay for long. */
bool thread_dead(const struct thread_info *t);

/* What a thread's status file says of it. */
struct thread_status {
	char state;	   /* as in struct thread_info; '?' if it is not told */
	pid_t tracer;	   /* TracerPid, 0 if none */
	int seccomp;	   /* 0 none, 1 strict, 2 filter */
	bool shadow_stack; /* x86_Thread_features: shstk */
};

/** thread_read_status() - what anybody may know of a thread. Return: 0; -ESRCH; -EPERM; -errno. */
int thread_read_status(pid_t pid, pid_t tid, struct thread_status *ret);

/**
 * thread_rank() - how well a thread suits to be stopped for a remote call; less is better.
 * Return: -1 if it must not be tried.
 */
int thread_rank(pid_t pid, const struct thread_info *t);

#endif
