/* SPDX-License-Identifier: MIT */
/* signals.h - keep the process's signals away from a thread of ours. */
#ifndef HP_AGENT_SIGNALS_H
#define HP_AGENT_SIGNALS_H

#include <signal.h>

/** signals_block() - block all but those that tell of a fault. @old: for signals_restore(). */
void signals_block(sigset_t *old);
void signals_restore(const sigset_t *old);

#endif
