/* SPDX-License-Identifier: MIT */
/* control.h - the control socket: requests of hotprobe (wire.h). */
#ifndef HP_AGENT_CONTROL_H
#define HP_AGENT_CONTROL_H

/**
 * control_start() - listen for requests, in a thread of its own.
 * Return: 0; -EALREADY if this process has an agent already; -errno.
 */
int control_start(void);

#endif
