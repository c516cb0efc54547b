/* SPDX-License-Identifier: MIT */
/*
 * test_sink.c - one listener of the agent's events, and the sockets and descriptors it stands on:
 * whole lines, losses told where they happened, nobody waits.
 */
#include <fcntl.h>
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

#include "jvmagent/fds.h"
#include "jvmagent/sink.h"
#include "jvmagent/sockets.h"
#include "jvmagent/wire.h"
#include "base/util.h"

static int pair[2]; /* [0] the sink's, [1] the reader's */

static void sink_with_reader(struct sink *s)
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(sink_open(s, fd_own(pair[0]), false), 0);
}

/* All that can be read now. */
static size_t read_now(char *buf, size_t len)
{
	size_t n = 0;
	ssize_t got;

	while ((got = recv(pair[1], buf + n, len - n - 1, MSG_DONTWAIT)) > 0)
		n += (size_t)got;
	buf[n] = 0;
	return n;
}

/* Lines that were put are written at the next flush. */
static void sink_put_flush(void **state _unused_)
{
	struct sink s;
	char buf[64];

	sink_with_reader(&s);
	sink_put(&s, "one\n", 4);
	sink_put(&s, "two\n", 4);
	assert_false(sink_is_empty(&s));
	assert_int_equal(sink_flush(&s), 0);
	assert_true(sink_is_empty(&s));
	read_now(buf, sizeof(buf));
	assert_string_equal(buf, "one\ntwo\n");
	sink_close(&s);
	assert_int_equal(recv(pair[1], buf, 1, 0), 0);
	close(pair[1]);
}

/* A reader that does not read loses lines, learns how many at the place, and then goes on. */
static void sink_put_slow_reader(void **state _unused_)
{
	_cleanup_free_ char *buf = malloc(8 << 20);
	uint64_t put = 0, got = 0, told = 0;
	struct sink s;
	char line[1024];

	sink_with_reader(&s);
	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	while (s.dropped < 100 && ++put)
		sink_put(&s, line, sizeof(line));
	assert_in_range(put, 200, 4096);
	read_now(buf, 8 << 20);
	assert_int_equal(sink_flush(&s), 0);
	sink_put(&s, line, sizeof(line));
	assert_int_equal(sink_flush(&s), 0);
	read_now(buf + strlen(buf), 4 << 20);
	for (char *save = NULL, *l = strtok_r(buf, "\n", &save); l;
	     l = strtok_r(NULL, "\n", &save)) {
		const char *count = strstr(l, "\"count\":");

		if (count)
			told += strtoull(count + 8, NULL, 10);
		else
			assert_int_equal(strlen(l), sizeof(line) - 1);
		got += !count;
	}
	assert_int_equal(told, 100);
	assert_int_equal(got + told, put + 1);
	sink_close(&s);
	close(pair[1]);
}

/* A reader that is gone is an error of the flush, and never a SIGPIPE. */
static void sink_flush_gone(void **state _unused_)
{
	struct sink s;

	sink_with_reader(&s);
	close(pair[1]);
	sink_put(&s, "one\n", 4);
	assert_int_equal(sink_flush(&s), -EPIPE);
	sink_close(&s);
	sink_put(&s, "two\n", 4);
	assert_int_equal(sink_flush(&s), 0);
	assert_true(sink_is_empty(&s));
}

/* A full disk loses lines, not the file: what waits is written when there is room. */
static void sink_flush_full_disk(void **state _unused_)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC), fds[2];
	struct sink s;
	char buf[16] = "";

	assert_true(full >= 0);
	assert_int_equal(sink_open(&s, fd_own(full), true), 0);
	sink_put(&s, "one\n", 4);
	assert_int_equal(sink_flush(&s), 0);
	assert_false(sink_is_empty(&s));
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(dup3(fds[1], full, O_CLOEXEC), full);
	assert_int_equal(sink_flush(&s), 0);
	assert_true(sink_is_empty(&s));
	assert_int_equal(read(fds[0], buf, sizeof(buf)), 4);
	assert_string_equal(buf, "one\n");
	sink_close(&s);
	close(fds[0]);
	close(fds[1]);
}

/* The longest line fits even when another one waits. */
static void sink_room_longest_line(void **state _unused_)
{
	struct sink s;

	sink_with_reader(&s);
	assert_true(sink_room(&s, LINE_MAX_BYTES));
	sink_put(&s, "one\n", 4);
	assert_true(sink_room(&s, LINE_MAX_BYTES));
	sink_close(&s);
	close(pair[1]);
}

static int listen_here(int type)
{
	int fd = socket_listen(type, ".unit", "no thread of us");

	assert_true(fd >= 0);
	return fd;
}

static char *unit_name(void)
{
	static char name[64];

	snprintf(name, sizeof(name), "hotprobe.%d.unit", getpid());
	return name;
}

/* @fd must be bound to unit_name() and @suffix. */
static void check_address(int fd, const char *suffix)
{
	struct sockaddr_un sa;
	socklen_t len = sizeof(sa);
	char want[80];

	snprintf(want, sizeof(want), "%s%s", unit_name(), suffix);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	assert_int_equal(len, sizeof(sa_family_t) + 1 + strlen(want));
	assert_memory_equal(sa.sun_path + 1, want, strlen(want));
}

/* The process that has the first @n of the unit's names: it waits to be killed. */
static pid_t squatter_start(int n)
{
	const char *name = unit_name();
	int status;
	pid_t child;

	child = fork();
	if (!child) {
		for (int i = 0; i < n; i++) {
			struct sockaddr_un sa = {.sun_family = AF_UNIX};
			int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
			int len = snprintf(sa.sun_path + 1, sizeof(sa.sun_path) - 1,
					   i ? "%s.%d" : "%s", name, i);

			if (bind(fd, (struct sockaddr *)&sa,
				 (socklen_t)(sizeof(sa_family_t) + 1 + (size_t)len)) ||
			    listen(fd, 1))
				_exit(1);
		}
		raise(SIGSTOP);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, WUNTRACED), child);
	assert_true(WIFSTOPPED(status));
	return child;
}

/* Who connects to the name of wire.h is accepted; with nobody there accept does not wait. */
static void socket_listen_connect_accept(void **state _unused_)
{
	int l = listen_here(SOCK_SEQPACKET), c, a;

	assert_int_equal(socket_accept(l), -EAGAIN);
	c = socket_connect(SOCK_SEQPACKET, unit_name());
	assert_true(c >= 0);
	a = socket_accept(l);
	assert_true(a >= 0);
	assert_int_equal(send(c, "x", 1, 0), 1);
	assert_int_equal(fcntl(a, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(l, F_GETFD), FD_CLOEXEC);
	fd_close(a);
	fd_close(c);
	fd_close(l);
	assert_int_equal(socket_connect(SOCK_SEQPACKET, unit_name()), -ECONNREFUSED);
}

/*
 * A second agent in the same process sees the first, by its thread. A name that somebody else has
 * is passed over; when all are taken, there is one that nobody could take before.
 */
static void socket_listen_taken(void **state _unused_)
{
	int l = listen_here(SOCK_STREAM), status;
	struct sockaddr_un sa;
	socklen_t len = sizeof(sa);
	char thread[16] = "";
	pid_t child;

	assert_int_equal(prctl(PR_GET_NAME, thread), 0);
	assert_int_equal(socket_listen(SOCK_STREAM, ".unit", thread), -EALREADY);
	fd_close(l);
	for (int n = 1; n <= HP_AGENT_NAMES_MAX; n += HP_AGENT_NAMES_MAX - 1) {
		child = squatter_start(n);
		l = listen_here(SOCK_STREAM);
		if (n == 1)
			check_address(l, ".1");
		assert_int_equal(getsockname(l, (struct sockaddr *)&sa, &len), 0);
		if (n > 1)
			assert_int_equal(len, sizeof(sa_family_t) + 1 + strlen(unit_name()) + 17);
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
		fd_close(l);
	}
}

/* Of a forked child nothing of ours is open: it cannot answer as if it were its parent. */
static void fds_closed_in_forked_child(void **state _unused_)
{
	int own = fd_own(dup(0)), other = dup(0), status;
	pid_t child;

	assert_int_equal(fds_prepare(), 0);
	assert_false(fds_forked());
	child = fork();
	if (!child)
		_exit(!(fds_forked() && fcntl(own, F_GETFD) < 0 && fcntl(other, F_GETFD) >= 0));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(fcntl(own, F_GETFD) >= 0);
	fd_close(own);
	assert_int_equal(fcntl(own, F_GETFD), -1);
	close(other);
}

/* More descriptors than there are places for are closed, not lost. */
static void fd_own_too_many(void **state _unused_)
{
	int fds[64], n = 0;

	while (n < 64 && (fds[n] = fd_own(dup(0))) >= 0)
		n++;
	assert_in_range(n, 8, 63);
	assert_int_equal(fds[n], -EMFILE);
	while (n--)
		fd_close(fds[n]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sink_put_flush),
		cmocka_unit_test(sink_put_slow_reader),
		cmocka_unit_test(sink_flush_gone),
		cmocka_unit_test(sink_flush_full_disk),
		cmocka_unit_test(sink_room_longest_line),
		cmocka_unit_test(socket_listen_connect_accept),
		cmocka_unit_test(socket_listen_taken),
		cmocka_unit_test(fds_closed_in_forked_child),
		cmocka_unit_test(fd_own_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
