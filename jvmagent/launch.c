/* SPDX-License-Identifier: MIT */
/*
 * launch.c - the option wait: a JVM that was started for hotprobe stands still, before its first
 * Java instruction, until the launcher has looked at it. Whatever becomes of the launcher, the JVM
 * goes on after LAUNCH_HOLD_MS.
 */
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/types.h>

#include "agent.h"
#include "clock.h"
#include "fds.h"
#include "launch.h"
#include "sockets.h"
#include "wire.h"

#define LAUNCH_HOLD_MS 10000

static int launcher = -1, go = -1;

static int hello_send(int fd)
{
	struct hp_agent_msg m = {
		.size = sizeof(m),
		.kind = HP_AGENT_HELLO,
		.arg = {HP_AGENT_VERSION, (__u64)getpid(), JVMTI_PHASE_ONLOAD, (__u64)agent.jdk},
	};

	if (!socket_peer_allowed(fd))
		return -EPERM;
	return send(fd, &m, sizeof(m), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

int launch_connect(const char *name)
{
	int fd = socket_connect(SOCK_SEQPACKET, name);
	int err = fd < 0 ? fd : hello_send(fd);

	go = err ? -1 : fd_own(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	if (!err && go >= 0) {
		launcher = fd;
		return 0;
	}
	if (fd >= 0)
		fd_close(fd);
	return err ? err : go;
}

void launch_hold(void)
{
	struct pollfd p[] = {
		{.fd = go, .events = POLLIN},
		{.fd = launcher, .events = POLLRDHUP},
	};
	uint64_t until = clock_ms() + LAUNCH_HOLD_MS, now;

	while (launcher >= 0 && (now = clock_ms()) < until) {
		if (poll(p, ARRAY_SIZE(p), (int)(until - now)) > 0 || errno != EINTR)
			break;
	}
	if (launcher >= 0)
		fd_close(launcher);
	launcher = -1;
}

void launch_go(void)
{
	if (go >= 0)
		eventfd_write(go, 1);
}
