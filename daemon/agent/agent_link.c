// SPDX-License-Identifier: MIT
/* agent_link.c - requests to hotprobe's agent, and its replies. See agent_link.h. */
#include <poll.h>
#include <sys/socket.h>

#include "agent/agent_find.h"
#include "agent/agent_link.h"
#include "base/stop.h"
#include "proc/proc.h"

#define FDS_MAX	  4		     /* descriptors in one message that we take, to close them */
#define ERRNO_MAX 4095		     /* MAX_ERRNO, kernel include/linux/err.h */
#define BUSY_NS	  (2 * NSEC_PER_SEC) /* another one that was killed puts everything back first */
#define BUSY_US	  5000

uint64_t agent_limit_ns = 2 * NSEC_PER_SEC;
uint64_t agent_safepoint_ns = 5 * NSEC_PER_SEC;

struct message {
	struct hp_agent_msg head;
	uint8_t data[HP_AGENT_DATA_MAX];
	uint8_t more; /* a longer one does not fit */
};

/* Wait until @fd is ready. Return: 0; -ETIMEDOUT. */
static int wait_ready(int fd, short events, uint64_t deadline_ns)
{
	struct pollfd p = {.fd = fd, .events = events};

	for (;;) {
		uint64_t now_ns = clock_ns();
		int ms = deadline_ns > now_ns ? (int)((deadline_ns - now_ns) / NSEC_PER_MSEC) + 1
					      : 0;
		int n = poll(&p, 1, ms);

		if (n > 0)
			return 0;
		if (n == 0 || errno != EINTR)
			return -ETIMEDOUT;
	}
}

/* The other end is closed: because the target ends? Return: -ESRCH; -ECONNREFUSED. */
static int closed(const struct agent_link *l)
{
	return proc_ends_within(l->pid, PROC_DYING_MS) ? -ESRCH : -ECONNREFUSED;
}

static int send_request(struct agent_link *l, const struct agent_ask *a, uint64_t deadline_ns)
{
	struct hp_agent_msg head = {.size = (uint32_t)(sizeof(head) + a->len), .kind = a->kind};
	struct iovec iov[] = {{&head, sizeof(head)}, {(void *)a->data, a->len}};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = a->len ? 2 : 1};

	memcpy(head.arg, a->arg, sizeof(head.arg));
	for (;;) {
		int err = wait_ready(l->fd, POLLOUT, deadline_ns);

		if (err)
			return err;
		if (sendmsg(l->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
			return 0;
		if (errno != EAGAIN && errno != EINTR)
			return closed(l);
	}
}

/* All descriptors that came with @msg. Return: how many. */
static size_t descriptors(struct msghdr *msg, int fds[static FDS_MAX])
{
	size_t n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t bytes = c->cmsg_len - CMSG_LEN(0);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; at + sizeof(int) <= bytes && n < FDS_MAX; at += sizeof(int))
			memcpy(&fds[n++], CMSG_DATA(c) + at, sizeof(int));
	}
	return n;
}

/* Descriptors come when they were asked for, and then exactly one. */
static int check_reply(const struct agent_ask *a, const struct hp_agent_msg *m, size_t len,
		       int flags, size_t nfds)
{
	bool wants_fd = (a->kind == HP_AGENT_FD || a->kind == HP_AGENT_OPEN) && m->result == 0;

	/* Fewer than there is room for: those that are missing found no place in our table. */
	if (flags & MSG_CTRUNC && nfds < FDS_MAX)
		return -EMFILE;
	if (flags & (MSG_TRUNC | MSG_CTRUNC) || len < sizeof(*m) || m->size != len ||
	    m->kind != a->kind)
		return -EPROTO;
	if (m->result < -ERRNO_MAX || nfds != wants_fd)
		return -EPROTO;
	return 0;
}

static int receive_reply(struct agent_link *l, struct agent_ask *a, uint64_t deadline_ns)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(FDS_MAX * sizeof(int))];
	struct message m;
	struct iovec iov = {&m, sizeof(m)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	int fds[FDS_MAX], err = wait_ready(l->fd, POLLIN, deadline_ns);
	ssize_t len;
	size_t nfds;

	if (err)
		return err;
	len = recvmsg(l->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (len <= 0)
		return closed(l);
	nfds = descriptors(&msg, fds);
	err = check_reply(a, &m.head, (size_t)len, msg.msg_flags, nfds);
	if (err) {
		for (size_t i = 0; i < nfds; i++)
			close(fds[i]);
		return err;
	}
	a->result = m.head.result;
	memcpy(a->reply, m.head.arg, sizeof(a->reply));
	a->fd = nfds ? fds[0] : -1;
	return 0;
}

static int ask(struct agent_link *l, struct agent_ask *a)
{
	uint64_t deadline_ns = clock_ns() + (a->limit_ns ? a->limit_ns : agent_limit_ns);
	int err = l->broken;

	a->fd = -1;
	if (a->len > HP_AGENT_DATA_MAX)
		return -EINVAL;
	if (!err)
		err = send_request(l, a, deadline_ns);
	if (!err)
		err = receive_reply(l, a, deadline_ns);
	l->broken = err;
	return err;
}

int agent_link_ask(struct agent_link *l, struct agent_ask *a)
{
	int err = ask(l, a);

	return err == -ECONNREFUSED ? -EPROTO : err;
}

/* To those whom it does not take the agent says so by hanging up. */
static int hello(struct agent_link *l, pid_t ns_pid)
{
	struct agent_ask a = {.kind = HP_AGENT_HELLO, .arg = {HP_AGENT_VERSION}};
	int err = ask(l, &a);

	if (err)
		return err;
	if (a.result < 0)
		return a.result == -EBUSY || a.result == -EPERM ? (int)a.result : -EPROTO;
	if (a.reply[0] != HP_AGENT_VERSION || a.reply[1] != (uint64_t)ns_pid)
		return -EPROTO;
	l->version = (uint32_t)a.reply[0];
	l->phase = (uint32_t)a.reply[2];
	l->jdk = (uint32_t)a.reply[3];
	return 0;
}

static int open_once(pid_t pid, struct agent_link **ret)
{
	_cleanup_close_ int fd = -1;
	struct agent_link *l;
	pid_t ns_pid;
	int err = agent_find(pid, &ns_pid, &fd);

	if (err)
		return err;
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	*l = (struct agent_link){.pid = pid, .fd = take_fd(fd)};
	err = hello(l, ns_pid);
	if (err) {
		agent_link_close(l);
		return err;
	}
	*ret = l;
	return 0;
}

int agent_link_open(pid_t pid, struct agent_link **ret)
{
	uint64_t deadline_ns = clock_ns() + BUSY_NS;
	int err;

	while ((err = open_once(pid, ret)) == -EBUSY && !stop_asked() && clock_ns() < deadline_ns)
		usleep(BUSY_US);
	return err;
}

void agent_link_close(struct agent_link *l)
{
	if (!l)
		return;
	close(l->fd);
	free(l);
}
