/* SPDX-License-Identifier: MIT */
/*
 * fake_agent.h - what speaks jvmagent/wire.h inside a victim, well or badly.
 *
 * It does what the agent in a JVM does, with a safepoint that the victim supplies; and it can be
 * told, from the test, to answer one kind of request wrongly.
 */
#ifndef HP_TEST_FAKE_AGENT_H
#define HP_TEST_FAKE_AGENT_H

#include <linux/types.h>

#include "jvmagent/wire.h"
#include "base/util.h"

enum fake_wrong {
	FAKE_RIGHT,
	FAKE_SHORT,	 /* less than a header */
	FAKE_KIND,	 /* another request's reply */
	FAKE_SIZE,	 /* says it is larger than it is */
	FAKE_LONG,	 /* really is larger than any may be */
	FAKE_RESULT,	 /* an error number that is none */
	FAKE_SILENT,	 /* no reply at all, until the test goes on */
	FAKE_CLOSES,	 /* hangs up instead */
	FAKE_NO_FD,	 /* result 0 without the descriptor */
	FAKE_TWO_FDS,	 /* two descriptors */
	FAKE_OTHER_FILE, /* a descriptor of something else: the end of a pipe */
	FAKE_WRONGS,
};

/* In memory that the test shares with its victims. */
struct fake_agent {
	volatile uint32_t wrong, wrong_kind; /* what goes wrong, with which request */
	volatile uint32_t version, pid_off;  /* what a HELLO says wrongly, 0: right */
	volatile uint64_t asked[16];	     /* requests, by kind */
	volatile uint64_t listening;
};

extern struct fake_agent *fake_agent;

/** fake_agent_map() - before a victim is started. */
void fake_agent_map(void);
void fake_agent_unmap(void);

/**
 * fake_agent_start() - for the victim: listen and serve, in a thread of its own.
 * @safepoint: returns 0 when every thread has come out of what it was in, or -errno.
 */
void fake_agent_start(int (*safepoint)(void));

/** fake_agent_go_wrong() - from now on requests of @kind are answered so. */
void fake_agent_go_wrong(enum fake_wrong wrong, enum hp_agent_kind kind);

#endif
