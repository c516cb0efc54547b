// SPDX-License-Identifier: MIT
/* list.c - `hotprobe list`: the JVMs on this machine. */
#include "cli/cli.h"

static const char *text_of(json_t *obj, const char *key, const char *def)
{
	const char *s = json_string_value(json_object_get(obj, key));

	return s ? s : def;
}

/* One line a JVM; why it cannot be probed goes below it. */
static void print_jvm(FILE *out, json_t *obj)
{
	static const struct {
		const char *key, *def;
		size_t width;
	} columns[] = {{"user", "?", 10},
		       {"java_version", "-", 28},
		       {"gc", "-", 11},
		       {"kind", "?", 12},
		       {"main", "-", 0}};
	const struct colors *c = colors(out);
	static bool header;

	if (!header)
		fprintf(out, "%s%8s  %-10s %-28s %-11s %-12s %s%s\n", c->bold, "PID", "USER", "JDK",
			"GC", "KIND", "MAIN", c->off);
	header = true;
	fprintf(out, "%8lld  ", (long long)json_integer_value(json_object_get(obj, "pid")));
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		print_column(out, text_of(obj, columns[i].key, columns[i].def), columns[i].width);
		fputc(i + 1 < ARRAY_SIZE(columns) ? ' ' : '\n', out);
	}
	if (json_is_true(json_object_get(obj, "probeable")))
		return;
	fprintf(out, "%10s%snot probeable: ", "", c->warn);
	print_column(out, text_of(obj, "reason", "?"), 0);
	fprintf(out, "%s\n", c->off);
}

static enum status run(int argc, char **argv)
{
	static const struct option options[] = {COMMON_LONG, {0}};
	struct common c = {0};
	int opt, err;

	while ((opt = getopt_long(argc, argv, COMMON_SHORT, options, NULL)) != -1) {
		err = common_option(&cmd_list, &c, opt);
		if (err)
			return err < 0 ? STATUS_USAGE : STATUS_OK;
	}
	if (optind < argc)
		return usage_error(&cmd_list, "unexpected argument '%s'", argv[optind]);
	return run_request(&c, request_new(&c, "list"), print_jvm);
}

const struct command cmd_list = {
	.name = "list",
	.args = "",
	.summary = "list the JVMs on this machine",
	.options = "",
	.example = "hotprobe list --json",
	.run = run,
};
