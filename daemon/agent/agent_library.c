// SPDX-License-Identifier: MIT
/* agent_library.c - where the agent is that a JVM has to load. See agent_library.h. */
#include <limits.h>

#include "agent/agent_library.h"

int agent_library(char *ret, size_t size)
{
	static const char *const places[] = {"/libhotprobe.so", "/../lib/hotprobe/libhotprobe.so"};
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *slash;

	if (n < 0)
		return -errno;
	exe[n] = '\0';
	slash = strrchr(exe, '/');
	if (slash)
		*slash = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if ((size_t)snprintf(ret, size, "%s%s", exe, places[i]) >= size)
			return -ENAMETOOLONG;
		if (access(ret, R_OK) == 0)
			return 0;
	}
	return -errno;
}
