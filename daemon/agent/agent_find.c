// SPDX-License-Identifier: MIT
/* agent_find.c - reach the control socket of the agent in a target. See agent_find.h. */
#include <fcntl.h>
#include <grp.h>
#include <linux/types.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "agent/agent_find.h"
#include "base/fds.h"
#include "jvmagent/wire.h"
#include "proc/entry.h"

#define CHILD_MS   2000
#define STATUS_MAX 16384 /* /proc/PID/status takes about 1.5 kB */

struct whereabouts {
	pid_t pid, ns_pid;
	uid_t uid;
	gid_t gid;
	bool other_net, other_user;
};

/* --- who and where it is ---------------------------------------------------------------------- */

static const char *status_field(const char *text, const char *key)
{
	const char *p = strstr(text, key);

	return p ? p + strlen(key) : "";
}

/* Of "NStgid: 4711 12", the innermost. */
static pid_t last_pid(const char *p)
{
	pid_t pid = 0;

	for (char *end; *p && *p != '\n'; p = end) {
		pid_t v = (pid_t)strtol(p, &end, 10);

		if (end == p)
			break;
		pid = v;
		end += strspn(end, " \t");
	}
	return pid;
}

/* The second number, the effective one. */
static unsigned int effective(const char *p)
{
	char *end;

	strtoul(p, &end, 10);
	return (unsigned int)strtoul(end, NULL, 10);
}

static int read_status(struct whereabouts *w)
{
	_cleanup_close_ int fd = entry_open(w->pid, "status", O_RDONLY);
	char text[STATUS_MAX];
	ssize_t n;

	if (fd < 0)
		return fd;
	n = read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return -ESRCH;
	text[n] = '\0';
	w->uid = effective(status_field(text, "\nUid:"));
	w->gid = effective(status_field(text, "\nGid:"));
	w->ns_pid = last_pid(status_field(text, "\nNStgid:"));
	if (w->ns_pid <= 0)
		w->ns_pid = w->pid;
	return 0;
}

/*
 * Who root of its user namespace is to us; if there is none, the target's own user. That one might
 * be nobody to its agent, when the namespace does not map it.
 */
static uid_t root_there(const struct whereabouts *w)
{
	_cleanup_fclose_ FILE *f = NULL;
	unsigned int inside, outside, count;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/uid_map", w->pid);
	f = fopen(path, "re");
	while (f && fscanf(f, "%u %u %u", &inside, &outside, &count) == 3)
		if (!inside)
			return outside;
	return w->uid;
}

/* Where we may not see it, ours is the one to try. */
static bool other_namespace(const struct whereabouts *w, const char *kind)
{
	struct stat ours, theirs;
	char name[16], path[64];

	snprintf(name, sizeof(name), "ns/%s", kind);
	if (entry_stat(w->pid, name, &theirs))
		return false;
	snprintf(path, sizeof(path), "/proc/self/ns/%s", kind);
	return !stat(path, &ours) && (ours.st_ino != theirs.st_ino || ours.st_dev != theirs.st_dev);
}

/* --- the socket ------------------------------------------------------------------------------- */

static socklen_t control_name(struct sockaddr_un *a, pid_t ns_pid, int k)
{
	int n;

	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	n = k ? snprintf(a->sun_path + 1, sizeof(a->sun_path) - 1, "hotprobe.%d.control.%d", ns_pid,
			 k)
	      : snprintf(a->sun_path + 1, sizeof(a->sun_path) - 1, "hotprobe.%d.control", ns_pid);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

static bool is_peer(int fd, pid_t pid)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) && cred.pid == pid;
}

/*
 * Whoever else listens there is passed over without a word. One with a full queue cannot be told
 * from the agent: it is not waited for, since anybody may hold such a name.
 */
static int connect_here(const struct whereabouts *w, int *fd_ret)
{
	int err = -ENOENT;

	for (int k = 0; k < HP_AGENT_NAMES_MAX; k++) {
		_cleanup_close_ int fd =
			socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		struct sockaddr_un a;
		socklen_t len = control_name(&a, w->ns_pid, k);

		if (fd < 0)
			return -errno;
		if (connect(fd, (struct sockaddr *)&a, len)) {
			err = errno == EAGAIN ? -ETIMEDOUT : err;
			continue;
		}
		if (!is_peer(fd, w->pid))
			continue;
		*fd_ret = take_fd(fd);
		return 0;
	}
	return err;
}

/* --- from another namespace ------------------------------------------------------------------- */

static int enter(const struct whereabouts *w)
{
	_cleanup_close_ int net = -1;
	uid_t uid = w->other_user ? root_there(w) : w->uid;

	if (w->other_net) {
		net = entry_open(w->pid, "ns/net", O_RDONLY);
		if (net < 0 || setns(net, CLONE_NEWNET))
			return -EPERM;
	}
	/* Our root is nobody to a user namespace; its own root is somebody. */
	if (w->other_user &&
	    (setgroups(0, NULL) || setresgid(w->gid, w->gid, w->gid) || setresuid(uid, uid, uid)))
		return -EPERM;
	return 0;
}

static int send_fd(int sock, int fd)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
	char byte = 0;
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(sock, &msg, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

/* Never returns. Nothing of the parent's is undone here: _exit(). */
static void child(const struct whereabouts *w, int sock)
{
	int fd, err;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fds_keep(&sock, 1);
	err = enter(w);
	if (!err)
		err = connect_here(w, &fd);
	if (!err)
		err = send_fd(sock, fd);
	_exit(-err & 0xff);
}

/* The one descriptor our own child sends; nothing else can come. */
static int receive_fd(int sock)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct pollfd p = {.fd = sock, .events = POLLIN};
	char byte;
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	struct cmsghdr *c;
	int fd = -1;

	if (poll(&p, 1, CHILD_MS) != 1)
		return -ETIMEDOUT;
	if (recvmsg(sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 1)
		return -ENOENT;
	c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd < 0 ? -ENOENT : fd;
}

static int connect_there(const struct whereabouts *w, int *fd_ret)
{
	int sv[2], status = 0, fd;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv))
		return -errno;
	pid = fork();
	if (pid == 0)
		child(w, sv[1]);
	close(sv[1]);
	fd = pid < 0 ? -errno : receive_fd(sv[0]);
	close(sv[0]);
	if (pid > 0) {
		kill(pid, SIGKILL); /* it has done its work, or never will */
		waitpid(pid, &status, 0);
	}
	if (fd < 0)
		return WIFEXITED(status) && WEXITSTATUS(status) ? -WEXITSTATUS(status) : fd;
	*fd_ret = fd;
	return 0;
}

int agent_find(pid_t pid, pid_t *ns_pid_ret, int *fd_ret)
{
	struct whereabouts w = {.pid = pid};
	_cleanup_close_ int fd = -1;
	int err = read_status(&w);

	if (err)
		return err;
	w.other_net = other_namespace(&w, "net");
	w.other_user = other_namespace(&w, "user");
	err = w.other_net || w.other_user ? connect_there(&w, &fd) : connect_here(&w, &fd);
	if (!err && !is_peer(fd, pid))
		err = -ENOENT;
	if (err)
		return err;
	*ns_pid_ret = w.ns_pid;
	*fd_ret = take_fd(fd);
	return 0;
}
