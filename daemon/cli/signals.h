/* SPDX-License-Identifier: MIT */
/* signals.h - Ctrl-C and SIGTERM end a command cleanly even in its first moments. */
#ifndef HP_CLI_SIGNALS_H
#define HP_CLI_SIGNALS_H

/** signals_hold() - from now on they wait until somebody reads signals_open()'s descriptor. */
void signals_hold(void);

/**
 * signals_open() - a descriptor for what signals_hold() holds.
 * @also: one more signal, to be held from now on; 0: none. Return: it; -1.
 */
int signals_open(int also);

#endif
