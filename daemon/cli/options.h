/* SPDX-License-Identifier: MIT */
/* options.h - options that commands share, and the request that they fill. */
#ifndef HP_CLI_OPTIONS_H
#define HP_CLI_OPTIONS_H

#include <getopt.h>
#include <limits.h>

#include "cli/cli.h"
#include "proto/request.h"

struct options {
	bool json, quiet;
	const char *output; /* -o FILE */
	struct request req;
	char binary[PATH_MAX]; /* -x FILE as an absolute path; @req points to it */
};

#define OPTIONS_SHORT "hjqvo:p:"
enum { OPT_VIA = 512, OPT_WRONG = '?' };
#define OPTIONS_LONG                                                                               \
	{"help", no_argument, NULL, 'h'}, {"json", no_argument, NULL, 'j'},                        \
		{"quiet", no_argument, NULL, 'q'}, {"verbose", no_argument, NULL, 'v'},            \
		{"output", required_argument, NULL, 'o'},                                          \
	{                                                                                          \
		"pid", required_argument, NULL, 'p'                                                \
	}

/* For commands that take a native image's file, with "x:" among the short options. */
#define BINARY_LONG                                                                                \
	{                                                                                          \
		"binary", required_argument, NULL, 'x'                                             \
	}

/* For commands that get into a target, or have to look into it. */
#define VIA_LONG                                                                                   \
	{                                                                                          \
		"via", required_argument, NULL, OPT_VIA                                            \
	}
#define VIA_HELP                                                                                   \
	"      --via WAY        how to get into the JVM: ptrace, agent (hotprobe's, in it:\n"      \
	"                       no ptrace; loaded if need be), or auto (agent where ptrace\n"      \
	"                       is not allowed); default: the agent if it is loaded, else\n"       \
	"                       ptrace\n"

/** options_init() - for a request of this kind, with every option at its default. */
void options_init(struct options *o, enum request_kind kind);

/**
 * options_next() - getopt_long(), but what is wrong with the command line is said in one line, with
 * the option's name. @shorts: begins with ':'. Return: also OPT_WRONG, said.
 */
int options_next(const struct command *cmd, int argc, char **argv, const char *shorts,
		 const struct option *longs);

/**
 * options_take() - take an option that commands share.
 * @opt: what options_next() has returned.
 * Return: 0 taken; 1 --help was asked for and is printed; -EINVAL not ours, or wrong (said).
 */
int options_take(const struct command *cmd, struct options *o, int opt);

/** options_usage() - one line on stderr. Return: STATUS_USAGE. */
enum status options_usage(const struct command *cmd, const char *fmt, ...) _printf_(2, 3);

#endif
