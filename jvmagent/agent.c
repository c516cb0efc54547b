/* SPDX-License-Identifier: MIT */
#include "agent.h"

#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "signals.h"

/*
 * HotSpot guards the end of an attached thread's stack: StackShadowPages (20) and a few more, 100
 * KiB that must stay free (share/runtime/stackOverflow.hpp). Only what is touched is memory.
 */
#define STACK_BYTES (512 << 10)

/*
 * Built against a new glibc, loaded next to an old one: JVMs live in containers that are years
 * older than the host, and a library that -agentpath cannot load ends the JVM. glibc 2.32 and 2.34
 * gave these functions a new version when they moved to libc. The old version is still there, and
 * where they have not moved it is in libpthread, which every JVM has loaded. For the same reason
 * gettid (2.30) and fstat (2.33) are system calls here. tests/unit/test_agent_needs.c holds the
 * rest.
 */
__asm__(".symver pthread_attr_setstacksize, pthread_attr_setstacksize@GLIBC_2.2.5");
__asm__(".symver pthread_create, pthread_create@GLIBC_2.2.5");
__asm__(".symver pthread_setname_np, pthread_setname_np@GLIBC_2.12");

struct agent agent;

void agent_say(const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	int n;

	if (agent.quiet)
		return;
	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n >= 0)
		dprintf(STDERR_FILENO, "hotprobe: %s\n", line);
}

int agent_thread(void *(*run)(void *), void *arg, const char *name)
{
	size_t stack = STACK_BYTES < PTHREAD_STACK_MIN ? PTHREAD_STACK_MIN : STACK_BYTES;
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t old;
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, stack);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	signals_block(&old);
	err = pthread_create(&thread, &attr, run, arg);
	signals_restore(&old);
	pthread_attr_destroy(&attr);
	if (!err)
		pthread_setname_np(thread, name);
	return -err;
}
