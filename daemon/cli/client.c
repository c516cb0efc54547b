// SPDX-License-Identifier: MIT
/* client.c - a request to an engine, and its lines to their readers. See client.h. */
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/printable.h"
#include "cli/client.h"
#include "cli/signals.h"
#include "engine/engine.h"
#include "proc/threads.h"
#include "proto/conn.h"
#include "proto/reply.h"

/* An engine whose client is gone ends by itself. It is not waited for longer than this. */
#define GONE_MS 1000
/* One that has not ended a request so long after a signal is left to itself. */
#define ENGINE_NS (10 * NSEC_PER_SEC)
/* One that has only waited in the kernel for so long will do so for ever. */
#define STUCK_NS NSEC_PER_SEC

struct client {
	const struct options *opt;
	struct output *out;
	struct conn conn;
	pid_t engine;
	bool attached, ending, settled, done, stopping, held;
	bool given_up;
	enum status status;
	uint64_t stuck_ns; /* since when the engine is seen to wait; 0: it does not */
};

static void say_error(struct output *out, const char *what)
{
	struct buf b = {0};

	buf_str(&b, "hotprobe: error: ");
	printable_message(&b, what);
	output_message(out, b.data, b.len);
	buf_fini(&b);
}

static void write_note(struct client *c, const struct reply *r)
{
	static const char *const marks[] = {
		[LOG_LVL_ERR] = "error: ",
		[LOG_LVL_WARN] = "warning: ",
		[LOG_LVL_INFO] = "",
		[LOG_LVL_DEBUG] = "",
	};
	struct buf b = {0};

	if ((c->opt->quiet && r->level != LOG_LVL_ERR) ||
	    (r->level == LOG_LVL_DEBUG && !c->opt->req.verbose))
		return;
	buf_printf(&b, "hotprobe: %s", marks[r->level]);
	printable_message(&b, r->note);
	output_message(c->out, b.data, b.len);
	buf_fini(&b);
}

static void send_request(struct client *c, const struct request *req)
{
	json_t *json;

	if (!request_encode(req, &json, NULL))
		conn_send(&c->conn, json);
	conn_flush(&c->conn);
}

static void send_short(struct client *c, enum request_kind kind)
{
	struct request r;

	request_init(&r, kind);
	send_request(c, &r);
}

static void send_lost(struct client *c, uint64_t count)
{
	struct request r;

	request_init(&r, REQUEST_LOST);
	r.lost.count = count;
	send_request(c, &r);
}

static void take_line(struct client *c, const char *line, size_t len)
{
	struct reply r;

	if (reply_decode(line, len, &r)) {
		say_error(c->out, "the engine sent a line that cannot be read");
		return;
	}
	switch (r.kind) {
	case REPLY_DATA:
		output_data(c->out, r.text, r.len);
		break;
	case REPLY_MESSAGE:
		if (!c->opt->quiet)
			output_message(c->out, r.text, r.len);
		break;
	case REPLY_NOTE:
		write_note(c, &r);
		break;
	case REPLY_ATTACHED:
		c->attached = true;
		break;
	case REPLY_ENDING:
		c->ending = true;
		break;
	case REPLY_DONE:
		c->status = r.status;
		c->done = true;
	}
}

/* --- a request -------------------------------------------------------------------------------- */

static int open_engine(struct client *c, json_t *req, struct fail *f)
{
	int fd = -1, err;

	c->engine = engine_start(&fd);
	if (c->engine < 0)
		return fail_set(f, c->engine, "cannot start the engine: %s", strerror(-c->engine));
	conn_init(&c->conn, fd);
	err = conn_send(&c->conn, json_incref(req));
	conn_flush(&c->conn); /* what it does not take now, client_read() finds to be gone */
	return err;
}

static struct client *start(const struct options *opt, const struct request *req,
			    struct output *out, struct fail *f)
{
	struct client *c = calloc(1, sizeof(*c));
	json_t *json = NULL;
	int err = c ? request_encode(req, &json, f) : fail_set(f, -ENOMEM, "out of memory");

	if (!err) {
		*c = (struct client){.opt = opt, .out = out, .status = STATUS_FAILED};
		err = open_engine(c, json, f);
	}
	json_decref(json);
	if (!err)
		return c;
	free(c);
	return NULL;
}

struct client *client_start(const struct options *opt, const struct request *req,
			    struct output *out, enum status *status)
{
	struct fail f = {0};
	struct client *c = start(opt, req, out, &f);

	if (!c) {
		say_error(out, f.text);
		*status = f.err == -EINVAL ? STATUS_USAGE : STATUS_FAILED;
	}
	return c;
}

int client_fd(const struct client *c)
{
	return c->conn.fd;
}

pid_t client_engine(const struct client *c)
{
	return c->engine;
}

bool client_attached(const struct client *c)
{
	return c->attached;
}

bool client_read(struct client *c)
{
	const char *line;
	size_t len;

	if (conn_fill(&c->conn) < 0)
		return false;
	while (conn_line(&c->conn, &line, &len))
		take_line(c, line, len);
	return !c->done && !c->conn.eof;
}

/* Those that take their time by themselves are not meant: uprobes go when all CPUs know of it. */
static bool reads(long nr)
{
	static const int calls[] = {SYS_process_vm_readv, SYS_read,	  SYS_pread64,
				    SYS_openat,		  SYS_newfstatat, SYS_statx,
				    SYS_readlink,	  SYS_readlinkat, SYS_getdents64};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (nr == calls[i])
			return true;
	return false;
}

/*
 * Memory or files of a target that some file system of its own, or userfaultfd, has to provide: the
 * engine waits for them for ever, in state D, and only a signal that kills ends that.
 */
static bool is_stuck(struct client *c)
{
	struct thread_info t;
	bool waits = !c->attached && !thread_read(c->engine, c->engine, &t) && t.state == 'D' &&
		     t.blocked && reads(t.nr);

	c->stuck_ns = !waits ? 0 : c->stuck_ns ? c->stuck_ns : clock_ns();
	return waits && clock_ns() - c->stuck_ns >= STUCK_NS;
}

bool client_work(struct client *c)
{
	bool slow = output_slow(c->out);

	if (slow != c->held)
		send_short(c, slow ? REQUEST_HOLD : REQUEST_GO);
	c->held = slow;
	if (c->ending && !c->settled && output_settled(c->out)) {
		c->settled = true;
		send_lost(c, output_unwritten(c->out));
	}
	c->given_up =
		output_hurried(c->out, ENGINE_NS) || (output_hurried(c->out, 0) && is_stuck(c));
	return !c->given_up;
}

bool client_ending(const struct client *c)
{
	return c->ending;
}

void client_stop(struct client *c)
{
	if (c->stopping)
		return;
	c->stopping = true;
	send_short(c, REQUEST_STOP);
}

/* Return: did it end in time? */
static bool wait_engine(const struct client *c, int *wstatus)
{
	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, c->engine, 0);
	struct pollfd p = {.fd = fd, .events = POLLIN};

	if (fd >= 0 && poll(&p, 1, c->given_up ? 0 : GONE_MS) == 0)
		return false;
	waitpid(c->engine, wstatus, 0);
	return true;
}

static void say_unexpected(const struct client *c, int wstatus)
{
	bool signalled = WIFSIGNALED(wstatus);

	output_say(c->out,
		   "error: the engine ended unexpectedly (%s %d): run `hotprobe clean -p PID` on "
		   "the target",
		   signalled ? "signal" : "status",
		   signalled ? WTERMSIG(wstatus) : WEXITSTATUS(wstatus));
}

enum status client_end(struct client *c)
{
	enum status status = c->status;
	int wstatus = 0;
	bool ended;

	conn_fini(&c->conn);
	ended = wait_engine(c, &wstatus);
	if (!c->done && ended)
		say_unexpected(c, wstatus);
	else if (!c->done && c->stuck_ns && !kill(c->engine, SIGKILL))
		output_say(c->out,
			   "error: the target's memory or files do not answer (a file system "
			   "that hangs?): given up; when they do again, `hotprobe clean -p PID` "
			   "takes out what may be left");
	else if (!c->done)
		output_say(c->out,
			   "error: the engine (PID %d) is still at work: it takes the probes off "
			   "and ends when it has done that",
			   c->engine);
	free(c);
	return status;
}

/* --- one request, to its end ------------------------------------------------------------------ */

static void on_signal(struct client *c, int signal_fd)
{
	struct signalfd_siginfo info;

	if (read(signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP && output_hangup(c->out))
		return;
	client_stop(c);
	output_hurry(c->out);
}

/* The reader of our output may go away, or read nothing: what comes still must neither kill nor
 * hold us before all is detached. */
static void serve(struct client *c, int signal_fd)
{
	struct pollfd fds[2 + OUTPUT_FDS] = {{.fd = client_fd(c), .events = POLLIN},
					     {.fd = signal_fd, .events = POLLIN}};
	bool open = true;

	while (open) {
		output_poll(c->out, fds + 2);
		if (poll(fds, ARRAY_SIZE(fds), output_timeout_ms(c->out, c->ending)) < 0)
			continue;
		if (fds[1].revents)
			on_signal(c, signal_fd);
		if (fds[0].revents & (POLLIN | POLLHUP))
			open = client_read(c);
		if (!output_work(c->out))
			client_stop(c);
		open = client_work(c) && open;
	}
}

enum status client_run(struct options *opt)
{
	int signal_fd = signals_open(0), err;
	enum status status;
	struct output out;
	struct client *c;

	err = output_open(&out, opt, signal_fd);
	if (err)
		return err == -EINTR ? STATUS_OK : STATUS_FAILED;
	opt->req.output = output_request(&out, opt);
	c = client_start(opt, &opt->req, &out, &status);
	if (c) {
		serve(c, signal_fd);
		status = client_end(c);
	}
	err = output_close(&out);
	close(signal_fd);
	return err ? STATUS_FAILED : status;
}
