/* SPDX-License-Identifier: MIT */
/* launch.h - the option wait: a JVM started for hotprobe waits until hotprobe has looked at it. */
#ifndef HP_AGENT_LAUNCH_H
#define HP_AGENT_LAUNCH_H

/**
 * launch_connect() - tell the launcher at "@NAME" who we are, for launch_hold() to wait for it.
 * Waits up to LAUNCH_DOOR_MS where others crowd at the launcher's socket. Return: 0; -errno.
 */
int launch_connect(const char *name);

/**
 * launch_refuse() - tell the launcher at "@NAME" that the agent is not at work, and wait until it
 * has heard that: whoever has ended cannot be asked where it came from.
 * @result: -errno; @why: one sentence.
 */
void launch_refuse(const char *name, int result, const char *why);

/** launch_hold() - wait for launch_go(), the launcher's end, or LAUNCH_HOLD_MS. */
void launch_hold(void);

/** launch_go() - let launch_hold() return. */
void launch_go(void);

#endif
