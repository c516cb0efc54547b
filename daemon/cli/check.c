// SPDX-License-Identifier: MIT
/* check.c - `hotprobe check`: what works here. */
#include "cli/client.h"

static enum status run(int argc, char **argv)
{
	static const struct option options[] = {BINARY_LONG, OPTIONS_LONG, {0}};
	struct options o;
	int opt, err;

	options_init(&o, REQUEST_CHECK);
	while ((opt = options_next(&cmd_check, argc, argv, ":" OPTIONS_SHORT "x:", options)) !=
	       -1) {
		err = options_take(&cmd_check, &o, opt);
		if (err)
			return err < 0 ? STATUS_USAGE : STATUS_OK;
	}
	if (optind < argc)
		return options_usage(&cmd_check, "unexpected argument '%s'", argv[optind]);
	return client_run(&o);
}

const struct command cmd_check = {
	.name = "check",
	.args = "[-p PID] [-x BINARY]",
	.summary = "say whether probing works on this machine, and on one JVM or native image",
	.options = "  -p, --pid PID        look at this JVM too\n"
		   "  -x, --binary BINARY  look at the file of this GraalVM native image too\n",
	.example = "hotprobe check -p 4711",
	.run = run,
};
