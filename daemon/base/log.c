// SPDX-License-Identifier: MIT
/* log.c - messages for a person. See log.h. */
#include <stdarg.h>

#include "base/log.h"
#include "base/utf8.h"

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

static void log_vmsg(enum log_level level, const char *about, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

static void log_vmsg(enum log_level level, const char *about, const char *fmt, va_list ap)
{
	static const char *const prefix[] = {"error: ", "warning: ", "", ""};
	char text[LOG_TEXT_MAX];
	size_t len;

	if (level > max_level)
		return;
	len = (size_t)snprintf(text, sizeof(text), "%s", about);
	if ((size_t)vsnprintf(text + len, sizeof(text) - len, fmt, ap) >= sizeof(text) - len)
		utf8_mark_cut(text, sizeof(text));
	if (sink)
		sink(level, text, sink_arg);
	else
		fprintf(stderr, "hotprobe: %s%s\n", prefix[level], text);
}

void log_msg(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vmsg(level, "", fmt, ap);
	va_end(ap);
}

void log_pid(enum log_level level, pid_t pid, const char *fmt, ...)
{
	char about[32];
	va_list ap;

	snprintf(about, sizeof(about), "PID %d: ", pid);
	va_start(ap, fmt);
	log_vmsg(level, about, fmt, ap);
	va_end(ap);
}
