/* SPDX-License-Identifier: MIT */
#include "line.h"

#include <time.h>

void line_begin(struct text *t, const char *event)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	text_str(t, "{\"event\":\"");
	text_str(t, event);
	text_str(t, "\",\"ts\":");
	text_u64(t, (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec);
}

void line_dropped(struct text *t, uint64_t count)
{
	line_begin(t, "dropped");
	text_str(t, ",\"count\":");
	text_u64(t, count);
	text_str(t, "}\n");
}
