// SPDX-License-Identifier: MIT
/* signals.c - signals that end a command. See signals.h. */
#include <signal.h>
#include <sys/signalfd.h>

#include "cli/signals.h"

static void stop_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
}

void signals_hold(void)
{
	sigset_t set;

	/* Whoever writes is told by an error. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	stop_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

int signals_open(int also)
{
	sigset_t set;

	stop_signals(&set);
	if (also) {
		sigaddset(&set, also);
		sigprocmask(SIG_BLOCK, &set, NULL);
	}
	return signalfd(-1, &set, SFD_CLOEXEC);
}
