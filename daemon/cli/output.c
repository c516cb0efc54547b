// SPDX-License-Identifier: MIT
/* output.c - where data goes. See output.h. */
#include "cli/output.h"

int output_open(struct output *o, const struct options *opt)
{
	*o = (struct output){.file = stdout, .name = opt->output};
	if (!o->name)
		return 0;
	o->file = fopen(o->name, "we");
	if (o->file)
		return 0;
	fprintf(stderr, "hotprobe: error: cannot write %s: %s\n", o->name, strerror(errno));
	return -EIO;
}

struct output_request output_request(const struct output *o, const struct options *opt)
{
	const char *no_color = getenv("NO_COLOR");
	bool terminal = isatty(fileno(o->file));

	return (struct output_request){
		.format = opt->json ? "json" : "text",
		.color = terminal && !(no_color && *no_color),
		.header = terminal,
	};
}

bool output_flush(struct output *o)
{
	if ((fflush(o->file) || ferror(o->file)) && !o->err)
		o->err = errno;
	return !o->err;
}

int output_close(struct output *o)
{
	output_flush(o);
	if (o->file != stdout && fclose(o->file) && !o->err)
		o->err = errno;
	/* A reader that has seen enough (EPIPE) is no error. */
	if (!o->err || o->err == EPIPE)
		return 0;
	fprintf(stderr, "hotprobe: error: cannot write %s: %s\n", o->name ? o->name : "to stdout",
		strerror(o->err));
	return -EIO;
}
