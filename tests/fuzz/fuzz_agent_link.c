// SPDX-License-Identifier: MIT
/*
 * Fuzz target (libFuzzer): replies of an agent, which is in the target's hands: of any size, about
 * anything, with any number of descriptors. What is taken is of the form that was asked for, and
 * no descriptor is kept that nobody asked for.
 *
 * The input: what is asked, how many descriptors come along, how many bytes of the reply are right
 * whatever follows; then the reply.
 */
#include <sys/socket.h>

#include "fuzz.h"
#include "agent/agent_link.c"

#define FDS_SENT_MAX 6

static void reply_send(int sock, const void *data, size_t len, size_t nfds)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(FDS_SENT_MAX * sizeof(int))] = {0};
	struct iovec iov = {(void *)data, len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (nfds) {
		struct cmsghdr *c = (struct cmsghdr *)control;

		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		for (size_t i = 0; i < nfds; i++)
			memcpy(CMSG_DATA(c) + i * sizeof(int), &sock, sizeof(int));
	}
	fuzz_check(sendmsg(sock, &msg, MSG_NOSIGNAL) == (ssize_t)len);
}

static void check_answer(const struct agent_ask *a, int err)
{
	bool wants_fd = a->kind == HP_AGENT_FD || a->kind == HP_AGENT_OPEN;

	if (err) {
		fuzz_check(err == -EPROTO && a->fd == -1);
		return;
	}
	fuzz_check(a->result >= -ERRNO_MAX);
	fuzz_check((a->fd >= 0) == (wants_fd && a->result == 0));
	if (a->fd >= 0)
		close(a->fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t reply[2 * HP_AGENT_DATA_MAX];
	struct fuzz_input in = {data, len};
	uint8_t asked = (uint8_t)fuzz_number(&in, 1), nfds = (uint8_t)fuzz_number(&in, 1);
	uint8_t right = (uint8_t)fuzz_number(&in, 1);
	struct agent_ask a = {.kind = asked % 12};
	struct agent_link l = {.pid = getpid()};
	size_t n = MIN(MAX(in.len, (size_t)1), sizeof(reply));
	struct hp_agent_msg head = {.size = (uint32_t)n, .kind = a.kind};
	int before = fuzz_lowest_fd(), sv[2], err;

	fuzz_take(&in, reply, n);
	memcpy(reply, &head, MIN(MIN((size_t)right, sizeof(head)), n));
	fuzz_check(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv));
	l.fd = sv[0];
	reply_send(sv[1], reply, n, nfds % (FDS_SENT_MAX + 1));
	if (a.kind == HP_AGENT_HELLO && asked & 0x80) {
		err = hello(&l, getpid());
		fuzz_check(err || l.version == HP_AGENT_VERSION);
	} else {
		err = agent_link_ask(&l, &a);
		check_answer(&a, err);
		fuzz_check(l.broken == err && (!err || agent_link_ask(&l, &a) == err));
	}
	close(sv[0]);
	close(sv[1]);
	fuzz_check(fuzz_lowest_fd() == before);
	return 0;
}
