/* SPDX-License-Identifier: MIT */
#include "signals.h"

#include <stddef.h>

__asm__(".symver pthread_sigmask, pthread_sigmask@GLIBC_2.2.5"); /* see agent.c */

/*
 * Signals of the process are for its own threads. Those that tell of a fault stay: blocked, the
 * kernel would end the process without HotSpot's report.
 */
void signals_block(sigset_t *old)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
	sigset_t set;

	sigfillset(&set);
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		sigdelset(&set, faults[i]);
	pthread_sigmask(SIG_SETMASK, &set, old);
}

void signals_restore(const sigset_t *old)
{
	pthread_sigmask(SIG_SETMASK, old, NULL);
}
