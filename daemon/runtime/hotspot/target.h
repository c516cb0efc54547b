/* SPDX-License-Identifier: MIT */
/*
 * target.h - one HotSpot process that we look into: its identity, memory, symbols and layout.
 *
 * Opening a target only reads; nothing in the process changes.
 */
#ifndef HP_TARGET_H
#define HP_TARGET_H

#include "symmap/elfsyms.h"
#include "symmap/symmap.h"
#include "runtime/hotspot/layout.h"
#include "base/fail.h"
#include "proc/jvm.h"
#include "proto/request.h"
#include "remote/remote.h"

struct target {
	struct proc_id id;
	struct jvm_info info;
	struct view *view; /* not owned; NULL: we may look ourselves */
	struct mem *mem;
	struct elfsyms *libjvm; /* symbols of the mapped libjvm.so, or of its debug file */
	struct vmstructs *vs;
	struct layout layout;
};

/**
 * target_open() - find and understand the JVM in @pid.
 *
 * A JVM that has just been started is waited for, up to 2 s.
 * Return: 0; -ESRCH; -EPERM; -EOPNOTSUPP (not a JVM, another
 * JVM than HotSpot, 32-bit, JDK outside 17..25, symbols or capabilities missing); -EPROTO; -EFAULT;
 * -EAGAIN not ready even then; -ENOMEM.
 */
int target_open(pid_t pid, struct target **ret, struct fail *f);

/** target_open_by() - the same through a view of that process, which must outlive the target. */
int target_open_by(pid_t pid, struct view *v, struct target **ret, struct fail *f);

/**
 * target_open_via() - find a way into the process and open it through that.
 * target_look() - the same for looking only, which needs no way of its own if ptrace is allowed.
 * @w_ret: set as soon as there is one, on failure too; remote_close() it after the target.
 * Return: as remote_open() and target_open().
 */
int target_open_via(const struct target_request *req, struct remote **w_ret, struct target **ret,
		    struct fail *f);
int target_look(const struct target_request *req, struct remote **w_ret, struct target **ret,
		struct fail *f);
void target_close(struct target *t);

/** target_alive() - is it still the process that was opened? */
bool target_alive(const struct target *t);

/** target_symbol() - target address of a function of libjvm.so. Return: 0; -ENOENT. */
int target_symbol(struct target *t, const char *name, uint64_t *ret);

#endif
