// SPDX-License-Identifier: MIT
/* clean.c - `hotprobe clean`: remove what a killed instance left in a target. */
#include "cli/client.h"

static enum status run(int argc, char **argv)
{
	static const struct option options[] = {VIA_LONG, OPTIONS_LONG, {0}};
	struct options o;
	int opt, err;

	options_init(&o, REQUEST_CLEAN);
	while ((opt = options_next(&cmd_clean, argc, argv, ":" OPTIONS_SHORT, options)) != -1) {
		err = options_take(&cmd_clean, &o, opt);
		if (err)
			return err < 0 ? STATUS_USAGE : STATUS_OK;
	}
	if (!o.req.target.pid)
		return options_usage(&cmd_clean, "which JVM? give its PID with -p");
	if (optind < argc)
		return options_usage(&cmd_clean, "unexpected argument '%s'", argv[optind]);
	return client_run(&o);
}

const struct command cmd_clean = {
	.name = "clean",
	.args = "-p PID",
	.summary = "remove what a killed hotprobe left in a JVM",
	.options = "  -p, --pid PID        the JVM\n" VIA_HELP,
	.example = "hotprobe clean -p 4711",
	.run = run,
};
