// SPDX-License-Identifier: MIT
/* methods.c - `hotprobe methods`: the live symbol map, or the methods of a native image. */
#include "cli/client.h"

static enum status run(int argc, char **argv)
{
	static const struct option options[] = {
		{"watch", no_argument, NULL, 'w'}, BINARY_LONG, VIA_LONG, OPTIONS_LONG, {0}};
	struct options o;
	struct methods_request *m = &o.req.methods;
	int opt, err;

	options_init(&o, REQUEST_METHODS);
	while ((opt = options_next(&cmd_methods, argc, argv, ":" OPTIONS_SHORT "wx:", options)) !=
	       -1) {
		if (opt == 'w') {
			m->follow = true;
			continue;
		}
		err = options_take(&cmd_methods, &o, opt);
		if (err)
			return err < 0 ? STATUS_USAGE : STATUS_OK;
	}
	if (!m->target.pid && !m->target.binary)
		return options_usage(&cmd_methods,
				     "which JVM? give its PID with -p, or a native image with -x");
	if (m->target.binary && (m->target.pid || m->target.via != VIA_DEFAULT || m->follow))
		return options_usage(&cmd_methods,
				     "-x names a file: -p, --via and -w cannot be given with it");
	if (argc - optind > 1)
		return options_usage(&cmd_methods, "unexpected argument '%s'", argv[optind + 1]);
	if (optind < argc)
		m->pattern = argv[optind];
	return client_run(&o);
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
