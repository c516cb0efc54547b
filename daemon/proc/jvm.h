/* SPDX-License-Identifier: MIT */
/*
 * jvm.h - which processes are JVMs, of what kind, and whose. See proc.h for where that is read.
 */
#ifndef HP_JVM_H
#define HP_JVM_H

#include "proc/proc.h"

enum jvm_kind { JVM_NONE, JVM_HOTSPOT, JVM_OPENJ9, JVM_ZING, JVM_NATIVE_IMAGE };

const char *jvm_kind_name(enum jvm_kind kind); /* "hotspot", "openj9", ... as in list --json */

/*
 * What a JVM shows to the outside, without reading its heap. Owned strings, never NULL;
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
#define _cleanup_jvm_info_ _cleanup_(jvm_info_fini)

/** jvm_pids() - all processes that can be seen, in order; malloc'd. Return: 0; -ENOMEM; -errno. */
int jvm_pids(pid_t **ret, size_t *n_ret);

/** jvm_uid() - the effective user of @pid, which anybody may know. Return: 0; -ESRCH; -EPERM. */
int jvm_uid(pid_t pid, uid_t *ret);

/**
 * jvm_main_class() - main class, jar or module/class from a /proc/PID/cmdline text of the launcher.
 * An argument file ("@FILE") is given as it is, because it may hold the main class.
 * @ret: malloc'd; "" if there is none.
 * Return: 0; -ENOMEM.
 */
int jvm_main_class(const char *cmdline, size_t len, char **ret);

#endif
