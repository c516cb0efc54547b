// SPDX-License-Identifier: MIT
/* clean.c - `hotprobe clean`: remove what a killed instance left in a target. */
#include "cli/cli.h"

static void print_clean(FILE *out, json_t *obj)
{
	long long pid = json_integer_value(json_object_get(obj, "pid"));

	if (json_is_true(json_object_get(obj, "removed")))
		fprintf(out, "PID %lld: removed the slot region and restored %lld methods\n", pid,
			(long long)json_integer_value(json_object_get(obj, "sites")));
	else
		fprintf(out, "PID %lld: nothing was left\n", pid);
}

static enum status run(int argc, char **argv)
{
	static const struct option options[] = {VIA_LONG, COMMON_LONG, {0}};
	struct common c = {0};
	int opt, err;

	while ((opt = getopt_long(argc, argv, COMMON_SHORT, options, NULL)) != -1) {
		err = common_option(&cmd_clean, &c, opt);
		if (err)
			return err < 0 ? STATUS_USAGE : STATUS_OK;
	}
	if (!c.pid)
		return usage_error(&cmd_clean, "which JVM? give its PID with -p");
	if (optind < argc)
		return usage_error(&cmd_clean, "unexpected argument '%s'", argv[optind]);
	return run_request(&c, request_new(&c, "clean"), print_clean);
}

const struct command cmd_clean = {
	.name = "clean",
	.args = "-p PID",
	.summary = "remove what a killed hotprobe left in a JVM",
	.options = "  -p, --pid PID        the JVM\n" VIA_HELP,
	.example = "hotprobe clean -p 4711",
	.run = run,
};
