// SPDX-License-Identifier: MIT
/* check.c - `hotprobe check`: what works here. */
#include "cli/cli.h"

static void print_check(FILE *out, json_t *obj)
{
	const struct colors *c = colors(out);
	const char *what = "", *result = "", *detail = "";
	const char *color;

	json_unpack(obj, "{s:s,s:s,s:s}", "check", &what, "result", &result, "detail", &detail);
	color = strcmp(result, "ok") == 0	 ? c->good
		: strcmp(result, "missing") == 0 ? c->bad
						 : c->warn;
	fprintf(out, "%s%-8s%s  %-18s ", color, result, c->off, what);
	print_column(out, detail, 0);
	fputc('\n', out);
}

static enum status run(int argc, char **argv)
{
	static const struct option options[] = {BINARY_LONG, COMMON_LONG, {0}};
	struct common c = {0};
	json_t *req;
	int opt, err;

	while ((opt = getopt_long(argc, argv, COMMON_SHORT "x:", options, NULL)) != -1) {
		err = common_option(&cmd_check, &c, opt);
		if (err)
			return err < 0 ? STATUS_USAGE : STATUS_OK;
	}
	if (optind < argc)
		return usage_error(&cmd_check, "unexpected argument '%s'", argv[optind]);
	req = request_new(&c, "check");
	if (request_binary(&cmd_check, req, &c)) {
		json_decref(req);
		return STATUS_USAGE;
	}
	return run_request(&c, req, print_check);
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
