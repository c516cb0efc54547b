/* SPDX-License-Identifier: MIT */
/* line.h - the beginning of every line of the event stream, and the line about lost ones. */
#ifndef HP_AGENT_LINE_H
#define HP_AGENT_LINE_H

#include "text.h"

/** line_begin() - {"event":@event,"ts":now */
void line_begin(struct text *t, const char *event);

/** line_dropped() - a whole line: @count lines were not written. */
void line_dropped(struct text *t, uint64_t count);

#endif
