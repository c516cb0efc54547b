// SPDX-License-Identifier: MIT
/*
 * Fuzz target (libFuzzer): requests to the agent, by two that are connected. Nothing is done for
 * one that was not welcomed, and every message has one reply of its kind, or ends the connection.
 *
 * The input: {who, how many bytes of the head are right, kind, length}, then so many bytes, again
 * and again. What an allowed request would do to this process is only written down.
 */
#include <limits.h>

#include "fuzz.h"

static int fake_open(const char *path, int flags)
{
	fuzz_check(*path && strlen(path) < PATH_MAX && (flags & O_ACCMODE) == O_RDONLY);
	return open("/dev/null", flags);
}

static long fake_syscall(long nr, ...)
{
	return nr;
}

#define open	fake_open
#define syscall fake_syscall
#undef ARRAY_SIZE
#undef _unused_
#include "jvmagent/control.c"
#undef open
#undef syscall

struct agent agent = {.jdk = 17};

static bool served; /* something was done for the connection that is served now */

int agent_thread(void *(*run)(void *), void *arg, const char *name)
{
	(void)run;
	(void)arg;
	(void)name;
	return -EAGAIN;
}

int vm_begin(void)
{
	served = true;
	return 0;
}

void vm_end(void)
{
}

int vm_attach(const char *name, JNIEnv **ret)
{
	(void)name;
	(void)ret;
	return -ESRCH;
}

void vm_detach(void)
{
}

jvmtiPhase vm_phase(void)
{
	return JVMTI_PHASE_LIVE;
}

void launch_go(void)
{
}

static void harmless(void)
{
}

static void check_reply(int peer, const struct hp_agent_msg *asked)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct hp_agent_msg m;
	struct iovec iov = {&m, sizeof(m)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(peer, &msg, MSG_DONTWAIT);
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	bool gives = asked->kind == HP_AGENT_FD || asked->kind == HP_AGENT_OPEN;
	int fd;

	fuzz_check(n == sizeof(m) && m.size == sizeof(m) && m.kind == asked->kind);
	fuzz_check(!c || (gives && m.result == 0 && c->cmsg_len == CMSG_LEN(sizeof(int))));
	if (c) {
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
		close(fd);
	}
	fuzz_check(recv(peer, &m, sizeof(m), MSG_DONTWAIT) <= 0);
}

static void request_one(struct fuzz_input *in, const int peers[2])
{
	static unsigned char message[sizeof(struct request) + 64];
	size_t who = fuzz_number(in, 1) & 1, right = fuzz_number(in, 1);
	struct hp_agent_msg head = {.kind = (uint16_t)(fuzz_number(in, 1) % 12)};
	size_t wanted = fuzz_number(in, 2);
	size_t len = MIN(MIN(wanted, in->len) + 1, sizeof(message));
	bool welcome = conns[who] >= 0 && conns[who] == controller;

	head.size = (uint32_t)len;
	fuzz_take(in, message, len);
	memcpy(message, &head, MIN(MIN(right, offsetof(struct hp_agent_msg, arg)), len));
	memset(&head, 0, sizeof(head));
	memcpy(&head, message, MIN(len, sizeof(head)));
	if (head.kind == HP_AGENT_CALL && len >= sizeof(head)) {
		head.arg[0] = (uintptr_t)harmless;
		memcpy(message, &head, sizeof(head));
	}
	if (conns[who] < 0)
		return;
	fuzz_check(send(peers[who], message, len, MSG_NOSIGNAL) == (ssize_t)len);
	served = false;
	conn_serve(&conns[who]);
	fuzz_check(!served || welcome);
	fuzz_check(controller == -1 || controller == conns[0] || controller == conns[1]);
	check_reply(peers[who], &head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_input in = {data, len};
	int before = fuzz_lowest_fd(), peers[2];

	for (size_t i = 0; i < 2; i++) {
		int sv[2];

		fuzz_check(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv));
		conns[i] = fd_own(sv[0]);
		peers[i] = sv[1];
	}
	while (in.len)
		request_one(&in, peers);
	for (size_t i = 0; i < 2; i++) {
		if (conns[i] >= 0)
			conn_close(&conns[i]);
		close(peers[i]);
	}
	fuzz_check(controller == -1 && fuzz_lowest_fd() == before);
	return 0;
}
