/* SPDX-License-Identifier: MIT */
/*
 * trace.h - what the commands that trace have in common.
 */
#ifndef HP_CLI_TRACE_H
#define HP_CLI_TRACE_H

#include "cli/options.h"

enum { OPT_STRING_MAX = 256, OPT_RING_SIZE, OPT_COUNT_ONLY, TRACE_OPT_END };

#define TRACE_SHORT "n:d:i:"
#define TRACE_LONG                                                                                 \
	{"count", required_argument, NULL, 'n'}, {"duration", required_argument, NULL, 'd'},       \
		{"interval", required_argument, NULL, 'i'},                                        \
		{"string-max", required_argument, NULL, OPT_STRING_MAX},                           \
		{"ring-size", required_argument, NULL, OPT_RING_SIZE},                             \
	{                                                                                          \
		"count-only", no_argument, NULL, OPT_COUNT_ONLY                                    \
	}
#define TRACE_HELP                                                                                 \
	"  -n, --count N        stop after N calls\n"                                              \
	"  -d, --duration TIME  stop after TIME: seconds, or 500ms, 2m, ...\n"                     \
	"      --string-max N   show at most N bytes of a string (default 256, at most 4096)\n"    \
	"      --ring-size SIZE buffer for calls not yet printed (default 16M)\n"                  \
	"      --count-only     only count the calls of each method, print none\n"                 \
	"  -i, --interval TIME  with --count-only: the counts so often, not only at the end\n"     \
	"  SPEC                 com.shop.Cart.add, com.shop.*.get*, 'Cart.add(int, String)',\n"    \
	"                       com.shop.Cart.<init>: * within a name, ** across packages;\n"      \
	"                       also 'static com.shop.Cart.of(int)Cart', and\n"                    \
	"                       com.shop.Cart.add@0x644de0, the code at this address\n"

/** trace_take() - take an option of a trace, or one that all commands share: see options_take(). */
int trace_take(const struct command *cmd, struct options *o, int opt);

/**
 * trace_specs() - the @n SPECs of the command line, once all options are taken.
 * Return: 0; -EINVAL too many, or the options do not go together (said).
 */
int trace_specs(const struct command *cmd, struct options *o, char **specs, int n);

#endif
