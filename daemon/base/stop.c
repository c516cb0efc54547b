// SPDX-License-Identifier: MIT
/* stop.c - is the work to be given up? See stop.h. */
#include "base/stop.h"

static stop_fn *look;
static void *look_arg;
static uint64_t looked_ns;
static bool asked;

void stop_set(stop_fn *fn, void *arg)
{
	look = fn;
	look_arg = arg;
	looked_ns = 0;
	asked = false;
}

bool stop_asked(void)
{
	uint64_t now_ns;

	if (!look || asked)
		return asked;
	now_ns = clock_ns();
	if (now_ns - looked_ns < STOP_LOOK_NS)
		return false;
	looked_ns = now_ns;
	asked = look(look_arg);
	return asked;
}
