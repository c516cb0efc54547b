// SPDX-License-Identifier: MIT
/* agent_listener.c - the sockets of a target's agent. See agent_listener.h. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include "agent/agent_listener.h"
#include "base/fail.h"
#include "proc/entry.h"

#define ANSWER_MAX  65536 /* the kernel fills up to 32 KiB: netlink_dump() */
#define FDS_MAX	    (1u << 20)
#define PATH_OFFSET offsetof(struct sockaddr_un, sun_path)

struct search {
	char name[64]; /* of the first form; others have a dot and more behind it */
	uid_t uid;
	bool fds_known;
	uint64_t *inodes; /* of the target's sockets, ascending */
	size_t n;
	struct agent_listeners found;
};

/* --- the target's descriptors ----------------------------------------------------------------- */

static int inode_add(struct search *s, size_t *cap, uint64_t inode)
{
	if (s->n == *cap) {
		size_t more = *cap ? 2 * *cap : 256;
		uint64_t *p = reallocarray(s->inodes, more, sizeof(*p));

		if (!p)
			return -ENOMEM;
		s->inodes = p;
		*cap = more;
	}
	s->inodes[s->n++] = inode;
	return 0;
}

static int read_links(struct search *s, DIR *dir)
{
	size_t cap = 0;
	struct dirent *d;
	int err = 0;

	while (!err && s->n < FDS_MAX && (d = readdir(dir))) {
		char link[64];
		ssize_t len = readlinkat(dirfd(dir), d->d_name, link, sizeof(link) - 1);
		unsigned int inode;

		if (len < 0 && errno == EACCES) /* the folder itself is its user's to read */
			s->fds_known = false;
		link[len > 0 ? len : 0] = '\0';
		if (sscanf(link, "socket:[%u]", &inode) == 1)
			err = inode_add(s, &cap, inode);
	}
	if (s->n)
		qsort(s->inodes, s->n, sizeof(*s->inodes), compare_u64);
	return err;
}

static int read_inodes(struct search *s, pid_t pid)
{
	int fd = entry_open(pid, "fd", O_RDONLY | O_DIRECTORY), err;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return fd >= 0 ? -ENOMEM : fail_is_shortage(fd) ? fd : 0;
	}
	s->fds_known = true;
	err = read_links(s, dir);
	closedir(dir);
	return err;
}

/* --- the kernel's list ------------------------------------------------------------------------ */

static int ask(int fd)
{
	struct {
		struct nlmsghdr head;
		struct unix_diag_req req;
	} m = {
		.head = {.nlmsg_len = sizeof(m),
			 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.req = {.sdiag_family = AF_UNIX,
			.udiag_states = 1 << TCP_LISTEN,
			.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_UID},
	};

	return send(fd, &m, sizeof(m), 0) == sizeof(m) ? 0 : -errno;
}

/* Is it "@hotprobe.PID.control", alone or with a dot and anything behind it? */
static bool is_name(const struct search *s, const char *path, size_t len)
{
	size_t n = strlen(s->name);

	return len > n && len <= sizeof(((struct sockaddr_un *)0)->sun_path) && !path[0] &&
	       !memcmp(path + 1, s->name, n) && (len == n + 1 || path[n + 1] == '.');
}

static void judge(struct search *s, uint64_t inode, uid_t uid, const char *path, size_t len)
{
	bool own = s->fds_known
			   ? s->n && bsearch(&inode, s->inodes, s->n, sizeof(inode), compare_u64)
			   : uid == s->uid;
	struct agent_listeners *f = &s->found;
	struct agent_listener *l = &f->own[f->n];

	if (own && f->n < ARRAY_SIZE(f->own)) {
		*l = (struct agent_listener){.addr.sun_family = AF_UNIX, .sure = s->fds_known};
		memcpy(l->addr.sun_path, path, len);
		l->len = (socklen_t)(PATH_OFFSET + len);
		f->n++;
	} else if (!own && !f->taken) {
		f->taken = true;
		f->taker = uid;
		snprintf(f->taken_name, sizeof(f->taken_name), "%.*s", (int)len - 1, path + 1);
	}
}

static void take(struct search *s, const struct nlmsghdr *h)
{
	const struct unix_diag_msg *m = NLMSG_DATA(h);
	int left = (int)h->nlmsg_len - (int)NLMSG_SPACE(sizeof(*m));
	const char *path = NULL;
	size_t len = 0;
	uid_t uid = (uid_t)-1;

	if (left < 0 || m->udiag_type != SOCK_SEQPACKET)
		return;
	for (const struct rtattr *a = (const void *)((const char *)m + NLMSG_ALIGN(sizeof(*m)));
	     RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == UNIX_DIAG_NAME) {
			path = RTA_DATA(a);
			len = RTA_PAYLOAD(a);
		} else if (a->rta_type == UNIX_DIAG_UID && RTA_PAYLOAD(a) == sizeof(uid)) {
			memcpy(&uid, RTA_DATA(a), sizeof(uid));
		}
	}
	if (path && is_name(s, path, len))
		judge(s, m->udiag_ino, uid, path, len);
}

/* Return: 0 more will come; 1 that was all; -errno. */
static int take_answer(struct search *s, int fd)
{
	static _Alignas(struct nlmsghdr) char buf[ANSWER_MAX];
	ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
	const struct nlmsghdr *h = (const void *)buf;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	for (int left = (int)n; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
		if (h->nlmsg_type == NLMSG_DONE)
			return 1;
		if (h->nlmsg_type == NLMSG_ERROR)
			return -EOPNOTSUPP;
		if (h->nlmsg_type == SOCK_DIAG_BY_FAMILY)
			take(s, h);
	}
	return n ? 0 : 1;
}

static int read_list(struct search *s)
{
	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	uint64_t until_ns = clock_ns() + AGENT_LISTENER_MS * NSEC_PER_MSEC;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int err = fd < 0 ? -errno : ask(fd);

	while (!err && clock_ns() < until_ns)
		if (poll(&p, 1, AGENT_LISTENER_MS) > 0)
			err = take_answer(s, fd);
	return err < 0 ? err : 0;
}

/* Names that nobody has told us of, as they were given until somebody held them all. */
static void guess(struct search *s)
{
	s->found = (struct agent_listeners){.n = HP_AGENT_NAMES_MAX};
	for (size_t k = 0; k < s->found.n; k++) {
		struct agent_listener *l = &s->found.own[k];
		char *name = l->addr.sun_path + 1;
		size_t size = sizeof(l->addr.sun_path) - 1;

		l->addr.sun_family = AF_UNIX;
		if (k)
			snprintf(name, size, "%s.%zu", s->name, k);
		else
			snprintf(name, size, "%s", s->name);
		l->len = (socklen_t)(PATH_OFFSET + 1 + strlen(name));
	}
}

int agent_listener_find(pid_t pid, pid_t ns_pid, uid_t uid, struct agent_listeners *ret)
{
	struct search s = {.uid = uid};
	int err = read_inodes(&s, pid);

	snprintf(s.name, sizeof(s.name), "hotprobe.%d.control", ns_pid);
	if (!err)
		err = read_list(&s);
	free(s.inodes);
	if (fail_is_shortage(err))
		return err;
	if (err)
		guess(&s);
	*ret = s.found;
	return 0;
}
