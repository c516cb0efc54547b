// SPDX-License-Identifier: MIT
/* methods.c - `hotprobe methods`: the live symbol map. */
#include "cli/cli.h"

static void print_method(FILE *out, json_t *obj)
{
	const struct colors *c = colors(out);
	const char *entry = "0x", *end = "0x", *kind = "", *state = "", *klass = "", *name = "", *desc = "";
	const char *event = json_string_value(json_object_get(obj, "event"));
	json_int_t size = 0, level = 0, id = 0;
	int osr = 0;

	json_unpack(obj, "{s:s,s:s,s:I,s:I,s:I,s:s,s:s,s:b,s:s,s:s,s:s}", "entry", &entry, "end",
		    &end, "size", &size, "level", &level, "compile_id", &id, "kind", &kind, "state",
		    &state, "osr", &osr, "class", &klass, "name", &name, "descriptor", &desc);
	if (event)
		fprintf(out, "%-9s ", event);
	fprintf(out, "%-16s %-16s %7lld  %lld %-6s %6lld  %s%-11s%s %-3s ", entry + 2, end + 2,
		(long long)size, (long long)level, kind, (long long)id,
		strcmp(state, "in_use") == 0 ? "" : c->warn, state, c->off, osr ? "osr" : "");
	print_column(out, klass, 0);
	fputc('.', out);
	print_column(out, name, 0);
	fputs(c->dim, out);
	print_column(out, desc, 0);
	fprintf(out, "%s\n", c->off);
}

static enum status run(int argc, char **argv)
{
	static const struct option options[] = {{"watch", no_argument, NULL, 'w'}, VIA_LONG, COMMON_LONG, {0}};
	struct common c = {0};
	bool watch = false;
	json_t *req;
	int opt, err;

	while ((opt = getopt_long(argc, argv, COMMON_SHORT "w", options, NULL)) != -1) {
		if (opt == 'w') {
			watch = true;
			continue;
		}
		err = common_option(&cmd_methods, &c, opt);
		if (err)
			return err < 0 ? STATUS_USAGE : STATUS_OK;
	}
	if (!c.pid)
		return usage_error(&cmd_methods, "which JVM? give its PID with -p");
	if (argc - optind > 1)
		return usage_error(&cmd_methods, "unexpected argument '%s'", argv[optind + 1]);
	req = request_new(&c, "methods");
	if (optind < argc && request_text(&cmd_methods, req, "pattern", argv[optind])) {
		json_decref(req);
		return STATUS_USAGE;
	}
	if (watch)
		json_object_set_new(req, "follow", json_true());
	return run_request(&c, req, print_method);
}

const struct command cmd_methods = {
	.name = "methods",
	.args = "-p PID [-w] [PATTERN]",
	.summary = "show the compiled methods of a JVM",
	.options = "  -p, --pid PID        the JVM\n"
		   VIA_HELP
		   "  -w, --watch          go on with what is compiled, retired and unloaded\n"
		   "  PATTERN              only methods whose class.name matches: * within a name,\n"
		   "                       ** across packages\n",
	.example = "hotprobe methods -p 4711 'com.shop.**'",
	.run = run,
};
