/* SPDX-License-Identifier: MIT */
/*
 * launch.c - the option wait: a JVM that was started for hotprobe stands still, before its first
 * Java instruction, until the launcher has looked at it. Whatever becomes of the launcher, the JVM
 * goes on after LAUNCH_HOLD_MS.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/types.h>

#include "agent.h"
#include "clock.h"
#include "fds.h"
#include "launch.h"
#include "sockets.h"
#include "wire.h"

#define LAUNCH_HOLD_MS	 10000
#define LAUNCH_DOOR_MS	 1000
#define LAUNCH_STEP_MS	 5
#define LAUNCH_REFUSE_MS 2000

static int launcher = -1, go = -1;

/* The name is no secret, and whoever once had it may have ended: root and our own user only. */
static int hello_send(int fd, int result, const char *why)
{
	size_t len = strnlen(why, HP_AGENT_DATA_MAX);
	struct hp_agent_msg m = {
		.size = (__u32)(sizeof(m) + len),
		.kind = HP_AGENT_HELLO,
		.result = result,
		.arg = {HP_AGENT_VERSION, (__u64)getpid(), JVMTI_PHASE_ONLOAD, (__u64)agent.jdk},
	};
	struct iovec iov[] = {{&m, sizeof(m)}, {(void *)why, len}};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};

	if (!socket_peer_allowed(fd))
		return -EPERM;
	return sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* Strangers may fill its queue for a moment: the launcher shows them out. */
static int door_connect(const char *name)
{
	uint64_t until = clock_ms() + LAUNCH_DOOR_MS;
	int fd;

	while ((fd = socket_connect(SOCK_SEQPACKET, name)) == -EAGAIN && clock_ms() < until)
		poll(NULL, 0, LAUNCH_STEP_MS);
	return fd;
}

static int hello(const char *name, int result, const char *why)
{
	int fd = door_connect(name), err;

	if (fd < 0)
		return fd;
	err = hello_send(fd, result, why);
	if (!err)
		return fd;
	fd_close(fd);
	return err;
}

int launch_connect(const char *name)
{
	int fd;

	if (launcher >= 0) {
		launch_refuse(name, -EALREADY,
			      "another hotprobe run has its agent: it is traced from there");
		return 0;
	}
	fd = hello(name, 0, "");
	if (fd < 0)
		return fd;
	go = fd_own(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	if (go < 0)
		fd_close(fd);
	else
		launcher = fd;
	return go < 0 ? go : 0;
}

void launch_refuse(const char *name, int result, const char *why)
{
	struct pollfd p = {.fd = hello(name, result, why), .events = POLLRDHUP};
	uint64_t until = clock_ms() + LAUNCH_REFUSE_MS, now;

	if (p.fd < 0)
		return;
	while ((now = clock_ms()) < until && poll(&p, 1, (int)(until - now)) < 0 && errno == EINTR)
		;
	fd_close(p.fd);
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
