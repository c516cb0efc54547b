// SPDX-License-Identifier: MIT
/* log.c - messages for a person. See log.h. */
#include <stdarg.h>

#include "log.h"

static enum log_level max_level = LOG_LVL_WARN;
static log_sink_fn *sink;
static void *sink_arg;

void log_set_level(enum log_level level)
{
	max_level = level;
}

void log_set_sink(log_sink_fn *fn, void *arg)
{
	sink = fn;
	sink_arg = arg;
}

log_sink_fn *log_get_sink(void **arg_ret)
{
	*arg_ret = sink_arg;
	return sink;
}

void log_msg(enum log_level level, const char *fmt, ...)
{
	static const char *const prefix[] = {"error: ", "warning: ", "", ""};
	char text[LOG_TEXT_MAX];
	va_list ap;

	if (level > max_level)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (sink)
		sink(level, text, sink_arg);
	else
		fprintf(stderr, "hotprobe: %s%s\n", prefix[level], text);
}
