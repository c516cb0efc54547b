/* SPDX-License-Identifier: MIT */
/*
 * chaos_plan.h - what there is to choose from for one hotprobe: the command, who reads what it
 * prints, its limits, what is done to it, what it looks for.
 */
#ifndef HP_TEST_CHAOS_PLAN_H
#define HP_TEST_CHAOS_PLAN_H

#include "base/util.h"

#define CHAOS_STEPS_MAX 4

struct chaos_command {
	const char *name;
	int weight; /* how often it is chosen; of each of these */
	const char *words[3];
	bool traces, json, attaches, on_pid;
};

enum chaos_sink { CHAOS_PIPE, CHAOS_FIFO, CHAOS_STDOUT, CHAOS_FILE };

struct chaos_reader {
	const char *name;
	int weight;
	enum chaos_sink sink;
	const char *path;    /* where it goes, unless into the scene's folder */
	int every_ms, bytes; /* of a fifo: it takes so much so often; 0: nothing */
	bool leaves, fails;  /* the reader goes away; what is written may not arrive */
};

struct chaos_limit {
	const char *name;
	int weight;
	const char *words[3]; /* the command that sets it */
};

enum chaos_who { CHAOS_CLIENT, CHAOS_ENGINE, CHAOS_GROUP, CHAOS_TREE };

struct chaos_finish {
	const char *name;
	int weight;
	const char *words[2]; /* options that end it */
	struct chaos_step {
		int sig; /* 0: none is needed. A second step of 0 is the end of the list */
		enum chaos_who who;
	} steps[CHAOS_STEPS_MAX];
	bool timed; /* the first step must end it within the promised times */
	bool kills_client, kills_engine;
};

struct chaos_spec {
	const char *words[3];
	unsigned int methods; /* how many of the two that are called equally often; 0: others too */
};

struct chaos_plan {
	const struct chaos_command *command;
	const struct chaos_reader *reader;
	const struct chaos_limit *limit;
	const struct chaos_finish *finish;
	const struct chaos_spec *spec;
	const char *via; /* NULL: not said */
	bool limited;
};

/** chaos_plan_make() - a random one, for a native image or a JVM. */
void chaos_plan_make(struct chaos_plan *ret, bool image);

/** chaos_plan_is_run() - `hotprobe run`: what is traced is its child, as its engines are. */
bool chaos_plan_is_run(const struct chaos_plan *p);

#endif
