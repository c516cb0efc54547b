/* SPDX-License-Identifier: MIT */
/*
 * control.c - the control socket of wire.h: one thread, one controller at a time, one request at
 * a time. This is the part of hotprobe that would otherwise borrow a thread by ptrace.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/types.h>

#include "agent.h"
#include "control.h"
#include "fds.h"
#include "launch.h"
#include "sockets.h"
#include "trial.h"
#include "vm.h"
#include "wire.h"

/* One controller; the other connections exist to be answered that there is one. */
#define CONNS_MAX 4

_Static_assert(CONNS_MAX + 4 <= FDS_MAX / 2,
	       "room for the connections, the listener and one on its way");

#define LINK_MAX_LEN 256 /* what is asked for is far shorter */

#define PEER_NAME "hotprobe-ctl"

struct request {
	struct hp_agent_msg m;
	unsigned char data[HP_AGENT_DATA_MAX + 1]; /* one more: the end of a path */
};

_Static_assert(offsetof(struct request, data) == sizeof(struct hp_agent_msg), "data behind it");

static int conns[CONNS_MAX] = {-1, -1, -1, -1};
static int controller = -1; /* the one of @conns that was welcomed */

static int64_t do_hello(struct hp_agent_msg *reply, int fd)
{
	reply->arg[0] = HP_AGENT_VERSION;
	reply->arg[1] = (__u64)getpid();
	reply->arg[2] = vm_phase();
	reply->arg[3] = (__u64)agent.jdk;
	if (controller >= 0 && controller != fd)
		return -EBUSY;
	controller = fd;
	return 0;
}

static int64_t do_try(struct hp_agent_msg *reply)
{
	struct trial t = {0};
	int err = trial_run(TRIAL_ALL, &t);

	reply->arg[0] = (__u64)t.nr;
	reply->arg[1] = (__u64)t.error;
	return err;
}

static int64_t do_syscall(const __u64 a[7])
{
	static const long allowed[] = {SYS_memfd_create, SYS_mmap, SYS_munmap, SYS_membarrier,
				       SYS_close};
	long ret;

	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
		if (a[0] != (__u64)allowed[i])
			continue;
		if (trial_deadly())
			return -EPERM;
		ret = syscall(allowed[i], a[1], a[2], a[3], a[4], a[5], a[6]);
		return ret == -1 ? -errno : ret;
	}
	return -EPERM;
}

static int64_t do_scratch(const unsigned char *data, size_t len)
{
	static _Alignas(64) unsigned char scratch[HP_AGENT_DATA_MAX];

	memcpy(scratch, data, len);
	return (int64_t)(uintptr_t)scratch;
}

/*
 * The code is hotprobe's own, from the region it has mapped (daemon/region/region.c). It is no
 * function of any ABI: it may change r12 to r14, too. What the compiler keeps below rsp, the red
 * zone, is stepped over.
 */
static int64_t do_call(const __u64 a[7])
{
	__u64 code = a[0], rdi = a[1], rsi = a[2], rdx = a[3];

	if (trial_deadly())
		return -EPERM;

	__asm__ volatile("movq %%rsp, %%rbx\n\t"
			 "leaq -128(%%rsp), %%rsp\n\t"
			 "andq $-16, %%rsp\n\t"
			 "callq *%%rax\n\t"
			 "movq %%rbx, %%rsp\n\t"
			 : "+a"(code), "+D"(rdi), "+S"(rsi), "+d"(rdx)
			 :
			 : "rbx", "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "xmm0",
			   "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
			   "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "cc", "memory");
	return 0;
}

/*
 * Proof of a safepoint: GetAllStackTraces runs as VM_GetAllStackTraces, a VM operation that is
 * evaluated at a safepoint, in all of 17 to 25 (src/hotspot/share/prims/jvmtiEnv.cpp,
 * jvmtiEnvBase.hpp; vmOperation.hpp: evaluate_at_safepoint() is true unless overridden). Operations
 * on one thread have become handshakes with that thread alone, and would prove nothing.
 */
static int64_t do_safepoint(void)
{
	jvmtiStackInfo *stacks = NULL;
	jint count;
	JNIEnv *jni;
	int err = vm_attach(PEER_NAME, &jni);

	if (err)
		return err;
	err = (*agent.ti)->GetAllStackTraces(agent.ti, 1, &stacks, &count);
	if (!err)
		(*agent.ti)->Deallocate(agent.ti, (unsigned char *)stacks);
	vm_detach();
	return err ? -EAGAIN : 0;
}

/* A FIFO must not hold us up, hence O_NONBLOCK; for files it means nothing. */
static int64_t do_open(unsigned char *data, size_t len, int *fd_ret)
{
	if (!len || len >= PATH_MAX || memchr(data, 0, len))
		return -EINVAL;
	data[len] = 0;
	*fd_ret = open((const char *)data, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return *fd_ret < 0 ? -errno : 0;
}

/*
 * Passed on as it is: to close a copy would drop the locks that the process has on that file
 * (fcntl(2), F_SETLK), which are those of Java's FileLock.
 */
static int64_t do_fd(__u64 number, int *fd_ret)
{
	if (number > INT_MAX || fcntl((int)number, F_GETFD) < 0)
		return -EBADF;
	*fd_ret = (int)number;
	return 0;
}

static int64_t do_next_fd(__u64 from, const unsigned char *link, size_t len)
{
	DIR *dir = opendir("/proc/thread-self/fd");
	int64_t best = -ENOENT;
	struct dirent *d;

	if (!dir)
		return -errno;
	while ((d = readdir(dir))) {
		int64_t fd = strtol(d->d_name, NULL, 10);
		char found[LINK_MAX_LEN];

		if (*d->d_name == '.' || (__u64)fd < from || (best >= 0 && fd > best))
			continue;
		if (readlinkat(dirfd(dir), d->d_name, found, sizeof(found)) == (ssize_t)len &&
		    !memcmp(found, link, len))
			best = fd;
	}
	closedir(dir);
	return best;
}

static int64_t do_go(void)
{
	launch_go();
	return 0;
}

static int64_t dispatch(struct request *r, size_t len, struct hp_agent_msg *reply, int *fd_ret)
{
	switch (r->m.kind) {
	case HP_AGENT_SYSCALL:
		return do_syscall(r->m.arg);
	case HP_AGENT_SCRATCH:
		return do_scratch(r->data, len);
	case HP_AGENT_CALL:
		return do_call(r->m.arg);
	case HP_AGENT_FD:
		return do_fd(r->m.arg[0], fd_ret);
	case HP_AGENT_OPEN:
		return do_open(r->data, len, fd_ret);
	case HP_AGENT_SAFEPOINT:
		return do_safepoint();
	case HP_AGENT_GO:
		return do_go();
	case HP_AGENT_NEXT_FD:
		return len && len < LINK_MAX_LEN ? do_next_fd(r->m.arg[0], r->data, len) : -EINVAL;
	case HP_AGENT_TRY:
		return do_try(reply);
	default:
		return -EOPNOTSUPP;
	}
}

static int reply_send(int to, struct hp_agent_msg *m, int fd)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {.iov_base = m, .iov_len = sizeof(*m)};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};

	if (fd >= 0) {
		struct cmsghdr *c = (struct cmsghdr *)control;

		h.msg_control = control;
		h.msg_controllen = sizeof(control);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	return sendmsg(to, &h, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* Sizes must be as announced, and data only where it belongs. */
static bool is_well_formed(const struct request *r, size_t len)
{
	bool has_data = r->m.kind == HP_AGENT_SCRATCH || r->m.kind == HP_AGENT_OPEN ||
			r->m.kind == HP_AGENT_NEXT_FD;

	return len >= sizeof(r->m) && len <= sizeof(r->m) + HP_AGENT_DATA_MAX && r->m.size == len &&
	       (has_data || len == sizeof(r->m));
}

/* Return: 0; anything else ends the connection. */
static int answer(struct request *r, size_t len, int from)
{
	struct hp_agent_msg reply = {.size = sizeof(reply), .kind = r->m.kind, .result = -EPROTO};
	int fd = -1, err;

	if (!is_well_formed(r, len)) {
		reply_send(from, &reply, -1);
		return -EPROTO;
	}
	if (r->m.kind == HP_AGENT_HELLO) {
		reply.result = do_hello(&reply, from);
		err = reply_send(from, &reply, -1);
		return err ? err : (int)reply.result;
	}
	if (from == controller && !(reply.result = vm_begin())) {
		reply.result = dispatch(r, len - sizeof(r->m), &reply, &fd);
		vm_end();
	}
	err = reply_send(from, &reply, fd);
	if (fd >= 0 && r->m.kind == HP_AGENT_OPEN)
		close(fd);
	return err ? err : from == controller ? 0 : -EPROTO;
}

static void conn_close(int *conn)
{
	if (*conn == controller)
		controller = -1;
	fd_close(*conn);
	*conn = -1;
}

static void conn_serve(int *conn)
{
	static struct request r;
	ssize_t n;

	memset(&r.m, 0, sizeof(r.m));
	/* MSG_TRUNC: the message's own length, even when there is no room for it. */
	n = recv(*conn, &r, sizeof(r), MSG_DONTWAIT | MSG_TRUNC);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || answer(&r, (size_t)n, *conn))
		conn_close(conn);
}

/*
 * A new one takes a free place, or that of one that is not the controller: it has been silent.
 * Return: 0; -errno when the process has no descriptor or memory left: not to be tried at once.
 */
static int conn_accept(int listener)
{
	int fd = socket_accept(listener), *place = NULL;

	if (fd < 0)
		return socket_accept_again(fd) ? 0 : fd;
	for (size_t i = 0; i < CONNS_MAX; i++)
		if (conns[i] < 0 || (!place && conns[i] != controller))
			place = &conns[i];
	if (*place >= 0)
		conn_close(place);
	*place = fd;
	return 0;
}

static void *control_run(void *arg)
{
	int listener = (int)(intptr_t)arg;
	struct pollfd p[CONNS_MAX + 1];
	int err = 0;

	for (;;) {
		p[CONNS_MAX] = (struct pollfd){.fd = err ? -1 : listener, .events = POLLIN};
		for (size_t i = 0; i < CONNS_MAX; i++)
			p[i] = (struct pollfd){.fd = conns[i], .events = POLLIN};
		if (poll(p, ARRAY_SIZE(p), err ? ACCEPT_PAUSE_MS : -1) < 0)
			continue;
		for (size_t i = 0; i < CONNS_MAX; i++)
			if (p[i].revents)
				conn_serve(&conns[i]);
		err = p[CONNS_MAX].revents ? conn_accept(listener) : 0;
	}
	return NULL;
}

int control_start(void)
{
	int fd = socket_listen(SOCK_SEQPACKET, ".control", PEER_NAME), err;

	if (fd < 0)
		return fd;
	err = agent_thread(control_run, (void *)(intptr_t)fd, PEER_NAME);
	if (err)
		fd_close(fd);
	return err;
}
