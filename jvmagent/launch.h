/* SPDX-License-Identifier: MIT */
/* launch.h - the option wait: a JVM started for hotprobe waits until hotprobe has looked at it. */
#ifndef HP_AGENT_LAUNCH_H
#define HP_AGENT_LAUNCH_H

/** launch_connect() - tell the launcher at "@NAME" who we are. Return: 0; -errno. */
int launch_connect(const char *name);

/** launch_hold() - wait for launch_go(), the launcher's end, or LAUNCH_HOLD_MS. */
void launch_hold(void);

/** launch_go() - let launch_hold() return. */
void launch_go(void);

#endif
