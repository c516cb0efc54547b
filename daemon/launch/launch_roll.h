/* SPDX-License-Identifier: MIT */
/*
 * launch_roll.h - which JVMs have come of a command, also those whose agent never says hello.
 *
 * Those are found by a look at all that comes of the command, again and again: a JVM that neither
 * loads the agent nor lives for two looks is not seen. The looks take one part of time in a
 * hundred.
 */
#ifndef HP_LAUNCH_ROLL_H
#define HP_LAUNCH_ROLL_H

#include "proc/family.h"
#include "proc/jvm.h"

struct launch_entry;

struct launch_roll {
	struct family family;
	const char *door; /* name of the socket; outlives this */
	struct launch_entry *entries;
	size_t n;
	uint64_t begin_ns, next_ns;
};

/** launch_roll_init() - @command has just been started. Return: 0; -ESRCH. */
int launch_roll_init(struct launch_roll *r, pid_t command, const char *door);
void launch_roll_fini(struct launch_roll *r);

/** launch_roll_arrived() - @pid has said hello. */
void launch_roll_arrived(struct launch_roll *r, pid_t pid);

/** launch_roll_timeout_ms() - until the next look. */
int launch_roll_timeout_ms(const struct launch_roll *r);

/** What is told of a JVM that will not arrive: @why, and what to do about it. */
typedef void launch_roll_fn(pid_t pid, const char *why, void *arg);

/**
 * launch_roll_look() - if it is time, look who is there, and tell of the JVMs that will not arrive,
 * once each. Whoever had said hello before the last look must have been given to
 * launch_roll_arrived() by now.
 * @last: look now, and tell also of those that could still arrive.
 */
void launch_roll_look(struct launch_roll *r, bool last, launch_roll_fn *fn, void *arg);

#endif
