// SPDX-License-Identifier: MIT
/* options.c - options that commands share. See options.h. */
#include <stdarg.h>

#include "base/nearest.h"
#include "cli/number.h"
#include "cli/options.h"

void options_init(struct options *o, enum request_kind kind)
{
	*o = (struct options){0};
	request_init(&o->req, kind);
}

static void print_help(const struct command *cmd)
{
	printf("Usage: hotprobe %s %s\n\n%s\n\nOptions:\n%s"
	       "  -j, --json           one JSON object a line\n"
	       "  -o, --output FILE    write data to FILE instead of stdout; SIGHUP opens it anew\n"
	       "  -q, --quiet          only errors on stderr\n"
	       "  -v, --verbose        say on stderr what is done and how long it takes\n"
	       "  -h, --help           this text\n\nExample:\n  %s\n",
	       cmd->name, cmd->args, cmd->summary, cmd->options, cmd->example);
}

static int take_pid(const struct command *cmd, struct options *o, const char *arg)
{
	uint64_t n;

	if (number_parse(arg, 1, INT32_MAX, &n)) {
		options_usage(cmd, "--pid must be a process id, 1 to 2147483647, not '%s'", arg);
		return -EINVAL;
	}
	o->req.target.pid = (pid_t)n;
	return 0;
}

static int take_via(const struct command *cmd, struct options *o, const char *arg)
{
	if (!via_parse(arg, &o->req.target.via))
		return 0;
	options_usage(cmd, "--via must be ptrace, agent or auto, not '%s'", arg);
	return -EINVAL;
}

/* The engine may have another working directory. One that is not there is for the engine to tell.
 */
static int take_binary(struct options *o, const char *arg)
{
	o->req.target.binary = realpath(arg, o->binary) ? o->binary : arg;
	return 0;
}

int options_take(const struct command *cmd, struct options *o, int opt)
{
	switch (opt) {
	case 'h':
		print_help(cmd);
		return 1;
	case 'j':
		o->json = true;
		return 0;
	case 'q':
		o->quiet = true;
		return 0;
	case 'v':
		o->req.verbose = true;
		return 0;
	case 'o':
		o->output = optarg;
		return 0;
	case 'p':
		return take_pid(cmd, o, optarg);
	case 'x':
		return take_binary(o, optarg);
	case OPT_VIA:
		return take_via(cmd, o, optarg);
	default: /* OPT_WRONG */
		return -EINVAL;
	}
}

/* "--cuont": which did they mean? One that is cut short fits several. */
static void say_unknown(const struct command *cmd, const char *word, const struct option *longs)
{
	size_t len = strcspn(word + 2, "="), fits = 0;
	_cleanup_free_ char *name = strndup(word + 2, len);
	struct nearest n;

	if (!name)
		return;
	nearest_init(&n, name);
	for (; longs->name; longs++) {
		fits += !strncmp(longs->name, name, len);
		nearest_offer(&n, longs->name);
	}
	if (fits > 1)
		options_usage(cmd, "'--%s' may be one of several options: write it in full", name);
	else if (nearest_found(&n))
		options_usage(cmd, "there is no option '--%s': did you mean '--%s'?", name,
			      nearest_found(&n));
	else
		options_usage(cmd, "there is no option '--%s'", name);
}

/* "-n" of "--count". */
static const char *long_name(const struct option *longs, int opt)
{
	while (longs->name && longs->val != opt)
		longs++;
	return longs->name ? longs->name : "?";
}

int options_next(const struct command *cmd, int argc, char **argv, const char *shorts,
		 const struct option *longs)
{
	const char *word;
	int opt;

	opterr = 0;
	opt = getopt_long(argc, argv, shorts, longs, NULL);
	word = argv[optind - 1];
	if (opt == ':') {
		options_usage(cmd, "--%s needs a value", long_name(longs, optopt));
		return OPT_WRONG;
	}
	if (opt != '?')
		return opt;
	if (strncmp(word, "--", 2))
		options_usage(cmd, "there is no option '-%c'", optopt);
	else if (optopt)
		options_usage(cmd, "--%s takes no value", long_name(longs, optopt));
	else
		say_unknown(cmd, word, longs);
	return OPT_WRONG;
}

enum status options_usage(const struct command *cmd, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "hotprobe: %s: %s; see `hotprobe %s --help`\n", cmd->name, text, cmd->name);
	return STATUS_USAGE;
}
