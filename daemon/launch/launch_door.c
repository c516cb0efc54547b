// SPDX-License-Identifier: MIT
/* launch_door.c - where the agents of a command's JVMs say who they are. See launch_door.h. */
#include <linux/types.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "jvmagent/wire.h"
#include "launch/launch_door.h"

#define BACKLOG	   256
#define ACCEPT_MAX 256 /* at one time: then others have their turn */

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5 */
#endif

struct hello {
	struct hp_agent_msg head;
	char why[LAUNCH_WHY_MAX];
};

int launch_door_open(struct launch_door *d)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	uint64_t random;
	socklen_t len;

	*d = (struct launch_door){.fd = -1};
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -errno;
	snprintf(d->name, sizeof(d->name), "hotprobe.run.%d.%016llx", getpid(),
		 (unsigned long long)random);
	/* An abstract name: its first byte is 0, and it needs no end. */
	memcpy(addr.sun_path + 1, d->name, strlen(d->name));
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(d->name));
	d->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (d->fd < 0 || bind(d->fd, (const struct sockaddr *)&addr, len) || listen(d->fd, BACKLOG))
		return -errno;
	return 0;
}

/* A process that was forked meanwhile holds the descriptor too: closing ours would not do. */
void launch_door_let_go(int fd)
{
	shutdown(fd, SHUT_RDWR);
	close(fd);
}

void launch_door_close(struct launch_door *d)
{
	while (d->n)
		launch_door_let_go(d->guests[--d->n].fd);
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

size_t launch_door_poll(const struct launch_door *d, struct pollfd fds[static LAUNCH_FDS_MAX])
{
	fds[0] = (struct pollfd){.fd = d->fd, .events = POLLIN};
	for (size_t i = 0; i < d->n; i++)
		fds[1 + i] = (struct pollfd){.fd = d->guests[i].fd, .events = POLLIN};
	return 1 + d->n;
}

int launch_door_timeout_ms(const struct launch_door *d)
{
	uint64_t now_ns = clock_ns(), until_ns = UINT64_MAX;

	for (size_t i = 0; i < d->n; i++)
		until_ns = MIN(until_ns, d->guests[i].until_ns);
	if (!d->n)
		return -1;
	return until_ns > now_ns ? (int)((until_ns - now_ns) / NSEC_PER_MSEC) + 1 : 0;
}

/* --- who is there ----------------------------------------------------------------------------- */

/* That PID may have become another's since it connected. Older kernels cannot tell. */
static bool has_ended(int fd)
{
	int pidfd = -1;
	socklen_t len = sizeof(pidfd);
	struct pollfd p = {.events = POLLIN};
	bool ended;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &len))
		return errno == ESRCH;
	p.fd = pidfd;
	ended = poll(&p, 1, 0) > 0;
	close(pidfd);
	return ended;
}

static void count_stranger(struct launch_door *d, const struct ucred *peer)
{
	if (d->strangers++)
		return;
	d->stranger = peer->pid;
	d->stranger_uid = peer->uid;
}

/* Return: may @fd come in? Whoever has ended has nothing to say, and nobody knows whose it was. */
static bool is_welcome(struct launch_door *d, const struct family *f, int fd, pid_t *ret)
{
	struct ucred peer = {0};
	socklen_t len = sizeof(peer);
	bool ours;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return false;
	ours = family_has(f, peer.pid);
	if (has_ended(fd))
		return false;
	if (!ours)
		count_stranger(d, &peer);
	*ret = peer.pid;
	return ours && d->n < LAUNCH_GUESTS_MAX;
}

static void let_in(struct launch_door *d, const struct family *f)
{
	uint64_t until_ns = clock_ns() + LAUNCH_GUEST_MS * NSEC_PER_MSEC;

	for (int i = 0; i < ACCEPT_MAX; i++) {
		struct launch_guest g = {.until_ns = until_ns};

		g.fd = accept4(d->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (g.fd < 0)
			return;
		if (is_welcome(d, f, g.fd, &g.pid))
			d->guests[d->n++] = g;
		else
			launch_door_let_go(g.fd);
	}
}

/* --- what it says ----------------------------------------------------------------------------- */

/* Return: does it make sense? */
static bool understand(const struct hello *h, size_t len, struct launch_arrival *ret)
{
	const struct hp_agent_msg *m = &h->head;

	if (len < sizeof(*m) || m->size != len || m->kind != HP_AGENT_HELLO || m->result > 0)
		return false;
	ret->why[0] = '\0';
	if (m->arg[0] != HP_AGENT_VERSION)
		snprintf(ret->why, sizeof(ret->why), "its agent is of another version of hotprobe");
	else if (m->result)
		snprintf(ret->why, sizeof(ret->why), "%.*s", (int)(len - sizeof(*m)), h->why);
	if (m->result && !*ret->why)
		snprintf(ret->why, sizeof(ret->why), "its agent says: %s",
			 strerror((int)-MAX(m->result, -INT32_MAX)));
	return true;
}

/* Return: 1 @ret is filled; 0 nothing has come yet; -EPROTO. */
static int hear(const struct launch_guest *g, struct launch_arrival *ret)
{
	struct hello h;
	ssize_t n = recv(g->fd, &h, sizeof(h), MSG_DONTWAIT | MSG_TRUNC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0 || (size_t)n > sizeof(h) || !understand(&h, (size_t)n, ret))
		return -EPROTO;
	ret->pid = g->pid;
	ret->fd = g->fd;
	return 1;
}

bool launch_door_next(struct launch_door *d, const struct family *f, struct launch_arrival *ret)
{
	uint64_t now_ns = clock_ns();

	let_in(d, f);
	for (size_t i = d->n; i-- > 0;) {
		struct launch_guest g = d->guests[i];
		int heard = hear(&g, ret);

		if (!heard && now_ns < g.until_ns)
			continue;
		d->guests[i] = d->guests[--d->n];
		if (heard > 0)
			return true;
		launch_door_let_go(g.fd);
	}
	return false;
}
