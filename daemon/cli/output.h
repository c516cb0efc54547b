/* SPDX-License-Identifier: MIT */
/* output.h - where data goes: stdout or a file. */
#ifndef HP_CLI_OUTPUT_H
#define HP_CLI_OUTPUT_H

#include "cli/options.h"

struct output {
	FILE *file;
	const char *name; /* NULL: stdout */
	int err;	  /* 0, or why something could not be written */
};

/** output_open() - Return: 0; -EIO (said). */
int output_open(struct output *o, const struct options *opt);

/**
 * output_request() - how an engine is to write for it: as @opt asks, and with colours on a terminal
 * unless NO_COLOR is set.
 */
struct output_request output_request(const struct output *o, const struct options *opt);

/** output_flush() - Return: false when writing has failed. */
bool output_flush(struct output *o);

/** output_close() - Return: 0; -EIO when something is missing (said). */
int output_close(struct output *o);

#endif
