/* SPDX-License-Identifier: MIT */
/*
 * caps.h - the engine's capabilities: those it has need of, and no others, for it reads what
 * hostile processes have written.
 *
 * Two sets. What may be needed at some moment stays permitted; what the request that runs needs all
 * the time is effective. The rest is given away for good when the engine begins. Where we have
 * none, as an ordinary user, all of this does nothing.
 */
#ifndef HP_CAPS_H
#define HP_CAPS_H

#include <linux/capability.h>

#include "base/util.h"

#define CAPS(cap) (1ULL << (cap))

/* To look into a process of another user, or one with capabilities that we lack. */
#define CAPS_LOOK (CAPS(CAP_SYS_PTRACE) | CAPS(CAP_DAC_READ_SEARCH) | CAPS(CAP_CHECKPOINT_RESTORE))
/* To load BPF programs and put uprobes. */
#define CAPS_BPF (CAPS(CAP_BPF) | CAPS(CAP_PERFMON))
/* To open another user's memory for writing, which is how a target is locked. */
#define CAPS_CHANGE CAPS(CAP_DAC_OVERRIDE)
/*
 * At some moments: to suspend a seccomp filter and to enter a network namespace (SYS_ADMIN); to
 * connect to an agent and to load one, in another root, as another user (agent_load_child.c).
 */
#define CAPS_MOMENTS                                                                               \
	(CAPS(CAP_SYS_ADMIN) | CAPS(CAP_SYS_CHROOT) | CAPS(CAP_SETUID) | CAPS(CAP_SETGID) |        \
	 CAPS(CAP_KILL) | CAPS(CAP_FOWNER))

/**
 * caps_begin() - give away what no request needs, with no way back: not by what we might run either
 * (no_new_privs). Once, when the engine begins.
 */
void caps_begin(void);

/**
 * caps_use() - make these effective and no others, as far as we have them. Where we may not load
 * BPF programs but by CAP_SYS_ADMIN, that stands for CAPS_BPF.
 */
void caps_use(uint64_t wanted);

/** caps_raise() - make these effective too, for a moment. Return: for caps_lower(). */
uint64_t caps_raise(uint64_t more);
void caps_lower(uint64_t before);

/** caps_raise_all() - for a child of ours that does one thing, in another's namespaces or root. */
void caps_raise_all(void);

/** caps_have() - have we this one, be it only permitted? */
bool caps_have(unsigned int cap);

#endif
