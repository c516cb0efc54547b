/* SPDX-License-Identifier: MIT */
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/types.h>

#include "fds.h"
#include "options.h"
#include "wire.h"

#define BACKLOG 8

#define OVERFLOW_UID 65534 /* DEFAULT_OVERFLOWUID, kernel include/linux/highuid.h */

_Static_assert(WAIT_NAME_MAX < sizeof(((struct sockaddr_un *)0)->sun_path), "option wait");

static bool peer_get(int fd, struct ucred *ret)
{
	socklen_t len = sizeof(*ret);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret, &len) && len == sizeof(*ret);
}

/* Up to @size - 1 bytes of a short file in /proc; "" if it cannot be read. */
static const char *proc_text(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, buf, size - 1);

	if (fd >= 0)
		close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

/*
 * The kernel shows us every user that our user namespace does not map as this one number
 * (user_namespaces(7), "Unmapped user and group IDs"): 65534, unless the sysctl says otherwise,
 * which may even be 0. We may be such a user ourselves.
 */
static uid_t overflow_uid(void)
{
	char text[32];
	unsigned int uid;

	return sscanf(proc_text("/proc/sys/kernel/overflowuid", text, sizeof(text)), "%u", &uid) ==
			       1
		       ? uid
		       : OVERFLOW_UID;
}

/* In the first namespace, and in those that are like it: nobody is unmapped. */
static bool maps_everybody(void)
{
	char text[64];
	unsigned int inside, outside, count;

	return sscanf(proc_text("/proc/thread-self/uid_map", text, sizeof(text)), "%u %u %u",
		      &inside, &outside, &count) == 3 &&
	       !inside && !outside && count == UINT_MAX;
}

bool socket_peer_allowed(int fd)
{
	struct ucred peer;

	return peer_get(fd, &peer) && (peer.uid == 0 || peer.uid == geteuid()) &&
	       (peer.uid != overflow_uid() || maps_everybody());
}

/* The address of "@name"; 0 when it is too long. */
static socklen_t address_of(struct sockaddr_un *sa, const char *name)
{
	size_t len = strlen(name);

	*sa = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (len > sizeof(sa->sun_path) - 1)
		return 0;
	memcpy(sa->sun_path + 1, name, len);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len);
}

static int socket_open(int type)
{
	return fd_own(socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

int socket_connect(int type, const char *name)
{
	struct sockaddr_un sa;
	socklen_t len = address_of(&sa, name);
	int fd = len ? socket_open(type) : -EINVAL, err;

	if (fd < 0 || !connect(fd, (struct sockaddr *)&sa, len))
		return fd;
	err = -errno;
	fd_close(fd);
	return err;
}

/* Does the socket of this name belong to this very process: to another copy of the agent? */
static bool name_is_ours(int type, const char *name)
{
	int fd = socket_connect(type, name);
	struct ucred peer;
	bool ours;

	if (fd < 0)
		return false;
	ours = peer_get(fd, &peer) && peer.pid == getpid();
	fd_close(fd);
	return ours;
}

static int name_bind(int fd, int type, const char *suffix)
{
	struct sockaddr_un sa;
	char name[64];

	for (int i = 0; i < HP_AGENT_NAMES_MAX; i++) {
		int n = snprintf(name, sizeof(name), "hotprobe.%d%s", getpid(), suffix);

		if (i)
			snprintf(name + n, sizeof(name) - (size_t)n, ".%d", i);
		if (!bind(fd, (struct sockaddr *)&sa, address_of(&sa, name)))
			return 0;
		if (errno != EADDRINUSE)
			return -errno;
		if (name_is_ours(type, name))
			return -EALREADY;
	}
	return -EADDRINUSE;
}

int socket_listen(int type, const char *suffix)
{
	int fd = socket_open(type), err;

	if (fd < 0)
		return fd;
	err = name_bind(fd, type, suffix);
	if (!err && listen(fd, BACKLOG))
		err = -errno;
	if (!err)
		return fd;
	fd_close(fd);
	return err;
}

int socket_accept(int listener)
{
	int fd = fd_own(accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));

	if (fd < 0 || socket_peer_allowed(fd))
		return fd;
	fd_close(fd);
	return -EPERM;
}

bool socket_accept_again(int err)
{
	return err == -EAGAIN || err == -EINTR || err == -EPERM || err == -ECONNABORTED;
}
