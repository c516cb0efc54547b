// SPDX-License-Identifier: MIT
/* test_conn.c - JSON lines over a socket, with hostile other ends. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/socket.h>

#include "proto/conn.h"

#define NUMBER_LINE 20 /* bytes of {"number":10000000} and its newline */

struct pair {
	struct conn c;
	int other;
};

static int pair_open(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));
	int sv[2];

	if (!p || socketpair(AF_UNIX, SOCK_STREAM, 0, sv))
		return -1;
	conn_init(&p->c, sv[0]);
	p->other = sv[1];
	*state = p;
	return 0;
}

static int pair_close(void **state)
{
	struct pair *p = *state;

	conn_fini(&p->c);
	if (p->other >= 0)
		close(p->other);
	free(p);
	return 0;
}

static void feed(struct pair *p, const char *text)
{
	assert_int_equal(write(p->other, text, strlen(text)), strlen(text));
}

/* Lines come out one by one, however they were cut on the way. */
static void conn_line_joins_pieces(void **state)
{
	struct pair *p = *state;
	const char *line;
	size_t len;

	feed(p, "{\"a\":1}\n{\"b\"");
	assert_int_equal(conn_fill(&p->c), 0);
	assert_true(conn_line(&p->c, &line, &len));
	assert_int_equal(len, 7);
	assert_memory_equal(line, "{\"a\":1}", 7);
	assert_false(conn_line(&p->c, &line, &len));
	feed(p, ":2}\n\n");
	assert_int_equal(conn_fill(&p->c), 0);
	assert_true(conn_line(&p->c, &line, &len));
	assert_memory_equal(line, "{\"b\":2}", 7);
	assert_true(conn_line(&p->c, &line, &len));
	assert_int_equal(len, 0);
	assert_false(conn_line(&p->c, &line, &len));
}

/* A line that never ends is refused before it eats the memory. */
static void conn_fill_refuses_endless_line(void **state)
{
	struct pair *p = *state;
	static char chunk[32768];
	const char *line;
	size_t len, sent = 0;
	int err = 0;

	memset(chunk, 'x', sizeof(chunk));
	while (err >= 0 && sent < 4 * (size_t)CONN_LINE_MAX) {
		ssize_t n = send(p->other, chunk, sizeof(chunk), MSG_DONTWAIT);

		sent += n > 0 ? (size_t)n : 0;
		err = conn_fill(&p->c);
		assert_false(conn_line(&p->c, &line, &len));
	}
	assert_int_equal(err, -EPROTO);
}

/* The end of the stream is told, after what came before it. */
static void conn_fill_tells_end(void **state)
{
	struct pair *p = *state;
	const char *line;
	size_t len;

	feed(p, "x\n");
	close(p->other);
	p->other = -1;
	while (!p->c.eof)
		assert_true(conn_fill(&p->c) >= 0);
	assert_true(conn_line(&p->c, &line, &len));
}

/* What a slow reader has not taken is kept, whole and in order. */
static void conn_flush_keeps_what_does_not_fit(void **state)
{
	struct pair *p = *state;
	size_t got = 0, want = 0;
	char buf[65536];

	for (int i = 0; i < 20000; i++) {
		assert_int_equal(conn_send(&p->c, json_pack("{s:i}", "number", 10000000 + i)), 0);
		want += NUMBER_LINE;
	}
	assert_int_equal(conn_flush(&p->c), 0);
	assert_true(conn_pending(&p->c) > 0);
	for (int line = 0; got < want;) {
		ssize_t n = recv(p->other, buf, NUMBER_LINE * 1000, MSG_DONTWAIT | MSG_PEEK);
		char expect[64];

		assert_true(n >= 0 || errno == EAGAIN);
		for (ssize_t at = 0; at + NUMBER_LINE <= n; at += NUMBER_LINE, got += NUMBER_LINE) {
			snprintf(expect, sizeof(expect), "{\"number\":%d}\n", 10000000 + line++);
			assert_memory_equal(buf + at, expect, NUMBER_LINE);
			assert_int_equal(recv(p->other, expect, NUMBER_LINE, MSG_WAITALL),
					 NUMBER_LINE);
		}
		assert_int_equal(conn_flush(&p->c), 0);
	}
	assert_int_equal(conn_pending(&p->c), 0);
}

/* What was never opened has nothing to be closed: not even descriptor 0. */
static void conn_fini_of_nothing(void **state _unused_)
{
	struct conn c = {0};
	int before = fcntl(0, F_GETFD);

	conn_fini(&c);
	assert_int_equal(fcntl(0, F_GETFD), before);
}

/* Writing to an end that is gone is an error, not a signal. */
static void conn_flush_survives_gone_reader(void **state)
{
	struct pair *p = *state;

	close(p->other);
	p->other = -1;
	assert_int_equal(conn_send(&p->c, json_pack("{s:i}", "a", 1)), 0);
	assert_true(conn_flush(&p->c) < 0);
}

/* A stream that something is missing of is not sent on as if it were whole. */
static void conn_flush_refuses_a_stream_with_a_hole(void **state)
{
	struct pair *p = *state;

	assert_int_equal(conn_send(&p->c, json_pack("{s:i}", "a", 1)), 0);
	assert_null(buf_reserve(&p->c.out, BUF_MAX));
	assert_int_equal(conn_flush(&p->c), -ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conn_fini_of_nothing),
		cmocka_unit_test_setup_teardown(conn_flush_refuses_a_stream_with_a_hole, pair_open,
						pair_close),
		cmocka_unit_test_setup_teardown(conn_line_joins_pieces, pair_open, pair_close),
		cmocka_unit_test_setup_teardown(conn_fill_refuses_endless_line, pair_open,
						pair_close),
		cmocka_unit_test_setup_teardown(conn_fill_tells_end, pair_open, pair_close),
		cmocka_unit_test_setup_teardown(conn_flush_keeps_what_does_not_fit, pair_open,
						pair_close),
		cmocka_unit_test_setup_teardown(conn_flush_survives_gone_reader, pair_open,
						pair_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
