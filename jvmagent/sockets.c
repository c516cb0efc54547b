/* SPDX-License-Identifier: MIT */
#include "sockets.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/types.h>

#include "fds.h"
#include "options.h"
#include "wire.h"

#define BACKLOG 64 /* strangers may fill it for a moment */

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

/* At "@hotprobe.PID" and @suffix, @more behind it. */
static int name_bind(int fd, const char *suffix, const char *more)
{
	struct sockaddr_un sa;
	char name[64];

	snprintf(name, sizeof(name), "hotprobe.%d%s%s", getpid(), suffix, more);
	return bind(fd, (struct sockaddr *)&sa, address_of(&sa, name)) ? -errno : 0;
}

/* Nobody can have taken this one before. hotprobe finds it by asking the kernel for ours. */
static int random_name_bind(int fd, const char *suffix)
{
	unsigned long long random;
	char more[24];

	if (syscall(SYS_getrandom, &random, sizeof(random), 0) != sizeof(random))
		return -EADDRINUSE;
	snprintf(more, sizeof(more), ".%016llx", random);
	return name_bind(fd, suffix, more);
}

/* A name is at most 15 bytes; in /proc a newline follows. */
static bool thread_exists(const char *name)
{
	DIR *dir = opendir("/proc/self/task");
	size_t len = strlen(name);
	struct dirent *d;
	bool found = false;

	while (dir && !found && (d = readdir(dir))) {
		char path[300], comm[32];

		snprintf(path, sizeof(path), "/proc/self/task/%s/comm", d->d_name);
		proc_text(path, comm, sizeof(comm));
		found = !strncmp(comm, name, len) && !strcmp(comm + len, "\n");
	}
	if (dir)
		closedir(dir);
	return found;
}

/* Whose a taken name is, is not asked there: anybody may hold it. */
static int some_name_bind(int fd, const char *suffix, const char *thread)
{
	int err = name_bind(fd, suffix, "");
	char more[8];

	if (err == -EADDRINUSE && thread_exists(thread))
		return -EALREADY;
	for (int i = 1; err == -EADDRINUSE && i < HP_AGENT_NAMES_MAX; i++) {
		snprintf(more, sizeof(more), ".%d", i);
		err = name_bind(fd, suffix, more);
	}
	return err == -EADDRINUSE ? random_name_bind(fd, suffix) : err;
}

int socket_listen(int type, const char *suffix, const char *thread)
{
	int fd = socket_open(type), err;

	if (fd < 0)
		return fd;
	err = some_name_bind(fd, suffix, thread);
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
