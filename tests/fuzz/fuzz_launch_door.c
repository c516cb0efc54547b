// SPDX-License-Identifier: MIT
/*
 * Fuzz target (libFuzzer): what a process of the command says at the launcher's socket. A JVM is
 * let in only by a message that is as long as it says it is; its reason is a string.
 */
#include <sys/socket.h>

#include "fuzz.h"
#include "launch/launch_door.c"

static int pair[2] = {-1, -1};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct launch_arrival a;
	struct hp_agent_msg m;
	struct launch_guest g;
	int heard;

	if (pair[0] < 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		abort();
	if (send(pair[0], data, len, MSG_DONTWAIT) != (ssize_t)len)
		return 0; /* longer than any message may be */
	g = (struct launch_guest){.fd = pair[1], .pid = 1};
	heard = hear(&g, &a);
	fuzz_check(heard == 1 || heard == -EPROTO);
	if (heard != 1)
		return 0;
	fuzz_check(len >= sizeof(m) && len <= sizeof(m) + LAUNCH_WHY_MAX);
	memcpy(&m, data, sizeof(m));
	fuzz_check(m.size == len && m.kind == HP_AGENT_HELLO && m.result <= 0);
	fuzz_check(memchr(a.why, '\0', sizeof(a.why)) != NULL);
	fuzz_check(!*a.why == (!m.result && m.arg[0] == HP_AGENT_VERSION));
	return 0;
}
