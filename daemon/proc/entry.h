/* SPDX-License-Identifier: MIT */
/*
 * entry.h - the entry in /proc by which a process is looked into.
 *
 * A process is not its leader, the thread that began it and whose id is its PID. That one may end
 * while the others go on (pthread_exit() in main() of a program that embeds a JVM): /proc/PID is
 * then a zombie's, without memory, mappings, files or namespaces, until the last thread has ended.
 * All of that is found at /proc/TID of any thread that lives, and only there: so whatever is read
 * of a process by name is read by this file, which looks for such a thread, and for another one if
 * that ends meanwhile.
 */
#ifndef HP_ENTRY_H
#define HP_ENTRY_H

#include <sys/stat.h>
#include <sys/types.h>

#include "base/util.h"

/* Of an entry's path; what is looked for in it is short. */
#define ENTRY_PATH_MAX 80

/**
 * entry_thread() - a thread of @pid that still has the process's memory: the leader, if it does.
 *
 * Where none has (a kernel thread; a process that is just ending) it is the leader.
 * Return: its id; -ESRCH all have ended, or there never was such a process; -EPERM; -ENOMEM.
 */
pid_t entry_thread(pid_t pid);

/** entry_leader_lives() - has the leader not ended? */
bool entry_leader_lives(pid_t pid);

/** entry_holds() - is @tid a thread of @pid, and not of whoever has got that number since? */
bool entry_holds(pid_t pid, pid_t tid);

/**
 * entry_path() - "/proc/TID/@name", for what needs a path. Good only as long as that thread lives.
 * Return: 0; as entry_thread().
 */
int entry_path(pid_t pid, const char *name, char buf[static ENTRY_PATH_MAX]);

/**
 * entry_open() - open a file or directory of the entry.
 * @flags: of open(2); O_CLOEXEC is added.
 * Return: a descriptor; -ESRCH, also when the process has ended; -EPERM (-EACCES); -errno.
 */
int entry_open(pid_t pid, const char *name, int flags);

/** entry_readlink() - as readlink(2), with a NUL behind it. Return: its length; as entry_open(). */
ssize_t entry_readlink(pid_t pid, const char *name, char *buf, size_t size);

/** entry_stat() - as stat(2). Return: 0; as entry_open(). */
int entry_stat(pid_t pid, const char *name, struct stat *ret);

/**
 * entry_other_namespace() - is @pid in another namespace than we are?
 * @kind: as in /proc/PID/ns. False where that may not be seen: ours is the one to try.
 */
bool entry_other_namespace(pid_t pid, const char *kind);

#endif
