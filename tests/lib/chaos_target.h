/* SPDX-License-Identifier: MIT */
/*
 * chaos_target.h - what hotprobe comes to and goes from: a JVM that runs prog.Chaos, or a native
 * image that compiles a script. Looks at it from outside for all that must not be there.
 */
#ifndef HP_TEST_CHAOS_TARGET_H
#define HP_TEST_CHAOS_TARGET_H

#include "lib/jvm.h"

/* A kind of target. */
struct chaos_way {
	const char *name;     /* of the JDK; of the image's file in HP_IMAGES */
	const char *flags[4]; /* of the JVM; the first names the collector */
	bool image, agent;    /* agent: started with it */
};

/* The first eight bytes that a diversion would change, of each compiled method. */
struct chaos_words {
	struct chaos_word {
		uint64_t entry, word;
		int64_t compile_id;
	} * v;
	size_t n;
};

struct chaos_target {
	const struct chaos_way *way;
	struct jvm j;		    /* @j.c and @j.pid are the image's too */
	char *path, *script, *want; /* of an image */
	struct chaos_words words;   /* when nobody was attached last */
	size_t fds;		    /* open then */
};

/** chaos_target_start() - and wait until it is at work. */
void chaos_target_start(struct chaos_target *t, const struct chaos_way *w);

/**
 * chaos_target_calls() - how often prog.Chaos has called each of its two methods, in all; it must
 * not have got a wrong result. An image does not say: UINT64_MAX.
 */
uint64_t chaos_target_calls(struct chaos_target *t);

/** chaos_target_diverted() - words that lead into a region now; -1: no region is mapped. */
int chaos_target_diverted(const struct chaos_target *t);

/**
 * chaos_target_left() - when nobody is attached: what of us is still there, or was not put back?
 * Return: NULL: nothing; static text.
 */
const char *chaos_target_left(struct chaos_target *t);

/**
 * chaos_target_take_sign() - who was killed while it loaded the agent leaves a file .attach_pidN,
 * which the next to do so makes its own; `clean` leaves it, as it may be somebody else's.
 */
void chaos_target_take_sign(struct chaos_target *t);

/**
 * chaos_target_check_code() - when nobody is attached: no method that is in use differs from what
 * it was last time, and none begins with a jump to where there is no code. Fails the test.
 */
void chaos_target_check_code(struct chaos_target *t);

/** chaos_target_ended() - an image whose work is done; that must be right, and another begins. */
bool chaos_target_ended(struct chaos_target *t);

/** chaos_target_stop() - to its end in order, with all results right. */
void chaos_target_stop(struct chaos_target *t);

/** chaos_target_free() - without asking. */
void chaos_target_free(struct chaos_target *t);

#endif
