/* SPDX-License-Identifier: MIT */
/*
 * cli.h - the command line: a table of commands.
 *
 * A command turns its arguments into one request (proto/request.h), sends it to an engine and
 * copies what comes back; it has no knowledge of JVMs.
 */
#ifndef HP_CLI_H
#define HP_CLI_H

#include "proto/proto.h"

struct command {
	const char *name;
	const char *args;    /* "-p PID SPEC..." */
	const char *summary; /* one line */
	const char *options; /* its own lines of --help */
	const char *example;
	enum status (*run)(int argc, char **argv);
};

/* All commands, in the order of --help: cmd_NAME is in cli/NAME.c. */
#define COMMANDS(of) of(check) of(list) of(methods) of(trace) of(run) of(clean)

#define COMMAND_DECLARE(name) extern const struct command cmd_##name;
COMMANDS(COMMAND_DECLARE)
#undef COMMAND_DECLARE

#endif
