// SPDX-License-Identifier: MIT
/* via.c - the ways into a target. See via.h. */
#include "base/util.h"
#include "proto/via.h"

static const char *const names[] = {
	[VIA_PTRACE] = "ptrace",
	[VIA_AGENT] = "agent",
	[VIA_AUTO] = "auto",
};

const char *via_name(enum via via)
{
	return names[via];
}

int via_parse(const char *text, enum via *ret)
{
	for (size_t i = VIA_PTRACE; i < ARRAY_SIZE(names); i++) {
		if (strcmp(text, names[i]))
			continue;
		*ret = (enum via)i;
		return 0;
	}
	return -EINVAL;
}
