// SPDX-License-Identifier: MIT
/* methods.c - `hotprobe methods`: the live symbol map, or the methods of a native image. */
#include "cli/cli.h"

static const char *text_of(json_t *obj, const char *key)
{
	const char *s = json_string_value(json_object_get(obj, key));

	return s ? s : "";
}

/* A method of a native image: no level, no compile id. Its symbol may tell overloads apart. */
static void print_image_method(FILE *out, json_t *obj)
{
	const struct colors *c = colors(out);
	json_int_t overloads = json_integer_value(json_object_get(obj, "overloads"));
	const char *desc = text_of(obj, "descriptor"), *klass = text_of(obj, "class");

	fprintf(out, "%-16s %-16s %7lld  ", text_of(obj, "entry") + 2, text_of(obj, "end") + 2,
		(long long)json_integer_value(json_object_get(obj, "size")));
	print_column(out, klass, 0);
	if (*klass)
		fputc('.', out);
	print_column(out, text_of(obj, "name"), 0);
	fputs(c->dim, out);
	print_column(out, desc, 0);
	if (overloads > 1 && !*desc)
		fprintf(out, "  (1 of %lld)", (long long)overloads);
	fprintf(out, "%s\n", c->off);
}

static void print_method(FILE *out, json_t *obj)
{
	const struct colors *c = colors(out);
	const char *entry = "0x", *end = "0x", *kind = "", *state = "", *klass = "", *name = "",
		   *desc = "";
	const char *event = json_string_value(json_object_get(obj, "event"));
	json_int_t size = 0, level = 0, id = 0;
	int osr = 0;

	if (!strcmp(text_of(obj, "kind"), "native-image")) {
		print_image_method(out, obj);
		return;
	}
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
	static const struct option options[] = {
		{"watch", no_argument, NULL, 'w'}, BINARY_LONG, VIA_LONG, COMMON_LONG, {0}};
	struct common c = {0};
	bool watch = false;
	json_t *req;
	int opt, err;

	while ((opt = getopt_long(argc, argv, COMMON_SHORT "wx:", options, NULL)) != -1) {
		if (opt == 'w') {
			watch = true;
			continue;
		}
		err = common_option(&cmd_methods, &c, opt);
		if (err)
			return err < 0 ? STATUS_USAGE : STATUS_OK;
	}
	if (!c.pid && !c.binary)
		return usage_error(&cmd_methods,
				   "which JVM? give its PID with -p, or a native image with -x");
	if (c.binary && (c.pid || c.via || watch))
		return usage_error(&cmd_methods, "-x is about a file: no -p, --via or -w with it");
	if (argc - optind > 1)
		return usage_error(&cmd_methods, "unexpected argument '%s'", argv[optind + 1]);
	req = request_new(&c, "methods");
	if (request_binary(&cmd_methods, req, &c) ||
	    (optind < argc && request_text(&cmd_methods, req, "pattern", argv[optind]))) {
		json_decref(req);
		return STATUS_USAGE;
	}
	if (watch)
		json_object_set_new(req, "follow", json_true());
	return run_request(&c, req, print_method);
}

const struct command cmd_methods = {
	.name = "methods",
	.args = "{-p PID [-w] | -x BINARY} [PATTERN]",
	.summary = "show the compiled methods of a JVM or a GraalVM native image",
	.options = "  -p, --pid PID        the JVM\n"
		   "  -x, --binary BINARY  the file of a native image, running or not\n" VIA_HELP
		   "  -w, --watch          go on with what is compiled, retired and unloaded\n"
		   "  PATTERN              only these methods, as a SPEC of `hotprobe trace`:\n"
		   "                       'com.shop.**', 'com.shop.Cart.add(int, String)'\n",
	.example = "hotprobe methods -p 4711 'com.shop.**'",
	.run = run,
};
