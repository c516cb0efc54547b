/* SPDX-License-Identifier: MIT */
/*
 * test_launch.c - who comes of a command, and who may speak at the launcher's socket: descendants
 * of the command, orphans among them, and nobody else, however many they are.
 */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <linux/types.h>

#include "jvmagent/wire.h"
#include "launch/launch_door.h"

static struct launch_door door;

static pid_t fork_child(void)
{
	pid_t parent = getpid(), pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
	}
	return pid;
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* --- the family ------------------------------------------------------------------------------- */

/* For a child: fork a grandchild that lives on when the child has ended. */
static void orphan(int to)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, 0);
		for (;;)
			pause();
	}
	_exit(write(to, &pid, sizeof(pid)) != sizeof(pid));
}

/* An orphan of the command comes of it; we do not, nor our parent, init, or who has ended. */
static void family_keeps_orphans(void **state _unused_)
{
	struct family f;
	struct kin *kin;
	pid_t command, left;
	bool seen = false;
	size_t n;
	int p[2];

	assert_int_equal(family_adopt(), 0);
	assert_int_equal(pipe(p), 0);
	command = fork_child();
	if (!command)
		orphan(p[1]);
	assert_int_equal(family_open(&f, command), 0);
	assert_int_equal(read(p[0], &left, sizeof(left)), sizeof(left));
	assert_int_equal(waitpid(command, NULL, 0), command);
	assert_true(family_has(&f, left));
	assert_false(family_has(&f, command));
	assert_false(family_has(&f, getpid()) || family_has(&f, getppid()) || family_has(&f, 1));
	assert_false(family_has(&f, 0) || family_has(&f, -1));
	assert_int_equal(family_list(&f, &kin, &n), 0);
	for (size_t i = 0; i < n; i++) {
		assert_int_not_equal(kin[i].pid, getpid());
		seen |= kin[i].pid == left;
	}
	assert_true(seen);
	free(kin);
	f.since += 1000000; /* a child that we had before does not come of the command */
	assert_false(family_has(&f, left));
	end_child(left);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	close(p[0]);
	close(p[1]);
}

/* --- the door --------------------------------------------------------------------------------- */

static int knock(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	memcpy(sa.sun_path + 1, door.name, strlen(door.name));
	if (connect(fd, (struct sockaddr *)&sa,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(door.name))))
		_exit(1);
	return fd;
}

static struct hp_agent_msg good(size_t more)
{
	return (struct hp_agent_msg){.size = (__u32)(sizeof(struct hp_agent_msg) + more),
				     .kind = HP_AGENT_HELLO,
				     .arg = {HP_AGENT_VERSION}};
}

/* A child that knocks @n times, says @len bytes of @text each time unless it is NULL, and stays. */
static pid_t visitor(int n, const void *text, size_t len)
{
	pid_t pid;
	int p[2];
	char c;

	assert_int_equal(pipe(p), 0);
	pid = fork_child();
	if (!pid) {
		for (int i = 0; i < n; i++) {
			int fd = knock();

			if (text && send(fd, text, len, MSG_NOSIGNAL) < 0)
				_exit(1);
		}
		if (write(p[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(p[0], &c, 1), 1);
	close(p[0]);
	close(p[1]);
	return pid;
}

/* The family is that of @pid alone, as seen from its parent. */
static bool next(pid_t pid, struct launch_arrival *a)
{
	struct family f;

	assert_int_equal(family_open(&f, pid), 0);
	return launch_door_next(&door, &f, a);
}

static int opened(void **state _unused_)
{
	return launch_door_open(&door);
}

static int closed(void **state _unused_)
{
	launch_door_close(&door);
	return 0;
}

/* A member of the family says hello, and is let in; its reason is heard. */
static void door_lets_the_family_in(void **state _unused_)
{
	struct {
		struct hp_agent_msg m;
		char why[6];
	} bad = {.m = good(6), .why = {'J', 'D', 'K', ' ', '8', '!'}};
	struct hp_agent_msg m = good(0);
	pid_t pid = visitor(1, &m, sizeof(m));
	struct launch_arrival a;

	assert_true(next(pid, &a));
	assert_int_equal(a.pid, pid);
	assert_string_equal(a.why, "");
	launch_door_let_go(a.fd);
	assert_false(next(pid, &a));
	end_child(pid);
	bad.m.result = -EOPNOTSUPP;
	pid = visitor(1, &bad, sizeof(bad.m) + 6);
	assert_true(next(pid, &a));
	assert_string_equal(a.why, "JDK 8!");
	launch_door_let_go(a.fd);
	end_child(pid);
	m.arg[0]++;
	pid = visitor(1, &m, sizeof(m));
	assert_true(next(pid, &a));
	assert_string_equal(a.why, "its agent is of another version of hotprobe");
	launch_door_let_go(a.fd);
	end_child(pid);
	assert_int_equal(door.strangers, 0);
}

/* Strangers say what they like: none is let in, the first is remembered, all are counted. */
static void door_shows_strangers_out(void **state _unused_)
{
	struct hp_agent_msg m = good(0);
	pid_t stranger = visitor(100, &m, sizeof(m)), ours;
	struct launch_arrival a;
	struct family f;

	ours = visitor(1, &m, sizeof(m));
	assert_int_equal(family_open(&f, ours), 0);
	f.self = ours; /* whose descendant the stranger is not, nor itself */
	assert_false(launch_door_next(&door, &f, &a));
	assert_int_equal(door.n, 0);
	assert_int_equal(door.strangers, 101);
	assert_int_equal(door.stranger, stranger);
	assert_int_equal(door.stranger_uid, getuid());
	end_child(stranger);
	end_child(ours);
}

/* Who says nothing is shown out when its time is up, also when it is one of ours; who says nonsense
 * at once. There are never more than so many, and the door says until when to wait. */
static void door_waits_for_nobody(void **state _unused_)
{
	struct hp_agent_msg m = good(0);
	struct pollfd fds[LAUNCH_FDS_MAX];
	pid_t pid = visitor(LAUNCH_GUESTS_MAX + 20, NULL, 0);
	struct launch_arrival a;

	assert_int_equal(launch_door_timeout_ms(&door), -1);
	assert_false(next(pid, &a));
	assert_int_equal(door.n, LAUNCH_GUESTS_MAX);
	assert_int_equal(launch_door_poll(&door, fds), LAUNCH_FDS_MAX);
	assert_in_range(launch_door_timeout_ms(&door), 1, LAUNCH_GUEST_MS + 1);
	for (size_t i = 0; i < door.n; i++)
		door.guests[i].until_ns = clock_ns();
	assert_int_equal(launch_door_timeout_ms(&door), 0);
	assert_false(next(pid, &a));
	assert_int_equal(door.n, 0);
	end_child(pid);
	m.size++;
	pid = visitor(3, &m, sizeof(m));
	assert_false(next(pid, &a));
	assert_int_equal(door.n, 0);
	end_child(pid);
	pid = visitor(3, &m, sizeof(m) - 1);
	assert_false(next(pid, &a));
	assert_int_equal(door.n, 0);
	end_child(pid);
	assert_int_equal(door.strangers, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(family_keeps_orphans),
		cmocka_unit_test_setup_teardown(door_lets_the_family_in, opened, closed),
		cmocka_unit_test_setup_teardown(door_shows_strangers_out, opened, closed),
		cmocka_unit_test_setup_teardown(door_waits_for_nobody, opened, closed),
	};

	return cmocka_run_group_tests_name("launch", tests, NULL, NULL);
}
