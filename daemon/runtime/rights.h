/* SPDX-License-Identifier: MIT */
/* rights.h - which right is missing to trace a process by ptrace: for `check`. */
#ifndef HP_RIGHTS_H
#define HP_RIGHTS_H

#include "runtime/runtime.h"

/**
 * rights_check() - try what a trace begins with, and say what it lacks.
 * @other_way: it can be traced without, at most worse.
 */
void rights_check(const struct runtime_out *out, pid_t pid, bool other_way);

#endif
