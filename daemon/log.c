// SPDX-License-Identifier: MIT
/* log.c - messages for a person, on stderr. See log.h. */
#include <stdarg.h>

#include "log.h"

static enum log_level max_level = LOG_LVL_WARN;
static char *capture_buf;
static size_t capture_size;

void log_set_level(enum log_level level)
{
	max_level = level;
}

void log_capture(char *buf, size_t size)
{
	capture_buf = buf;
	capture_size = size;
	if (buf && size)
		buf[0] = '\0';
}

void log_msg(enum log_level level, const char *fmt, ...)
{
	static const char *const prefix[] = {"error: ", "warning: ", "", ""};
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (level == LOG_LVL_ERR && capture_buf)
		snprintf(capture_buf, capture_size, "%s", text);
	if (level <= max_level)
		fprintf(stderr, "hotprobe: %s%s\n", prefix[level], text);
}
