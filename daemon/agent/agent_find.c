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
#include "agent/agent_listener.h"
#include "base/fail.h"
#include "base/fds.h"
#include "base/log.h"
#include "jvmagent/wire.h"
#include "proc/caps.h"
#include "proc/entry.h"
#include "proc/proc.h"

#define QUEUE_MS 500 /* for which the target's own agent may have too many at its door */
#define CHILD_MS 4000

struct whereabouts {
	pid_t pid, ns_pid;
	uid_t uid;
	gid_t gid;
	bool other_net, other_user;
};

/* --- who and where it is ---------------------------------------------------------------------- */

static int read_status(struct whereabouts *w)
{
	struct proc_status st;
	int err = proc_status(w->pid, &st);

	if (err)
		return err;
	w->uid = st.uid;
	w->gid = st.gid;
	w->ns_pid = st.ns_pid > 0 ? st.ns_pid : w->pid;
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

static int enter_net(const struct whereabouts *w)
{
	_cleanup_close_ int net = -1;

	if (!w->other_net)
		return 0;
	net = entry_open(w->pid, "ns/net", O_RDONLY);
	if (net < 0)
		return net;
	return setns(net, CLONE_NEWNET) ? -EPERM : 0;
}

/* Our root is nobody to a user namespace; its own root is somebody. */
static int become(const struct whereabouts *w)
{
	uid_t uid = w->other_user ? root_there(w) : w->uid;

	if (w->other_user &&
	    (setgroups(0, NULL) || setresgid(w->gid, w->gid, w->gid) || setresuid(uid, uid, uid)))
		return -EPERM;
	return 0;
}

/* --- the socket ------------------------------------------------------------------------------- */

static bool is_peer(int fd, pid_t pid)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) && cred.pid == pid;
}

/*
 * Where it is the target's own socket, a queue that others have filled is waited for. Where nobody
 * can tell whose it is, not: anybody may hold such a name.
 */
static int connect_one(const struct whereabouts *w, const struct agent_listener *l, int *fd_ret)
{
	int type = SOCK_SEQPACKET | SOCK_CLOEXEC | (l->sure ? 0 : SOCK_NONBLOCK);
	_cleanup_close_ int fd = socket(AF_UNIX, type, 0);
	struct timeval limit = {.tv_usec = QUEUE_MS * 1000};

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)))
		return -errno;
	if (connect(fd, (const struct sockaddr *)&l->addr, l->len))
		return errno == EAGAIN ? -ETIMEDOUT : -ENOENT;
	if (!is_peer(fd, w->pid))
		return -ENOENT;
	if (fcntl(fd, F_SETFL, O_NONBLOCK))
		return -errno;
	*fd_ret = take_fd(fd);
	return 0;
}

static int connect_any(const struct whereabouts *w, const struct agent_listeners *l, int *fd_ret)
{
	int err = -ENOENT;

	for (size_t i = 0; i < l->n; i++) {
		int e = connect_one(w, &l->own[i], fd_ret);

		if (!e)
			return 0;
		err = e == -ENOENT ? err : e;
	}
	return err;
}

/* What a search has come to. It crosses to another process: no pointers. */
struct finding {
	int err;
	bool taken; /* others hold a name of its agent */
	uid_t taker;
	char name[64]; /* that one */
};

/* Who listens is asked as ourselves: the target's user may not see whose it is. */
static void search(const struct whereabouts *w, struct finding *f, int *fd_ret)
{
	struct agent_listeners l;

	f->err = agent_listener_find(w->pid, w->ns_pid, w->uid, &l);
	if (f->err)
		return;
	f->taken = l.taken;
	f->taker = l.taker;
	memcpy(f->name, l.taken_name, sizeof(f->name));
	f->err = become(w);
	if (!f->err)
		f->err = connect_any(w, &l, fd_ret);
}

/* --- from another namespace ------------------------------------------------------------------- */

/* @fd below 0: none. */
static int send_finding(int sock, const struct finding *f, int fd)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {(void *)f, sizeof(*f)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c = (struct cmsghdr *)control;

	if (fd >= 0) {
		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	return sendmsg(sock, &msg, MSG_NOSIGNAL) == sizeof(*f) ? 0 : -errno;
}

/* Never returns. Nothing of the parent's is undone here: _exit(). */
static void child(const struct whereabouts *w, int sock)
{
	struct finding f = {0};
	int fd = -1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fds_keep(&sock, 1);
	caps_raise_all();
	f.err = enter_net(w);
	if (!f.err)
		search(w, &f, &fd);
	_exit(-send_finding(sock, &f, fd));
}

/* From our own child: it can be late or dead, and nothing else. */
static void receive_finding(int sock, struct finding *f, int *fd_ret)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct pollfd p = {.fd = sock, .events = POLLIN};
	struct iovec iov = {f, sizeof(*f)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	struct cmsghdr *c;

	f->err = -ETIMEDOUT;
	if (poll(&p, 1, CHILD_MS) != 1)
		return;
	if (recvmsg(sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != sizeof(*f)) {
		f->err = -ENOENT;
		return;
	}
	c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd_ret, CMSG_DATA(c), sizeof(*fd_ret));
	else if (!f->err)
		f->err = msg.msg_flags & MSG_CTRUNC ? -EMFILE : -ENOENT;
}

static void search_there(const struct whereabouts *w, struct finding *f, int *fd_ret)
{
	int sv[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv)) {
		f->err = -errno;
		return;
	}
	pid = fork();
	if (pid == 0)
		child(w, sv[1]);
	f->err = -errno;
	close(sv[1]);
	if (pid > 0)
		receive_finding(sv[0], f, fd_ret);
	close(sv[0]);
	if (pid > 0) {
		uint64_t caps = caps_raise(CAPS(CAP_KILL)); /* it is another user's by now */

		kill(pid, SIGKILL); /* it has done its work, or never will */
		caps_lower(caps);
		waitpid(pid, NULL, 0);
	}
}

/* Once. Two containers that share a network do it to each other, and each finds its own. */
static void say_taken(pid_t pid, const struct finding *f)
{
	static pid_t said;

	if (said == pid)
		return;
	said = pid;
	log_pid(f->err ? LOG_LVL_INFO : LOG_LVL_DEBUG, pid,
		"somebody else, of user %u, listens at @%s, a name of its agent: passed over",
		f->taker, f->name);
}

int agent_find(pid_t pid, pid_t *ns_pid_ret, int *fd_ret)
{
	struct whereabouts w = {.pid = pid};
	_cleanup_close_ int fd = -1;
	struct finding f = {0};
	int err = read_status(&w);

	if (err)
		return err;
	w.other_net = entry_other_namespace(pid, "net");
	w.other_user = entry_other_namespace(pid, "user");
	if (w.other_net || w.other_user)
		search_there(&w, &f, &fd);
	else
		search(&w, &f, &fd);
	if (!f.err && !is_peer(fd, pid))
		f.err = -ENOENT;
	if (f.taken)
		say_taken(pid, &f);
	if (f.err)
		return f.err;
	*ns_pid_ret = w.ns_pid;
	*fd_ret = take_fd(fd);
	return 0;
}
