// SPDX-License-Identifier: MIT
/* client.c - a request to an engine, and its lines to their readers. See client.h. */
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "base/printable.h"
#include "cli/client.h"
#include "cli/signals.h"
#include "engine/engine.h"
#include "proto/conn.h"
#include "proto/reply.h"

struct client {
	const struct options *opt;
	struct output *out;
	struct conn conn;
	pid_t engine;
	bool attached, done, stopping;
	enum status status;
};

static void say_error(const char *what)
{
	struct buf b = {0};

	printable_message(&b, what);
	fprintf(stderr, "hotprobe: error: %.*s\n", (int)b.len, b.data);
	buf_fini(&b);
}

/* Keep the order that a person sees on a terminal. */
static void write_message(struct client *c, const char *text, size_t len)
{
	fflush(c->out->file);
	fwrite(text, 1, len, stderr);
	fputc('\n', stderr);
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
	write_message(c, b.data, b.len);
	buf_fini(&b);
}

static void send_request(struct client *c, const struct request *req)
{
	json_t *json;

	if (!request_encode(req, &json, NULL))
		conn_send(&c->conn, json);
	conn_flush(&c->conn);
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
		say_error("the engine sent a line that cannot be read");
		return;
	}
	switch (r.kind) {
	case REPLY_DATA:
		fwrite(r.text, 1, r.len, c->out->file);
		putc('\n', c->out->file);
		break;
	case REPLY_MESSAGE:
		if (!c->opt->quiet)
			write_message(c, r.text, r.len);
		break;
	case REPLY_NOTE:
		write_note(c, &r);
		break;
	case REPLY_ATTACHED:
		c->attached = true;
		break;
	case REPLY_ENDING:
		send_lost(c, 0);
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
		say_error(f.text);
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

void client_stop(struct client *c)
{
	struct request stop;

	if (c->stopping)
		return;
	c->stopping = true;
	request_init(&stop, REQUEST_STOP);
	send_request(c, &stop);
}

enum status client_end(struct client *c)
{
	enum status status = c->status;
	int wstatus = 0;

	conn_fini(&c->conn);
	waitpid(c->engine, &wstatus, 0);
	if (!c->done)
		fprintf(stderr,
			"hotprobe: error: the engine ended unexpectedly (%s %d): run "
			"`hotprobe clean -p PID` on the target\n",
			WIFSIGNALED(wstatus) ? "signal" : "status",
			WIFSIGNALED(wstatus) ? WTERMSIG(wstatus) : WEXITSTATUS(wstatus));
	free(c);
	return status;
}

/* --- one request, to its end ------------------------------------------------------------------ */

/* The reader of our output may go away: what comes still must not kill us before all is detached.
 */
static void serve(struct client *c, int signal_fd)
{
	struct pollfd fds[] = {{.fd = client_fd(c), .events = POLLIN},
			       {.fd = signal_fd, .events = POLLIN}};
	struct signalfd_siginfo info;
	bool open = true;

	while (open) {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			return;
		if (fds[1].revents & POLLIN && read(signal_fd, &info, sizeof(info)) == sizeof(info))
			client_stop(c);
		if (fds[0].revents & (POLLIN | POLLHUP))
			open = client_read(c);
		if (!output_flush(c->out))
			client_stop(c);
	}
}

enum status client_run(struct options *opt)
{
	struct output out;
	struct client *c;
	enum status status;
	int signal_fd;

	if (output_open(&out, opt))
		return STATUS_FAILED;
	opt->req.output = output_request(&out, opt);
	c = client_start(opt, &opt->req, &out, &status);
	if (!c)
		return status;
	signal_fd = signals_open(0);
	serve(c, signal_fd);
	close(signal_fd);
	if (output_close(&out)) {
		client_end(c);
		return STATUS_FAILED;
	}
	return client_end(c);
}
