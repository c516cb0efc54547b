// SPDX-License-Identifier: MIT
/* test_writer.c - a process that writes for us, and readers and files that will not have it. */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "cli/writer.h"

#define PATIENCE_NS (30 * NSEC_PER_SEC)
#define LINE_MAX_   64

struct fixture {
	int pipe[2];
	char dir[32], path[64];
	struct writer *w;
	struct writer_state st;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	signal(SIGPIPE, SIG_IGN);
	strcpy(f->dir, "/tmp/hp-writer-XXXXXX");
	if (!f || pipe2(f->pipe, O_CLOEXEC) || !mkdtemp(f->dir))
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/out", f->dir);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char old[72];

	writer_end(f->w);
	close(f->pipe[0]);
	close(f->pipe[1]);
	snprintf(old, sizeof(old), "%s.1", f->path);
	unlink(old);
	unlink(f->path);
	rmdir(f->dir);
	free(f);
	return 0;
}

static void start_pipe(struct fixture *f)
{
	f->w = writer_start(&(struct writer_options){.fd = f->pipe[1]});
	assert_non_null(f->w);
}

static void start_file(struct fixture *f)
{
	f->w = writer_start(&(struct writer_options){.path = f->path, .fd = -1, .waits = true});
	assert_non_null(f->w);
}

/* Wait for news, for at most @ms. */
static void wait_news(struct fixture *f, int ms)
{
	struct pollfd p = {.fd = writer_fd(f->w), .events = POLLIN};

	poll(&p, 1, ms);
	writer_news(f->w, &f->st);
}

#define AWAIT(f, condition)                                                                        \
	do {                                                                                       \
		uint64_t until_ns_ = clock_ns() + PATIENCE_NS;                                     \
                                                                                                   \
		writer_news((f)->w, &(f)->st);                                                     \
		while (!(condition)) {                                                             \
			assert_true(clock_ns() < until_ns_);                                       \
			wait_news(f, 20);                                                          \
		}                                                                                  \
	} while (0)

static size_t line_text(char buf[static LINE_MAX_], unsigned int n)
{
	return (size_t)snprintf(buf, LINE_MAX_, "line %u%.*s", n, (int)(n % 40),
				"........................................");
}

static bool put(struct fixture *f, unsigned int n)
{
	char text[LINE_MAX_];

	return writer_put(f->w, text, line_text(text, n));
}

/* Lines from number @n on, to the end. Return: the number behind the last one. */
static unsigned int check_lines(FILE *in, unsigned int n)
{
	char want[LINE_MAX_ + 1], got[LINE_MAX_ + 1];

	while (fgets(got, sizeof(got), in)) {
		size_t len = line_text(want, n++);

		want[len] = '\n';
		want[len + 1] = '\0';
		assert_string_equal(got, want);
	}
	return n;
}

static unsigned int check_file(const char *path, unsigned int n)
{
	_cleanup_fclose_ FILE *in = fopen(path, "re");

	assert_non_null(in);
	return check_lines(in, n);
}

/* Several times what may wait: every line comes, whole and in order, and its end is known. */
static void writer_writes_everything(void **state)
{
	struct fixture *f = *state;
	unsigned int n = 0;

	start_file(f);
	while (n < 400000) {
		if (put(f, n)) {
			n++;
			continue;
		}
		writer_flush(f->w);
		writer_expect(f->w, WRITER_BYTES / 2);
		wait_news(f, 1000);
	}
	writer_flush(f->w);
	writer_expect(f->w, 0);
	AWAIT(f, !writer_pending(f->w));
	writer_finish(f->w);
	AWAIT(f, f->st.ended);
	assert_int_equal(f->st.err, 0);
	assert_int_equal(writer_end(take_ptr(f->w)), 0);
	assert_int_equal(check_file(f->path, 0), n);
}

/* Fill up what a reader that does not read has before it. Return: how many lines were put. */
static unsigned int put_all(struct fixture *f)
{
	unsigned int n = 0;

	while (put(f, n))
		n++;
	writer_flush(f->w);
	return n;
}

/*
 * A reader that does not read: we are not held up, what is given up is counted, and what comes
 * behind it arrives, once it reads again. Nothing is cut.
 */
static void writer_stuck_reader(void **state)
{
	struct fixture *f = *state;
	unsigned int all, lost, read_;
	uint64_t done;
	FILE *in;

	start_pipe(f);
	all = put_all(f);
	AWAIT(f, writer_done(f->w) > 0);
	do {
		done = writer_done(f->w);
		wait_news(f, 100);
	} while (writer_done(f->w) != done);
	lost = (unsigned int)writer_discard(f->w);
	assert_int_equal(writer_discard(f->w), 0);
	assert_in_range(lost, 1, all - 1);
	assert_true(writer_put(f->w, "last", 4));
	writer_flush(f->w);
	in = fdopen(dup(f->pipe[0]), "re");
	assert_non_null(in);
	for (read_ = 0; read_ < all - lost; read_++) {
		char want[LINE_MAX_ + 1], got[LINE_MAX_ + 1];

		want[line_text(want, read_)] = '\0';
		assert_non_null(fgets(got, sizeof(got), in));
		got[strcspn(got, "\n")] = '\0';
		assert_string_equal(got, want);
	}
	{
		char got[LINE_MAX_ + 1];

		assert_non_null(fgets(got, sizeof(got), in));
		assert_string_equal(got, "last\n");
	}
	fclose(in);
}

/* One that is given up altogether is dead at once, and what it was writing is counted, too. */
static void writer_end_of_stuck(void **state)
{
	struct fixture *f = *state;
	unsigned int all, lost;
	FILE *in;

	start_pipe(f);
	all = put_all(f);
	AWAIT(f, writer_done(f->w) > 0);
	lost = (unsigned int)writer_end(take_ptr(f->w));
	assert_in_range(lost, 1, all - 1);
	close(f->pipe[1]);
	f->pipe[1] = -1;
	in = fdopen(dup(f->pipe[0]), "re"); /* its end comes: nobody holds the other one */
	assert_int_equal(check_lines(in, 0), all - lost);
	fclose(in);
}

/* A FIFO that nobody reads is not waited for. */
static void writer_hanging_open(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkfifo(f->path, 0600), 0);
	start_file(f);
	wait_news(f, 100);
	assert_false(f->st.opened);
	assert_true(put(f, 0));
	assert_int_equal(writer_end(take_ptr(f->w)), 1);
}

/* What cannot be opened is said, and so is a reader that goes away. */
static void writer_errors(void **state)
{
	struct fixture *f = *state;

	f->w = writer_start(&(struct writer_options){.path = f->dir, .fd = -1});
	AWAIT(f, f->st.ended);
	assert_false(f->st.opened);
	assert_int_equal(f->st.err, EISDIR);
	writer_end(take_ptr(f->w));
	start_pipe(f);
	close(f->pipe[0]);
	f->pipe[0] = -1;
	AWAIT(f, f->st.opened);
	assert_true(put(f, 0));
	writer_flush(f->w);
	AWAIT(f, f->st.ended);
	assert_int_equal(f->st.err, EPIPE);
}

/* A file is renamed and opened anew: no line is lost between the two, or split. */
static void writer_reopens(void **state)
{
	struct fixture *f = *state;
	unsigned int n = 0, first;
	struct stat st;
	char old[72];

	snprintf(old, sizeof(old), "%s.1", f->path);
	start_file(f);
	AWAIT(f, f->st.opened);
	for (; n < 10000; n++)
		assert_true(put(f, n));
	writer_flush(f->w);
	assert_int_equal(rename(f->path, old), 0);
	writer_reopen(f->w);
	for (; n < 20000; n++)
		assert_true(put(f, n));
	writer_flush(f->w);
	AWAIT(f, f->st.reopened == 1 && !writer_pending(f->w));
	assert_int_equal(f->st.reopen_err, 0);
	first = check_file(old, 0);
	assert_int_equal(check_file(f->path, first), n);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* Where it cannot be, the open one is written on. */
	unlink(old);
	assert_int_equal(rename(f->path, old), 0);
	assert_int_equal(mkdir(f->path, 0700), 0);
	writer_reopen(f->w);
	AWAIT(f, f->st.reopened == 2);
	assert_int_equal(f->st.reopen_err, EISDIR);
	assert_true(put(f, n++));
	writer_flush(f->w);
	AWAIT(f, !writer_pending(f->w));
	assert_int_equal(check_file(old, first), n);
	rmdir(f->path);
}

/* A file that may grow no further ends with a whole line; with room again it goes on with the next.
 */
static void writer_full_disk(void **state)
{
	struct fixture *f = *state;
	struct rlimit before, limit;
	unsigned int n = 0, in_file;
	struct stat st;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 10007;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	start_file(f); /* which the limit does not keep from having memory */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	AWAIT(f, f->st.opened);
	for (; n < 600; n++)
		assert_true(put(f, n));
	writer_flush(f->w);
	AWAIT(f, f->st.full);
	assert_true(writer_pending(f->w) > 0);
	in_file = check_file(f->path, 0);
	assert_in_range(in_file, 1, n - 1);
	assert_int_equal(stat(f->path, &st), 0);
	assert_in_range(st.st_size, 10007 - LINE_MAX_, 10007);
	assert_int_equal(truncate(f->path, 0), 0);
	AWAIT(f, !f->st.full);
	check_file(f->path, in_file);
}

/* When its client is killed it ends too, though its reader reads nothing. */
static void writer_ends_with_client(void **state)
{
	struct fixture *f = *state;
	struct pollfd p = {.fd = f->pipe[0], .events = POLLIN};
	char buf[4096];
	int status;
	pid_t client = fork();

	if (client == 0) {
		start_pipe(f);
		put_all(f);
		pause();
		_exit(0);
	}
	close(f->pipe[1]);
	f->pipe[1] = -1;
	assert_int_equal(poll(&p, 1, 30000), 1);
	kill(client, SIGKILL);
	assert_int_equal(waitpid(client, &status, 0), client);
	p.events = 0; /* until nobody holds the other end */
	assert_int_equal(poll(&p, 1, 30000), 1);
	while (read(f->pipe[0], buf, sizeof(buf)) > 0)
		;
}

#define writer_test(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		writer_test(writer_writes_everything),
		writer_test(writer_stuck_reader),
		writer_test(writer_end_of_stuck),
		writer_test(writer_hanging_open),
		writer_test(writer_errors),
		writer_test(writer_reopens),
		writer_test(writer_full_disk),
		writer_test(writer_ends_with_client),
	};

	return cmocka_run_group_tests_name("writer", tests, NULL, NULL);
}
