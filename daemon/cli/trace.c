// SPDX-License-Identifier: MIT
/* trace.c - `hotprobe trace`: one line per call. */
#include "cli/trace.h"

int trace_option(const struct command *cmd, struct trace_options *o, int opt)
{
	int err = 0;

	switch (opt) {
	case 'n':
		err = parse_number(optarg, 1, INT64_MAX, &o->count);
		break;
	case 'd':
		err = parse_duration(optarg, &o->duration_ns);
		break;
	case OPT_STRING_MAX:
		err = parse_number(optarg, 0, REQUEST_STRING_MAX, &o->string_max);
		break;
	case OPT_RING_SIZE:
		err = parse_size(optarg, REQUEST_RING_MIN, REQUEST_RING_MAX, &o->ring_bytes);
		break;
	case OPT_COUNT_ONLY:
		o->count_only = true;
		break;
	default:
		return common_option(cmd, &o->c, opt);
	}
	if (err)
		usage_error(cmd, "'%s' is no valid value here", optarg);
	return err;
}

json_t *trace_request(const struct command *cmd, const struct trace_options *o, char **specs, int n)
{
	json_t *req = request_new(&o->c, "trace"), *list = json_array();

	json_object_set_new(req, "specs", list);
	for (int i = 0; i < n; i++) {
		if (!json_array_append_new(list, json_string(specs[i])))
			continue;
		usage_error(cmd, "SPEC %d is no UTF-8 text", i + 1);
		json_decref(req);
		return NULL;
	}
	json_object_set_new(req, "count", json_integer((json_int_t)o->count));
	json_object_set_new(req, "duration_ns", json_integer((json_int_t)o->duration_ns));
	json_object_set_new(req, "string_max", json_integer((json_int_t)o->string_max));
	json_object_set_new(req, "ring_bytes", json_integer((json_int_t)o->ring_bytes));
	json_object_set_new(req, "count_only", json_boolean(o->count_only));
	return req;
}

static enum status run(int argc, char **argv)
{
	static const struct option options[] = {
		TRACE_LONG, BINARY_LONG, VIA_LONG, COMMON_LONG, {0}};
	struct trace_options o = TRACE_DEFAULTS;
	json_t *req;
	int opt, err;

	while ((opt = getopt_long(argc, argv, COMMON_SHORT TRACE_SHORT "x:", options, NULL)) !=
	       -1) {
		err = trace_option(&cmd_trace, &o, opt);
		if (err)
			return err < 0 ? STATUS_USAGE : STATUS_OK;
	}
	if (!o.c.pid && !o.c.binary)
		return usage_error(&cmd_trace,
				   "which JVM? give its PID with -p, or a native image with -x");
	if (o.c.binary && o.c.via)
		return usage_error(&cmd_trace, "--via is for JVMs: no -x with it");
	if (optind == argc)
		return usage_error(&cmd_trace,
				   "which methods? give a SPEC such as com.shop.Cart.add");
	req = trace_request(&cmd_trace, &o, argv + optind, argc - optind);
	if (req && request_binary(&cmd_trace, req, &o.c)) {
		json_decref(req);
		req = NULL;
	}
	return req ? run_request(&o.c, req, print_event) : STATUS_USAGE;
}

const struct command cmd_trace = {
	.name = "trace",
	.args = "{-p PID | -x BINARY} [OPTIONS] SPEC...",
	.summary = "print every call of compiled methods with its arguments",
	.options = "  -p, --pid PID        the JVM, or the process of a native image\n"
		   "  -x, --binary BINARY  every process of this native image, also later ones; "
		   "with -p\n"
		   "                       that one\n" VIA_HELP TRACE_HELP,
	.example = "hotprobe trace -p 4711 'com.shop.Cart.add(int, String)'",
	.run = run,
};
