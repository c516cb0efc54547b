/* SPDX-License-Identifier: MIT */
/*
 * proc.h - processes: which of them are JVMs, whose, and whether they are still the same one.
 *
 * Everything is read from /proc/PID of our own mount and PID namespace; files of the target are
 * reached through /proc/PID/root and /proc/PID/map_files, so it may live in another one; where
 * those are closed to us, through a view (view.h).
 */
#ifndef HP_PROC_H
#define HP_PROC_H

#include <sys/types.h>

#include "proc/maps.h"
#include "proc/view.h"
#include "base/util.h"

enum jvm_kind { JVM_NONE, JVM_HOTSPOT, JVM_OPENJ9, JVM_ZING, JVM_NATIVE_IMAGE };

const char *jvm_kind_name(enum jvm_kind kind); /* "hotspot", "openj9", ... as in list --json */

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

/** proc_start_time() - of whatever has @pid now. Return: 0; -ESRCH. */
int proc_start_time(pid_t pid, uint64_t *ret);

/**
 * proc_open_file() - open a regular file as @pid sees it, for reading.
 * @path: absolute, in the process's own root. Its symbolic links are followed within that root.
 *
 * The process chooses what lies there: anything but a regular file (a FIFO would block us, opening
 * a device may do something) is refused before it is opened.
 * Return: a file descriptor; -ESRCH; -EPERM; -ENOENT no such file, or not a regular one.
 */
int proc_open_file(pid_t pid, const char *path);

/** proc_open_regular() - the same for a path of our own, such as one under /proc. */
int proc_open_regular(const char *path);

/*
 * What can be told of a JVM from the outside, without reading its heap. Owned strings, never NULL;
 * what the target chose (main, libjvm) may hold any byte but NUL.
 */
struct jvm_info {
	pid_t pid;
	uid_t uid;
	enum jvm_kind kind;
	bool launcher; /* the program is the java launcher; it may still be about to load its JVM */
	bool is_32bit;
	bool other_mount_ns, other_pid_ns;
	pid_t ns_pid;	      /* its PID inside its own namespace */
	char *user;	      /* name, or the number as text */
	char *main;	      /* main class or jar from the command line, "" if unknown */
	char *libjvm;	      /* path as the target sees it; "" without a libjvm.so */
	char *libjvm_open;    /* path by which we can open the very file that is mapped, or "" */
	int libjvm_fd;	      /* kept open, if @libjvm_open leads to it; else 0 */
	uint64_t libjvm_base; /* load bias: target address minus virtual address in the file */
};

/**
 * jvm_inspect() - what kind of JVM is @pid?
 * Return: 0, with @ret->kind JVM_NONE for any other program; -ESRCH; -EPERM (-EACCES).
 */
int jvm_inspect(pid_t pid, struct jvm_info *ret);

/** jvm_inspect_by() - the same through a view of that process. Return: also as @v->open(). */
int jvm_inspect_by(pid_t pid, struct view *v, struct jvm_info *ret);
void jvm_info_fini(struct jvm_info *info);

/**
 * jvm_each() - call @fn for every JVM that can be seen, in order of PID. Processes that end or
 * may not be looked at are passed over. Stops at the first non-zero return, which it returns.
 */
int jvm_each(int (*fn)(const struct jvm_info *info, void *arg), void *arg);

/**
 * jvm_main_class() - main class, jar or module/class from a /proc/PID/cmdline text of the launcher.
 * An argument file ("@FILE") is given as it is, because it may hold the main class.
 * @ret: malloc'd; "" if there is none.
 * Return: 0; -ENOMEM.
 */
int jvm_main_class(const char *cmdline, size_t len, char **ret);

#endif
