// SPDX-License-Identifier: MIT
/* main.c - hotprobe's commands, from one table. */
#include <stdio.h>

#include "base/fds.h"
#include "base/util.h"
#include "cli/cli.h"
#include "cli/signals.h"

#define COMMAND_ADDRESS(name) &cmd_##name,
static const struct command *const commands[] = {COMMANDS(COMMAND_ADDRESS)};

static void print_usage(FILE *out)
{
	fprintf(out,
		"hotprobe shows the calls of compiled Java methods in a running JVM, with their "
		"arguments.\n\nUsage: hotprobe COMMAND [OPTIONS]\n\nCommands:\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
	fprintf(out,
		"\n`hotprobe COMMAND --help` says more. Exit status: 0 done, 1 could not be done, "
		"2 wrong usage,\n3 the target ended, 4 not permitted or not supported here.\n");
}

int main(int argc, char **argv)
{
	fds_complete();
	signals_hold();
	if (argc < 2) {
		print_usage(stderr);
		return STATUS_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_usage(stdout);
		return STATUS_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("hotprobe %s\n", HP_VERSION);
		return STATUS_OK;
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[1], commands[i]->name) == 0)
			return (int)commands[i]->run(argc - 1, argv + 1);
	}
	fprintf(stderr, "hotprobe: unknown command '%s'; see `hotprobe --help`\n", argv[1]);
	return STATUS_USAGE;
}
