/* SPDX-License-Identifier: MIT */
/*
 * test_agent_listener.c - the names of an agent's socket prove nothing: whoever else holds one, and
 * fills its queue, is passed over, and the target's own socket is found whatever it is called.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "agent/agent_find.h"
#include "agent/agent_listener.h"

#define NOBODY	 65534
#define LIMIT_NS (10 * NSEC_PER_SEC) /* far below a wait for each name */

static int listen_at(pid_t pid, const char *more, int type)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	int n = snprintf(sa.sun_path + 1, sizeof(sa.sun_path) - 1, "hotprobe.%d.control%s", pid,
			 more);

	if (fd < 0 ||
	    bind(fd, (struct sockaddr *)&sa,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)) ||
	    listen(fd, 0))
		_exit(1);
	return fd;
}

/* Connect to it until nobody can any more. */
static void fill(int fd)
{
	struct sockaddr_un sa;
	socklen_t len = sizeof(sa);
	int s;

	if (getsockname(fd, (struct sockaddr *)&sa, &len))
		_exit(1);
	do
		s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	while (!connect(s, (struct sockaddr *)&sa, len));
}

/* A child that does @work for @pid, 0: itself, says so and stays. */
static pid_t start(void (*work)(pid_t pid), pid_t pid)
{
	pid_t child;
	int p[2];
	char c;

	assert_int_equal(pipe(p), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		work(pid ? pid : getpid());
		if (write(p[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(p[0], &c, 1), 1);
	close(p[0]);
	close(p[1]);
	return child;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void nothing(pid_t pid _unused_)
{
}

/* All the names that a search without the kernel's help would try. */
static void squat(pid_t pid)
{
	char more[8] = "";

	if (setresuid(NOBODY, NOBODY, NOBODY))
		_exit(1);
	for (int k = 0; k < HP_AGENT_NAMES_MAX; k++) {
		if (k)
			snprintf(more, sizeof(more), ".%d", k);
		fill(listen_at(pid, more, SOCK_SEQPACKET));
	}
}

static void listen_random(pid_t pid)
{
	listen_at(pid, ".0123456789abcdef", SOCK_SEQPACKET);
}

/* Neither of the same type nor of such a name, though nearly so. */
static void listen_elsewhere(pid_t pid)
{
	listen_at(pid, "", SOCK_STREAM);
	listen_at(pid, "ler", SOCK_SEQPACKET);
	listen_at(pid / 10, "", SOCK_SEQPACKET);
}

static int find(pid_t pid, int *fd)
{
	uint64_t begin_ns = clock_ns();
	pid_t ns_pid;
	int err = agent_find(pid, &ns_pid, fd);

	assert_true(clock_ns() - begin_ns < LIMIT_NS);
	return err;
}

/* The target's own is found among names that others hold, and nobody where there is none. */
static void finds_its_own(void **state _unused_)
{
	struct agent_listeners l;
	pid_t with, without, squatter, other;
	struct ucred cred;
	socklen_t len = sizeof(cred);
	int fd;

	if (geteuid())
		skip(); /* only root can be another user */
	with = start(listen_random, 0);
	without = start(nothing, 0);
	squatter = start(squat, with);
	other = start(squat, without);
	assert_int_equal(agent_listener_find(with, with, getuid(), &l), 0);
	assert_int_equal(l.n, 1);
	assert_true(l.own[0].sure);
	assert_true(l.taken);
	assert_int_equal(l.taker, NOBODY);
	assert_int_equal(agent_listener_find(without, without, getuid(), &l), 0);
	assert_int_equal(l.n, 0);
	assert_true(l.taken);
	assert_int_equal(find(with, &fd), 0);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len), 0);
	assert_int_equal(cred.pid, with);
	close(fd);
	assert_int_equal(find(without, &fd), -ENOENT);
	end(squatter);
	end(other);
	end(with);
	end(without);
}

/* What looks like it is not it. */
static void takes_no_other(void **state _unused_)
{
	struct agent_listeners l;
	pid_t pid = start(listen_elsewhere, 0);

	assert_int_equal(agent_listener_find(pid, pid, getuid(), &l), 0);
	assert_int_equal(l.n, 0);
	assert_false(l.taken);
	end(pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_its_own),
		cmocka_unit_test(takes_no_other),
	};

	return cmocka_run_group_tests_name("agent_listener", tests, NULL, NULL);
}
