// SPDX-License-Identifier: MIT
/* list.c - `hotprobe list`: the JVMs on this machine. */
#include "cli/client.h"

static enum status run(int argc, char **argv)
{
	static const struct option options[] = {OPTIONS_LONG, {0}};
	struct options o;
	int opt, err;

	options_init(&o, REQUEST_LIST);
	while ((opt = options_next(&cmd_list, argc, argv, ":" OPTIONS_SHORT, options)) != -1) {
		err = options_take(&cmd_list, &o, opt);
		if (err)
			return err < 0 ? STATUS_USAGE : STATUS_OK;
	}
	if (optind < argc)
		return options_usage(&cmd_list, "unexpected argument '%s'", argv[optind]);
	return client_run(&o);
}

const struct command cmd_list = {
	.name = "list",
	.args = "",
	.summary = "list the JVMs on this machine",
	.options = "",
	.example = "hotprobe list --json",
	.run = run,
};
