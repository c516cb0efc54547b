/* SPDX-License-Identifier: MIT */
/*
 * proc.h - processes: whether one is still the same, and its files.
 *
 * Everything is read from /proc of our own mount and PID namespace, by a thread that lives
 * (entry.h); files of the target are reached through its root and map_files there, so it may live
 * in another one; where those are closed to us, through a view (view.h).
 */
#ifndef HP_PROC_H
#define HP_PROC_H

#include <sys/types.h>

#include "proc/maps.h"
#include "proc/view.h"
#include "base/util.h"

/* One process, identified for good: a PID alone may be reused. */
struct proc_id {
	pid_t pid;
	uint64_t start_time; /* field 22 of /proc/PID/stat, clock ticks since boot */
	int pidfd;
};

/**
 * proc_open() - take hold of a process.
 * Return: 0; -ESRCH no such process; -EPERM. A thread's id that is not a process's is -ESRCH.
 */
int proc_open(pid_t pid, struct proc_id *ret);
void proc_close(struct proc_id *p);

/** proc_alive() - is it still that process? A zombie is not alive. */
bool proc_alive(const struct proc_id *p);

struct proc_stat {
	char state;	     /* 'Z': its leader has ended */
	pid_t parent;	     /* 0: in another PID namespace */
	bool forked;	     /* it has executed no program since it was forked (PF_FORKNOEXEC) */
	uint64_t start_time; /* as above */
};

/* One that is being killed is gone within this, unless the machine is very busy. */
#define PROC_DYING_MS 300

/**
 * proc_ends_within() - is @pid no process any more, or about to end within @ms? One that is being
 * killed is still there for a while, with its memory gone and its links refused.
 */
bool proc_ends_within(pid_t pid, int ms);

/** proc_stat() - of whatever has @pid now, be it a zombie. Return: 0; -ESRCH; -errno. */
int proc_stat(pid_t pid, struct proc_stat *ret);

/* Of /proc/PID/status. */
struct proc_status {
	char state;
	pid_t tgid, ns_pid; /* the second as it sees itself: in its innermost PID namespace */
	uid_t uid;	    /* effective */
	gid_t gid;
	uint64_t caught; /* signals with a handler, 1 << (N - 1) each */
};

/** proc_status() - of @pid, by a thread that lives. Return: 0; -ESRCH; -errno. */
int proc_status(pid_t pid, struct proc_status *ret);

/** proc_status_read() - of an open one. Return: the same. */
int proc_status_read(int fd, struct proc_status *ret);

/** proc_start_time() - of whatever has @pid now. Return: 0; -ESRCH; -errno. */
int proc_start_time(pid_t pid, uint64_t *ret);

/**
 * proc_open_file() - open a regular file as @pid sees it, for reading.
 * @path: absolute, in the process's own root. Its symbolic links are followed within that root.
 *
 * The process chooses what lies there: anything but a regular file (a FIFO would block us, opening
 * a device may do something) is refused before it is opened.
 * Return: a file descriptor; -ESRCH; -EPERM; -ENOENT no such file, or not a regular one; -errno of
 * a shortage (fail.h).
 */
int proc_open_file(pid_t pid, const char *path);

/** proc_open_entry() - a file that a link in @pid's entry leads to, such as "exe" (entry.h). */
int proc_open_entry(pid_t pid, const char *name);

/** proc_open_regular() - the same for a path of our own, such as one under /proc. */
int proc_open_regular(const char *path);

#endif
