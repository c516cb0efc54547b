// SPDX-License-Identifier: MIT
/* common.c - what every command shares: options, numbers, colours. See cli.h. */
#include <stdarg.h>

#include "cli/cli.h"

static void print_help(const struct command *cmd)
{
	printf("Usage: hotprobe %s %s\n\n%s\n\nOptions:\n%s"
	       "  -j, --json           one JSON object a line\n"
	       "  -o, --output FILE    write data to FILE instead of stdout\n"
	       "  -q, --quiet          only errors on stderr\n"
	       "  -v, --verbose        say on stderr what is done and how long it takes\n"
	       "  -h, --help           this text\n\nExample:\n  %s\n",
	       cmd->name, cmd->args, cmd->summary, cmd->options, cmd->example);
}

int common_option(const struct command *cmd, struct common *c, int opt)
{
	uint64_t n;

	switch (opt) {
	case OPT_HELP:
		print_help(cmd);
		return 1;
	case OPT_JSON:
		c->json = true;
		return 0;
	case 'q':
		c->quiet = true;
		return 0;
	case 'v':
		c->verbose = true;
		return 0;
	case 'o':
		c->output = optarg;
		return 0;
	case 'p':
		if (parse_number(optarg, 1, INT32_MAX, &n)) {
			usage_error(cmd, "'%s' is no PID", optarg);
			return -EINVAL;
		}
		c->pid = (pid_t)n;
		return 0;
	case 'x':
		c->binary = optarg;
		return 0;
	case OPT_VIA:
		if (strcmp(optarg, "ptrace") && strcmp(optarg, "agent") && strcmp(optarg, "auto")) {
			usage_error(cmd, "'%s' is no way in: ptrace, agent or auto", optarg);
			return -EINVAL;
		}
		c->via = optarg;
		return 0;
	default:
		/* getopt_long() has said what is wrong. */
		fprintf(stderr, "hotprobe: see `hotprobe %s --help`\n", cmd->name);
		return -EINVAL;
	}
}

enum status usage_error(const struct command *cmd, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "hotprobe: %s: %s; see `hotprobe %s --help`\n", cmd->name, text, cmd->name);
	return STATUS_USAGE;
}

/* Digits only: strtoull() would take signs, blanks and hexadecimal. */
static int digits(const char *text, uint64_t *ret, const char **end)
{
	uint64_t n = 0;
	const char *p = text;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (mul_overflows(n, 10u, &n) || add_overflows(n, (uint64_t)(*p - '0'), &n))
			return -EINVAL;
	}
	*ret = n;
	*end = p;
	return p == text ? -EINVAL : 0;
}

int parse_number(const char *text, uint64_t lo, uint64_t hi, uint64_t *ret)
{
	const char *end;
	uint64_t n;

	if (digits(text, &n, &end) || *end || n < lo || n > hi)
		return -EINVAL;
	*ret = n;
	return 0;
}

int parse_size(const char *text, uint64_t lo, uint64_t hi, uint64_t *ret)
{
	static const char units[] = "KMG";
	const char *end, *unit;
	uint64_t n;

	if (digits(text, &n, &end))
		return -EINVAL;
	if (*end) {
		unit = strchr(units, *end);
		if (!unit || end[1] || mul_overflows(n, 1ULL << (10 * (unit - units + 1)), &n))
			return -EINVAL;
	}
	if (n < lo || n > hi)
		return -EINVAL;
	*ret = n;
	return 0;
}

int parse_duration(const char *text, uint64_t *ret)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = {{"", 1e9}, {"s", 1e9},  {"ms", 1e6},  {"us", 1e3},
		     {"ns", 1}, {"m", 60e9}, {"h", 3600e9}};
	char *end;
	double n;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	n = strtod(text, &end);
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(end, units[i].name))
			continue;
		n *= units[i].ns;
		if (!(n >= 1 && n < 1e18))
			return -EINVAL;
		*ret = (uint64_t)n;
		return 0;
	}
	return -EINVAL;
}

json_t *request_new(const struct common *c, const char *name)
{
	json_t *req = json_pack("{s:s,s:b}", "request", name, "verbose", c->verbose);

	if (c->pid)
		json_object_set_new(req, "pid", json_integer(c->pid));
	if (c->via)
		json_object_set_new(req, "via", json_string(c->via));
	return req;
}

int request_text(const struct command *cmd, json_t *req, const char *key, const char *text)
{
	if (!json_object_set_new(req, key, json_string(text)))
		return 0;
	usage_error(cmd, "an argument is no UTF-8 text");
	return -EINVAL;
}

int request_binary(const struct command *cmd, json_t *req, const struct common *c)
{
	_cleanup_free_ char *path = c->binary ? realpath(c->binary, NULL) : NULL;

	if (!c->binary)
		return 0;
	if (!path && errno == ENOMEM) {
		fprintf(stderr, "hotprobe: out of memory\n");
		return -EINVAL;
	}
	return request_text(cmd, req, "binary", path ? path : c->binary);
}

const struct colors *colors(FILE *out)
{
	static const struct colors none = {"", "", "", "", "", ""};
	static const struct colors ansi = {"\033[2m",  "\033[1m",  "\033[32m",
					   "\033[33m", "\033[31m", "\033[0m"};
	const char *no_color = getenv("NO_COLOR");

	return isatty(fileno(out)) && !(no_color && *no_color) ? &ansi : &none;
}
