/* SPDX-License-Identifier: MIT */
/*
 * cli.h - the command line: a table of commands, and what they share.
 *
 * A command turns its arguments into one request, sends it to an engine and prints what comes back;
 * it has no knowledge of JVMs.
 */
#ifndef HP_CLI_H
#define HP_CLI_H

#include <getopt.h>
#include <jansson.h>
#include <sys/types.h>

#include "proto/proto.h"
#include "proto/request.h"
#include "base/util.h"

struct command {
	const char *name;
	const char *args;    /* "-p PID SPEC..." */
	const char *summary; /* one line */
	const char *options; /* its own lines of --help */
	const char *example;
	enum status (*run)(int argc, char **argv);
};

extern const struct command cmd_check, cmd_list, cmd_methods, cmd_trace, cmd_run, cmd_clean;

/* Options that every command takes. */
struct common {
	bool json, quiet, verbose;
	const char *output; /* -o FILE */
	pid_t pid;
	const char *via;    /* NULL: as the engine does by default */
	const char *binary; /* -x FILE */
};

#define COMMON_SHORT "hjqvo:p:"
enum { OPT_JSON = 'j', OPT_HELP = 'h', OPT_VIA = 512 };
#define COMMON_LONG                                                                                \
	{"help", no_argument, NULL, OPT_HELP}, {"json", no_argument, NULL, OPT_JSON},              \
		{"quiet", no_argument, NULL, 'q'}, {"verbose", no_argument, NULL, 'v'},            \
		{"output", required_argument, NULL, 'o'},                                          \
	{                                                                                          \
		"pid", required_argument, NULL, 'p'                                                \
	}

/* For commands that take a native image's file, with "x:" among the short options. */
#define BINARY_LONG                                                                                \
	{                                                                                          \
		"binary", required_argument, NULL, 'x'                                             \
	}

/* For commands that get into a target, or have to look into it. */
#define VIA_LONG                                                                                   \
	{                                                                                          \
		"via", required_argument, NULL, OPT_VIA                                            \
	}
#define VIA_HELP                                                                                   \
	"      --via WAY        the way into the JVM: ptrace, agent (hotprobe's, inside it: no\n"  \
	"                       ptrace; loaded if need be), or auto (agent where ptrace is not\n"  \
	"                       allowed); default: the agent if it is loaded, else ptrace\n"

/**
 * common_option() - take an option that every command has.
 * Return: 0 taken; 1 --help was asked for and is printed; -EINVAL not ours, or wrong (said).
 */
int common_option(const struct command *cmd, struct common *c, int opt);

/** usage_error() - one line on stderr. Return: STATUS_USAGE. */
enum status usage_error(const struct command *cmd, const char *fmt, ...) _printf_(2, 3);

/**
 * parse_number() - a whole decimal number in [@lo, @hi]. Return: 0; -EINVAL.
 * parse_size() - the same with an optional K, M or G (binary).
 * parse_duration() - seconds, or with ms, s, m, h; fractions allowed. Nanoseconds.
 */
int parse_number(const char *text, uint64_t lo, uint64_t hi, uint64_t *ret);
int parse_size(const char *text, uint64_t lo, uint64_t hi, uint64_t *ret);
int parse_duration(const char *text, uint64_t *ret);

/** request_new() - {"request":NAME,"verbose":...,"pid":...,"via":...}. "binary": see
 * request_binary(). */
json_t *request_new(const struct common *c, const char *name);

/* What a command does with a line that is data; @obj is borrowed. */
typedef void text_fn(FILE *out, json_t *obj);

/**
 * run_request() - send @req (its reference is taken) to an engine; print what comes until it is
 * done.
 * @text: prints one object for a person; unused with --json.
 *
 * Ctrl-C and SIGTERM ask the engine to stop; what it then still has to say is printed too.
 */
enum status run_request(const struct common *c, json_t *req, text_fn *text);

/**
 * signals_hold() - from now on Ctrl-C and SIGTERM wait until run_request() can handle them, so that
 * they end a command cleanly even in its first moments.
 */
void signals_hold(void);

/**
 * print_text() - text of the target's, which may hold anything: a terminal must not take it for a
 * command. Control characters come as \n or \x1b.
 * @quote: 0, or the quotation mark the caller puts around it, which is escaped.
 * Return: how many columns it took.
 */
size_t print_text(FILE *out, const char *s, size_t len, char quote);

/** print_column() - the same, filled up with blanks to @width columns. */
void print_column(FILE *out, const char *s, size_t width);

/**
 * request_text() - set @key of @req to an argument of the command line.
 * Return: 0; -EINVAL when it is no UTF-8 (said).
 */
int request_text(const struct command *cmd, json_t *req, const char *key, const char *text);

/**
 * request_binary() - set "binary" of @req to the file of -x, if it was given, as an absolute path.
 * Return: 0; -EINVAL (said).
 */
int request_binary(const struct command *cmd, json_t *req, const struct common *c);

/* Colours on a terminal, unless NO_COLOR is set; else empty strings. */
struct colors {
	const char *dim, *bold, *good, *warn, *bad, *off;
};

const struct colors *colors(FILE *out);

#endif
