/* SPDX-License-Identifier: MIT */
/* callbacks.h - JVMTI events become lines of the event stream. */
#ifndef HP_AGENT_CALLBACKS_H
#define HP_AGENT_CALLBACKS_H

#include "sender.h"

/**
 * callbacks_prepare() - set capabilities, callbacks, and the events that are always on.
 * Return: 0; -EOPNOTSUPP.
 */
int callbacks_prepare(void);

/** callbacks_source - what sender_start() takes: the lines made here. */
extern const struct sender_source callbacks_source;

#endif
