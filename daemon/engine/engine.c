// SPDX-License-Identifier: MIT
/*
 * engine.c - takes requests from a client's connection, answers with lines. See engine.h and
 * docs/protocol.md.
 *
 * One request runs at a time per connection; its lines come until its {"done":...}. What may come
 * in between is taken by the loop, or, while a request is at work, by listen() and look().
 */
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include <linux/types.h>

#include "base/fds.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/stop.h"
#include "bpf/events.h"
#include "engine/answer.h"
#include "engine/engine.h"
#include "proc/caps.h"
#include "probe/spec.h"
#include "proto/reply.h"

_Static_assert(REQUEST_STRING_MAX == HP_TEXT_MAX, "what may be asked for is what BPF can copy");
_Static_assert(REQUEST_SPECS_MAX == SPECS_MAX, "what may be asked for is what sessions hold");

/* After SIGTERM the client has so long to take what there is to say. */
#define LEAVE_NS (1500 * NSEC_PER_MSEC)

struct client {
	struct loop *loop;
	struct conn conn;
	struct loop_source *src, *signal_src, *leave_timer;
	int signal_fd;
	bool busy;	      /* a request has begun and is not done */
	bool wants_write;     /* EPOLLOUT is asked for */
	bool ending;	      /* SIGTERM came: nothing new is begun */
	struct answer answer; /* of the request that runs */
};

/* --- answering -------------------------------------------------------------------------------- */

static void send_note(enum log_level level, const char *text, void *arg)
{
	struct client *c = arg;

	reply_note(&c->conn.out, level, text);
}

static void send_done(struct client *c, enum status status)
{
	c->busy = false;
	stop_set(NULL, NULL);
	encoder_free(take_ptr(c->answer.encoder));
	reply_done(&c->conn.out, status);
}

static void on_done(struct answer *a, enum status status)
{
	send_done(container_of(a, struct client, answer), status);
}

static bool listen_between(struct answer *a, int timeout_ms);
static bool look(void *arg);
static void take_signal(struct client *c);

/* --- requests --------------------------------------------------------------------------------- */

#define REQUEST_OPS(NAME, name) [REQUEST_##NAME] = &request_##name,
static const struct request_ops *const requests[] = {REQUESTS(REQUEST_OPS)};
#undef REQUEST_OPS

/* A request that has a job ends it now; another one sees it (stop.h, answer_room()). */
static void stop(struct client *c)
{
	if (!c->answer.stopped)
		c->answer.stopped_ns = clock_ns();
	c->answer.stopped = true;
}

static void stop_job(struct client *c)
{
	if (c->answer.job && c->answer.stopped)
		c->answer.ops->stop(c->answer.job);
}

/* What may come while a request runs. Return: was it that? */
static bool take_between(struct client *c, const struct request *req)
{
	switch (req->kind) {
	case REQUEST_STOP:
		stop(c);
		return true;
	case REQUEST_HOLD:
		c->answer.held = true;
		return true;
	case REQUEST_GO:
		c->answer.held = false;
		return true;
	case REQUEST_LOST:
		c->answer.unwritten += req->lost.count;
		c->answer.settled = true;
		return true;
	default:
		return false;
	}
}

static int open_encoder(struct client *c, const struct output_request *o, struct fail *f)
{
	const struct encoder_options opt = {
		.color = o->color, .header = o->header, .say_pid = o->say_pid};

	c->answer = (struct answer){
		.loop = c->loop, .conn = &c->conn, .done = on_done, .listen = listen_between};
	c->answer.encoder = encoder_new(o->format, &opt, &c->conn.out);
	if (c->answer.encoder)
		return 0;
	if (errno == EINVAL)
		return fail_set(f, -EINVAL, "unknown \"format\" '%s': use \"json\" or \"text\"",
				o->format);
	return fail_set(f, -ENOMEM, "out of memory");
}

/* All the time that it runs. `check` tries what the others need. */
static uint64_t request_caps(const struct request *r)
{
	switch (r->kind) {
	case REQUEST_LIST:
	case REQUEST_COVERAGE:
		return CAPS_LOOK;
	case REQUEST_METHODS:
		return CAPS_LOOK | (r->methods.follow ? CAPS_BPF : 0);
	default:
		return CAPS_LOOK | CAPS_BPF | CAPS_CHANGE;
	}
}

static enum status answer(struct client *c, const struct request *req)
{
	struct answer *a = &c->answer;
	enum status status;

	a->ops = requests[req->kind];
	caps_use(request_caps(req));
	answer_about(a, req->target.pid);
	stop_set(look, c);
	status = a->ops->run(a, req);
	if (!a->job)
		stop_set(NULL, NULL);
	return status;
}

static void handle(struct client *c, const json_t *json)
{
	enum status status;
	struct fail why = {0};
	struct request req;
	int err = request_decode(json, &req, &why);

	if (!err && take_between(c, &req))
		return;
	if (c->busy) {
		log_err("a request is running on this connection: only \"stop\" may follow");
		return;
	}
	if (c->ending) {
		send_done(c, STATUS_OK); /* as one that was stopped at once */
		return;
	}
	c->busy = true;
	log_set_level(req.verbose ? LOG_LVL_DEBUG : LOG_LVL_INFO);
	if (!err)
		err = open_encoder(c, &req.output, &why);
	if (err) {
		log_err("%s", why.text);
		status = err == -ENOMEM ? STATUS_FAILED : STATUS_USAGE;
	} else {
		status = answer(c, &req);
	}
	if (!c->answer.job && c->busy)
		send_done(c, status);
}

/* Every whole line that has come. Return: 0 or more; -errno. */
static int take_lines(struct client *c)
{
	int err = conn_fill(&c->conn);
	const char *line;
	size_t len;

	while (err >= 0 && conn_line(&c->conn, &line, &len)) {
		json_error_t why;
		json_t *req = json_loadb(line, len, JSON_REJECT_DUPLICATES, &why);

		if (json_is_object(req))
			handle(c, req);
		else
			log_err("a request must be a JSON object: %s", why.text);
		json_decref(req);
	}
	return err;
}

static bool is_gone(const struct client *c, int err)
{
	return err < 0 || c->conn.eof || c->conn.out.failed;
}

/* --- while a request is at work --------------------------------------------------------------- */

/* See struct answer. */
static bool listen_between(struct answer *a, int timeout_ms)
{
	struct client *c = container_of(a, struct client, answer);
	int err = conn_flush(&c->conn);
	struct pollfd p[] = {
		{.fd = c->conn.fd, .events = conn_pending(&c->conn) ? POLLIN | POLLOUT : POLLIN},
		{.fd = c->signal_fd, .events = POLLIN}};

	if (!err && poll(p, ARRAY_SIZE(p), timeout_ms) > 0) {
		if (p[1].revents)
			take_signal(c);
		if (p[0].revents & (POLLIN | POLLHUP | POLLERR))
			err = take_lines(c);
		if (err >= 0 && p[0].revents & POLLOUT)
			err = conn_flush(&c->conn);
	}
	if (!is_gone(c, err))
		return true;
	stop(c);
	return false;
}

/* See stop.h. */
static bool look(void *arg)
{
	struct client *c = arg;

	listen_between(&c->answer, 0);
	return c->answer.stopped;
}

/* --- the loop --------------------------------------------------------------------------------- */

static void end(struct client *c)
{
	stop(c);
	stop_job(c);
	loop_stop(c->loop);
}

/* Whoever wrote something in this round need not think of sending it. */
static void on_idle(void *arg, uint32_t events _unused_)
{
	struct client *c = arg;
	bool wants_write;

	stop_job(c); /* what came was seen in the middle of long work */
	if (conn_flush(&c->conn)) {
		end(c);
		return;
	}
	wants_write = conn_pending(&c->conn);
	if (wants_write != c->wants_write)
		loop_mod(c->loop, c->src, EPOLLIN | (wants_write ? EPOLLOUT : 0));
	c->wants_write = wants_write;
}

static void on_client(void *arg, uint32_t events)
{
	struct client *c = arg;
	bool was_held = c->answer.held;
	int err = 0;

	if (events & EPOLLOUT)
		err = conn_flush(&c->conn);
	if (err >= 0 && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		err = take_lines(c);
	if (is_gone(c, err)) {
		end(c);
		return;
	}
	stop_job(c);
	if (c->answer.job && (events & EPOLLOUT || was_held))
		c->answer.ops->resume(c->answer.job);
}

/* --- the process ------------------------------------------------------------------------------ */

static void on_leave(void *arg, uint32_t events _unused_)
{
	struct client *c = arg;

	loop_stop(c->loop);
}

static void take_signal(struct client *c)
{
	struct signalfd_siginfo info;

	if (read(c->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (!c->leave_timer)
		c->leave_timer = loop_timer(c->loop, LEAVE_NS, on_leave, c);
	c->ending = true;
	stop(c);
}

static void on_signal(void *arg, uint32_t events _unused_)
{
	struct client *c = arg;

	take_signal(c);
	stop_job(c);
}

/*
 * The terminal's signals are the client's business, which asks us to stop. SIGTERM sent to the
 * engine itself ends the request as cleanly.
 */
static int take_signals(struct client *c)
{
	sigset_t set;

	setsid();
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_SETMASK, &set, NULL);
	c->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (c->signal_fd < 0)
		return -errno;
	c->signal_src = loop_add(c->loop, c->signal_fd, EPOLLIN, on_signal, c);
	return c->signal_src ? 0 : -errno;
}

static int engine_run(int fd)
{
	struct client c = {.signal_fd = -1};
	int err = -ENOMEM;

	prctl(PR_SET_NAME, "hotprobe-engine");
	caps_begin();
	fds_raise_limit();
	c.loop = loop_new();
	conn_init(&c.conn, fd);
	log_set_sink(send_note, &c);
	if (c.loop)
		c.src = loop_add(c.loop, fd, EPOLLIN, on_client, &c);
	if (c.src)
		err = take_signals(&c);
	if (c.loop)
		loop_on_idle(c.loop, on_idle, &c);
	if (err == 0)
		err = loop_run(c.loop);
	log_set_sink(NULL, NULL);
	if (err)
		log_err("the engine cannot run: %s", fail_strerror(err));
	loop_del(c.loop, c.src);
	loop_del(c.loop, c.signal_src);
	loop_del(c.loop, c.leave_timer);
	if (c.signal_fd >= 0)
		close(c.signal_fd);
	encoder_free(c.answer.encoder);
	conn_fini(&c.conn);
	loop_free(c.loop);
	return err ? 1 : 0;
}

pid_t engine_start(int *fd_ret)
{
	int sv[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv))
		return -errno;
	pid = fork();
	if (pid < 0) {
		int err = -errno;

		close(sv[0]);
		close(sv[1]);
		return err;
	}
	if (pid == 0) {
		fds_keep(&sv[1], 1);
		exit(engine_run(sv[1]));
	}
	close(sv[1]);
	*fd_ret = sv[0];
	return pid;
}
