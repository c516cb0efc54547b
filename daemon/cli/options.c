// SPDX-License-Identifier: MIT
/* options.c - options that commands share. See options.h. */
#include <stdarg.h>

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
		options_usage(cmd, "--pid: invalid PID '%s'", arg);
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
	default:
		/* getopt_long() has said what is wrong. */
		fprintf(stderr, "hotprobe: see `hotprobe %s --help`\n", cmd->name);
		return -EINVAL;
	}
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
