/* SPDX-License-Identifier: MIT */
/* clock.h - time for time-outs. */
#ifndef HP_AGENT_CLOCK_H
#define HP_AGENT_CLOCK_H

#include <stdint.h>
#include <time.h>

/** clock_ms() - milliseconds of CLOCK_MONOTONIC. */
static inline uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

#endif
