/* SPDX-License-Identifier: MIT */
/*
 * trace.h - what the commands that trace have in common: options, the request, the lines.
 */
#ifndef HP_CLI_TRACE_H
#define HP_CLI_TRACE_H

#include "cli/cli.h"

struct trace_options {
	struct common c;
	uint64_t count, duration_ns, string_max, ring_bytes;
	bool count_only;
};

#define TRACE_DEFAULTS                                                                             \
	{                                                                                          \
		.string_max = REQUEST_STRING_MAX_DEFAULT, .ring_bytes = REQUEST_RING_DEFAULT       \
	}

enum { OPT_STRING_MAX = 256, OPT_RING_SIZE, OPT_COUNT_ONLY, TRACE_OPT_END };

#define TRACE_SHORT "n:d:"
#define TRACE_LONG                                                                                 \
	{"count", required_argument, NULL, 'n'}, {"duration", required_argument, NULL, 'd'},       \
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
	"      --count-only     only count the calls, print none\n"                                \
	"  SPEC                 com.shop.Cart.add, com.shop.*.get*, 'Cart.add(int, String)',\n"    \
	"                       com.shop.Cart.<init>: * within a name, ** across packages;\n"      \
	"                       also 'static com.shop.Cart.of(int)Cart', and\n"                    \
	"                       com.shop.Cart.add@0x644de0, the code at this address\n"

/** trace_option() - take an option of @cmd, one of these or a common one: see common_option(). */
int trace_option(const struct command *cmd, struct trace_options *o, int opt);

/** trace_request() - the request for @n SPECs; NULL when one is no UTF-8 (said). */
json_t *trace_request(const struct command *cmd, const struct trace_options *o, char **specs,
		      int n);

/** print_event() - one line of a trace: calls to @out, all else to stderr. */
void print_event(FILE *out, json_t *obj);

#endif
