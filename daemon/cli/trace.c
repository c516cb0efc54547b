// SPDX-License-Identifier: MIT
/* trace.c - `hotprobe trace`: one line per call. */
#include "cli/client.h"
#include "cli/number.h"
#include "cli/trace.h"

static int take_string_max(const char *arg, struct trace_request *t)
{
	uint64_t n;

	if (number_parse(arg, 0, REQUEST_STRING_MAX, &n))
		return -EINVAL;
	t->string_max = (uint32_t)n;
	return 0;
}

static int take_ring_size(const char *arg, struct trace_request *t)
{
	uint64_t n;

	if (number_parse_size(arg, REQUEST_RING_MIN, REQUEST_RING_MAX, &n))
		return -EINVAL;
	t->ring_bytes = (size_t)n;
	return 0;
}

/* @range: what it may be. */
static int wrong(const struct command *cmd, const char *option, const char *range)
{
	options_usage(cmd, "%s must be %s, not '%s'", option, range, optarg);
	return -EINVAL;
}

int trace_take(const struct command *cmd, struct options *o, int opt)
{
	struct trace_request *t = &o->req.trace;

	switch (opt) {
	case 'n':
		if (number_parse(optarg, 1, INT64_MAX, &t->count))
			return wrong(cmd, "--count", "a number of events, 1 or more");
		return 0;
	case 'd':
		if (number_parse_duration(optarg, &t->duration_ns))
			return wrong(cmd, "--duration",
				     "a time of 1ns to 31 years, as in 10s, 500ms, 2m");
		return 0;
	case OPT_STRING_MAX:
		if (take_string_max(optarg, t))
			return wrong(cmd, "--string-max", "a number of bytes, 0 to 4096");
		return 0;
	case OPT_RING_SIZE:
		if (take_ring_size(optarg, t))
			return wrong(cmd, "--ring-size", "a size of 64K to 1G");
		return 0;
	case 'i':
		if (number_parse_duration(optarg, &t->interval_ns) ||
		    t->interval_ns < REQUEST_INTERVAL_MIN_NS)
			return wrong(cmd, "--interval", "a time of 0.1s or more");
		return 0;
	case OPT_COUNT_ONLY:
		t->count_only = true;
		return 0;
	default:
		return options_take(cmd, o, opt);
	}
}

int trace_specs(const struct command *cmd, struct options *o, char **specs, int n)
{
	struct fail f = {0};

	if (o->req.trace.interval_ns && !o->req.trace.count_only) {
		options_usage(cmd, "--interval is for --count-only: give that too");
		return -EINVAL;
	}
	for (int i = 0; i < n; i++) {
		if (!request_add_spec(&o->req.trace, specs[i], &f))
			continue;
		options_usage(cmd, "%s", f.text);
		return -EINVAL;
	}
	return 0;
}

static enum status run(int argc, char **argv)
{
	static const struct option options[] = {
		TRACE_LONG, BINARY_LONG, VIA_LONG, OPTIONS_LONG, {0}};
	struct options o;
	const struct target_request *t = &o.req.target;
	int opt, err;

	options_init(&o, REQUEST_TRACE);
	while ((opt = options_next(&cmd_trace, argc, argv,
				   ":" OPTIONS_SHORT TRACE_SHORT "x:", options)) != -1) {
		err = trace_take(&cmd_trace, &o, opt);
		if (err)
			return err < 0 ? STATUS_USAGE : STATUS_OK;
	}
	if (!t->pid && !t->binary)
		return options_usage(&cmd_trace,
				     "which JVM? give its PID with -p, or a native image with -x");
	if (t->binary && t->via != VIA_DEFAULT)
		return options_usage(&cmd_trace, "--via is for JVMs: it cannot be given with -x");
	if (optind == argc)
		return options_usage(&cmd_trace,
				     "which methods? give a SPEC such as com.shop.Cart.add");
	if (trace_specs(&cmd_trace, &o, argv + optind, argc - optind))
		return STATUS_USAGE;
	return client_run(&o);
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
