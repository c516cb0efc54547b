// SPDX-License-Identifier: MIT
/* fake_agent.c - what speaks jvmagent/wire.h inside a victim. See fake_agent.h. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <cmocka.h>

#include "lib/fake_agent.h"
#include "lib/victim.h"

struct fake_agent *fake_agent;

static int (*at_safepoint)(void);

struct message {
	struct hp_agent_msg head;
	uint8_t data[HP_AGENT_DATA_MAX + 64];
};

void fake_agent_map(void)
{
	fake_agent = mmap(NULL, sizeof(*fake_agent), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(fake_agent, MAP_FAILED);
}

void fake_agent_unmap(void)
{
	munmap(fake_agent, sizeof(*fake_agent));
}

void fake_agent_go_wrong(enum fake_wrong wrong, enum hp_agent_kind kind)
{
	fake_agent->wrong_kind = kind;
	fake_agent->wrong = wrong;
}

/* --- requests --------------------------------------------------------------------------------- */

static int64_t call(const __u64 arg[static 4])
{
	uint64_t rdi = arg[1], rsi = arg[2], rdx = arg[3], fn = arg[0];

	/* The red zone is the compiler's; what is called pushes its return address there. */
	asm volatile("sub $128, %%rsp\n\tcall *%[fn]\n\tadd $128, %%rsp"
		     : "+D"(rdi), "+S"(rsi), "+d"(rdx), [fn] "+a"(fn)
		     :
		     : "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "memory", "cc");
	return 0;
}

static int64_t run_syscall(const __u64 a[static 7])
{
	long res = syscall((long)a[0], a[1], a[2], a[3], a[4], a[5], a[6]);

	return res < 0 ? -errno : res;
}

static int64_t scratch(const struct message *m, size_t len)
{
	static uint8_t kept[HP_AGENT_DATA_MAX];

	memcpy(kept, m->data, len);
	return (int64_t)(uintptr_t)kept;
}

static int64_t next_fd(int from, const char *link)
{
	for (int fd = from; fd < 1024; fd++) {
		char path[32], found[256] = "";

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (readlink(path, found, sizeof(found) - 1) > 0 && !strcmp(found, link))
			return fd;
	}
	return -ENOENT;
}

static int64_t answer(struct message *m, size_t len, int *fd)
{
	struct hp_agent_msg *h = &m->head;

	switch (h->kind) {
	case HP_AGENT_HELLO:
		h->arg[0] = HP_AGENT_VERSION + fake_agent->version;
		h->arg[1] = (uint64_t)getpid() + fake_agent->pid_off;
		h->arg[2] = 4; /* JVMTI_PHASE_LIVE */
		h->arg[3] = 17;
		return 0;
	case HP_AGENT_SYSCALL:
		return run_syscall(h->arg);
	case HP_AGENT_SCRATCH:
		return scratch(m, len);
	case HP_AGENT_CALL:
		return call(h->arg);
	case HP_AGENT_NEXT_FD:
		m->data[len] = '\0';
		return next_fd((int)h->arg[0], (const char *)m->data);
	case HP_AGENT_FD:
		*fd = dup((int)h->arg[0]);
		return *fd < 0 ? -errno : 0;
	case HP_AGENT_OPEN:
		m->data[len] = '\0';
		*fd = open((const char *)m->data, O_RDONLY | O_CLOEXEC);
		return *fd < 0 ? -errno : 0;
	case HP_AGENT_SAFEPOINT:
		return at_safepoint();
	case HP_AGENT_TRY:
		return 0;
	}
	return -ENOSYS;
}

/* --- replies, right and wrong ----------------------------------------------------------------- */

static void send_reply(int sock, const void *data, size_t len, const int *fds, size_t nfds)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))] = {0};
	struct iovec iov = {(void *)data, len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (nfds) {
		struct cmsghdr *c = (struct cmsghdr *)control;

		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nfds * sizeof(int));
	}
	sendmsg(sock, &msg, MSG_NOSIGNAL);
}

static void wait_silently(void)
{
	while (fake_agent->wrong == FAKE_SILENT)
		usleep(100);
}

/* Return: false when it hangs up. */
static bool reply(int sock, struct message *m, int fd)
{
	int fds[2] = {fd, fd}, pipes[2];
	uint32_t wrong = m->head.kind == fake_agent->wrong_kind ? fake_agent->wrong : FAKE_RIGHT;
	size_t len = sizeof(m->head), nfds = fd >= 0;

	m->head.size = sizeof(m->head);
	switch (wrong) {
	case FAKE_SHORT:
		len = 10;
		break;
	case FAKE_KIND:
		m->head.kind++;
		break;
	case FAKE_SIZE:
		m->head.size = 1u << 30;
		break;
	case FAKE_LONG:
		m->head.size = len = sizeof(*m);
		break;
	case FAKE_RESULT:
		m->head.result = INT64_MIN;
		break;
	case FAKE_SILENT:
		wait_silently();
		return true;
	case FAKE_CLOSES:
		return false;
	case FAKE_NO_FD:
		nfds = 0;
		break;
	case FAKE_TWO_FDS:
		fds[0] = fds[1] = sock;
		nfds = 2;
		break;
	case FAKE_OTHER_FILE:
		if (pipe2(pipes, O_CLOEXEC))
			victim_error(__LINE__);
		fds[0] = pipes[0];
		break;
	}
	send_reply(sock, m, len, fds, nfds);
	return true;
}

/* --- serving ---------------------------------------------------------------------------------- */

/* Return: false when the connection has ended. */
static bool serve(int sock)
{
	struct message m;
	ssize_t n = recv(sock, &m, sizeof(m), 0);
	int fd = -1;
	bool goes_on;

	if (n < (ssize_t)sizeof(m.head))
		return false;
	fake_agent->asked[m.head.kind % 16]++;
	m.head.result = answer(&m, (size_t)n - sizeof(m.head), &fd);
	goes_on = reply(sock, &m, fd);
	if (fd >= 0)
		close(fd);
	return goes_on;
}

static bool may_ask(int sock)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	return !getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &cred, &len) &&
	       (cred.uid == 0 || cred.uid == getuid());
}

static void turn_away(int sock)
{
	struct hp_agent_msg m = {.size = sizeof(m), .kind = HP_AGENT_HELLO, .result = -EBUSY};
	char request[128];

	if (recv(sock, request, sizeof(request), 0) > 0)
		send_reply(sock, &m, sizeof(m), NULL, 0);
	close(sock);
}

static void *agent_thread(void *arg)
{
	struct pollfd p[2] = {{.fd = *(int *)arg, .events = POLLIN}, {.fd = -1, .events = POLLIN}};

	for (;;) {
		poll(p, 2, -1);
		if (p[1].fd >= 0 && p[1].revents && !serve(p[1].fd)) {
			close(p[1].fd);
			p[1].fd = -1;
		}
		if (p[0].revents) {
			int sock = accept4(p[0].fd, NULL, NULL, SOCK_CLOEXEC);

			if (!may_ask(sock))
				close(sock);
			else if (p[1].fd >= 0)
				turn_away(sock);
			else
				p[1].fd = sock;
		}
		p[1].revents = 0;
	}
	return NULL;
}

static bool bind_name(int sock, int k)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	size_t len = 1 + (size_t)(k ? sprintf(a.sun_path + 1, "hotprobe.%d.control.%d", getpid(), k)
				    : sprintf(a.sun_path + 1, "hotprobe.%d.control", getpid()));

	return !bind(sock, (struct sockaddr *)&a,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
}

void fake_agent_start(int (*safepoint)(void))
{
	static int sock;
	pthread_t t;
	int k = 0;

	at_safepoint = safepoint;
	sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	while (k < HP_AGENT_NAMES_MAX && !bind_name(sock, k))
		k++;
	if (k == HP_AGENT_NAMES_MAX || listen(sock, 4) ||
	    pthread_create(&t, NULL, agent_thread, &sock))
		victim_error(__LINE__);
	fake_agent->listening = 1;
}
