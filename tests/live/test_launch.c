/* SPDX-License-Identifier: MIT */
/*
 * test_launch.c - who comes of a command, and who may speak at the launcher's socket: descendants
 * of the command, orphans among them, and nobody else, however many they are.
 */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <linux/types.h>

#include "jvmagent/wire.h"
#include "launch/launch_door.h"
#include "launch/launch_library.h"

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

/* A command that ends at once and leaves another process, whose PID it says. */
static pid_t leave_orphan(pid_t *left)
{
	pid_t pid;
	char text[32] = "";
	int p[2];

	assert_int_equal(pipe(p), 0);
	pid = fork_child();
	if (!pid) {
		dup2(p[1], 1);
		execlp("sh", "sh", "-c", "sleep 1000 >&- 2>&- & echo $!; wait", NULL);
		_exit(1);
	}
	assert_true(read(p[0], text, sizeof(text) - 1) > 0);
	*left = (pid_t)strtol(text, NULL, 10);
	close(p[0]);
	close(p[1]);
	return pid;
}

/* An orphan of the command comes of it; we do not, nor our parent, our helper, init, who has ended.
 */
static void family_keeps_orphans(void **state _unused_)
{
	struct family f;
	struct kin *kin;
	pid_t command, left, helper = fork_child();
	bool seen = false;
	size_t n;

	if (!helper)
		for (;;)
			pause();
	assert_int_equal(family_adopt(), 0);
	command = leave_orphan(&left);
	assert_int_equal(family_open(&f, command), 0);
	f.since = 0; /* the helper is older, and not counted for another reason */
	assert_true(family_has(&f, command));
	end_child(command);
	assert_true(family_has(&f, left));
	assert_false(family_has(&f, command) || family_has(&f, helper));
	assert_false(family_has(&f, getpid()) || family_has(&f, getppid()) || family_has(&f, 1));
	assert_false(family_has(&f, 0) || family_has(&f, -1));
	assert_int_equal(family_list(&f, &kin, &n), 0);
	for (size_t i = 0; i < n; i++) {
		assert_false(kin[i].pid == getpid() || kin[i].pid == helper);
		seen |= kin[i].pid == left;
	}
	assert_true(seen);
	free(kin);
	f.since = UINT64_MAX; /* a child that we had before does not come of the command */
	assert_false(family_has(&f, left));
	end_child(left);
	end_child(helper);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

/* --- the door --------------------------------------------------------------------------------- */

static int knock(const char *name)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	memcpy(sa.sun_path + 1, name, strlen(name));
	if (connect(fd, (struct sockaddr *)&sa,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name))))
		_exit(1);
	return fd;
}

/* This program as a visitor: what to say is in its standard input, and it says when it has. */
static int visit(const char *name, int n)
{
	char text[4096];
	ssize_t len = read(0, text, sizeof(text));

	for (int i = 0; i < n; i++) {
		int fd = knock(name);

		if (len > 0 && send(fd, text, (size_t)len, MSG_NOSIGNAL) < 0)
			return 1;
	}
	if (write(1, "", 1) != 1)
		return 1;
	for (;;)
		pause();
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
	char number[16], c;
	int in[2], out[2];
	pid_t pid;

	snprintf(number, sizeof(number), "%d", n);
	assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC), 0);
	pid = fork_child();
	if (!pid) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		execl("/proc/self/exe", "visitor", "--visit", door.name, number, NULL);
		_exit(1);
	}
	assert_int_equal(write(in[1], text, text ? len : 0), text ? len : 0);
	close(in[1]);
	assert_int_equal(read(out[0], &c, 1), 1);
	close(in[0]);
	close(out[0]);
	close(out[1]);
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

/* --- the library ------------------------------------------------------------------------------ */

static void make_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, 0644), 0);
}

/* A copy is whole, everybody's to read and nobody's to change, and goes with the last of the
 * command. */
static void library_copy_stays_as_long_as_needed(void **state _unused_)
{
	char dir[] = "/tmp/hotprobe-test-XXXXXX", installed[64], text[8] = "";
	struct launch_library l;
	struct fail f = {0};
	struct family family;
	struct stat st;
	pid_t pid, left;
	FILE *file;

	assert_non_null(mkdtemp(dir));
	snprintf(installed, sizeof(installed), "%s/lib.so", dir);
	make_file(installed, "agent");
	assert_int_equal(launch_library_open(&l, installed, false, &f), 0);
	assert_string_equal(l.path, installed);
	launch_library_close(&l, NULL);
	assert_int_equal(access(installed, F_OK), 0);
	/* The folder is 0700. */
	assert_int_equal(launch_library_open(&l, installed, true, &f), 0);
	assert_string_not_equal(l.path, installed);
	assert_int_equal(stat(l.copy_dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(stat(l.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0555);
	file = fopen(l.path, "re");
	assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	assert_string_equal(text, "agent");
	pid = leave_orphan(&left);
	assert_int_equal(family_open(&family, pid), 0);
	launch_library_close(&l, &family);
	assert_int_equal(access(l.path, F_OK), 0);
	kill(left, SIGKILL);
	end_child(pid);
	launch_library_close(&l, &family);
	assert_int_equal(access(l.path, F_OK), -1);
	unlink(installed);
	rmdir(dir);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(family_keeps_orphans),
		cmocka_unit_test(library_copy_stays_as_long_as_needed),
		cmocka_unit_test_setup_teardown(door_lets_the_family_in, opened, closed),
		cmocka_unit_test_setup_teardown(door_shows_strangers_out, opened, closed),
		cmocka_unit_test_setup_teardown(door_waits_for_nobody, opened, closed),
	};

	if (argc == 4 && !strcmp(argv[1], "--visit"))
		return visit(argv[2], atoi(argv[3]));
	return cmocka_run_group_tests_name("launch", tests, NULL, NULL);
}
