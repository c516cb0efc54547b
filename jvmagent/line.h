/* SPDX-License-Identifier: MIT */
/* line.h - what all lines of the event stream have in common, and the one about lost lines. */
#ifndef HP_AGENT_LINE_H
#define HP_AGENT_LINE_H

#include "text.h"

/** line_begin() - {"event":@event,"ts":now */
void line_begin(struct text *t, const char *event);

/** line_dropped() - a whole line that tells of @count lines that were not written. */
void line_dropped(struct text *t, uint64_t count);

/** clock_ms() - monotonic. */
uint64_t clock_ms(void);

#endif
