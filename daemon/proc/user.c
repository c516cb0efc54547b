// SPDX-License-Identifier: MIT
/* user.c - see user.h. jvmagent/sockets.c asks the same, inside a target. */
#include <limits.h>

#include "proc/user.h"

#define OVERFLOW_UID 65534 /* DEFAULT_OVERFLOWUID, kernel include/linux/highuid.h */

static uid_t overflow_uid(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/sys/kernel/overflowuid", "re");
	unsigned int uid;

	return f && fscanf(f, "%u", &uid) == 1 ? uid : OVERFLOW_UID;
}

static bool maps_everybody(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/thread-self/uid_map", "re");
	unsigned int inside, outside, count;

	return f && fscanf(f, "%u %u %u", &inside, &outside, &count) == 3 && !inside && !outside &&
	       count == UINT_MAX;
}

bool user_is_certain(uid_t uid)
{
	return uid != overflow_uid() || maps_everybody();
}
