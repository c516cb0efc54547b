// SPDX-License-Identifier: MIT
/* methods.c - `hotprobe methods`: the live symbol map, or the methods of a native image. */
#include "cli/client.h"

#define OPT_COVERAGE 600 /* has no letter */

struct asked {
	struct options o;
	bool coverage;
};

/* Return: as options_take(). */
static int take(struct asked *q, int opt)
{
	switch (opt) {
	case 'w':
		q->o.req.methods.follow = true;
		return 0;
	case OPT_COVERAGE:
		q->coverage = true;
		return 0;
	default:
		return options_take(&cmd_methods, &q->o, opt);
	}
}

/* What does not go together, but for the SPECs. */
static enum status check_target(const struct asked *q)
{
	const struct methods_request *m = &q->o.req.methods;

	if (!m->target.pid && !m->target.binary)
		return options_usage(&cmd_methods,
				     "which JVM? give its PID with -p, or a native image with -x");
	if (m->target.binary && (m->target.pid || m->target.via != VIA_DEFAULT || m->follow))
		return options_usage(&cmd_methods,
				     "-x names a file: -p, --via and -w cannot be given with it");
	if (q->coverage && m->follow)
		return options_usage(&cmd_methods,
				     "--coverage looks once: -w cannot be given with it (`hotprobe "
				     "trace` tells what changes)");
	return STATUS_OK;
}

/* The request becomes one for what is seen of @n SPECs. */
static enum status ask_coverage(struct options *o, char **specs, int n)
{
	struct target_request target = o->req.target;
	struct trace_request *t = &o->req.trace;
	struct fail f = {0};

	if (!n)
		return options_usage(&cmd_methods,
				     "which methods? give a SPEC such as com.shop.Cart.add");
	o->req.kind = REQUEST_COVERAGE;
	*t = (struct trace_request){.target = target};
	for (int i = 0; i < n; i++)
		if (request_add_spec(t, specs[i], &f))
			return options_usage(&cmd_methods, "%s", f.text);
	return client_run(o);
}

static enum status run(int argc, char **argv)
{
	static const struct option options[] = {{"watch", no_argument, NULL, 'w'},
						{"coverage", no_argument, NULL, OPT_COVERAGE},
						BINARY_LONG,
						VIA_LONG,
						OPTIONS_LONG,
						{0}};
	struct asked q = {0};
	int opt, err;

	options_init(&q.o, REQUEST_METHODS);
	while ((opt = options_next(&cmd_methods, argc, argv, ":" OPTIONS_SHORT "wx:", options)) !=
	       -1) {
		err = take(&q, opt);
		if (err)
			return err < 0 ? STATUS_USAGE : STATUS_OK;
	}
	if (check_target(&q) != STATUS_OK)
		return STATUS_USAGE;
	if (q.coverage)
		return ask_coverage(&q.o, argv + optind, argc - optind);
	if (argc - optind > 1)
		return options_usage(&cmd_methods, "unexpected argument '%s'", argv[optind + 1]);
	if (optind < argc)
		q.o.req.methods.pattern = argv[optind];
	return client_run(&q.o);
}

const struct command cmd_methods = {
	.name = "methods",
	.args = "{-p PID [-w] | -x BINARY} [PATTERN] | --coverage {-p PID | -x BINARY} SPEC...",
	.summary = "show the compiled methods of a JVM or a GraalVM native image",
	.options =
		"  -p, --pid PID        the JVM\n"
		"  -x, --binary BINARY  the file of a native image, running or not\n" VIA_HELP
		"  -w, --watch          go on with what is compiled, retired and unloaded\n"
		"      --coverage       which calls of these methods a trace would see, which not, "
		"and why\n"
		"  PATTERN              only these methods, as a SPEC of `hotprobe trace`:\n"
		"                       'com.shop.**', 'com.shop.Cart.add(int, String)'\n",
	.example = "hotprobe methods -p 4711 'com.shop.**'",
	.run = run,
};
