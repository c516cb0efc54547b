// SPDX-License-Identifier: MIT
/*
 * engine.c - takes requests from a client's connection, answers with lines. See engine.h and
 * docs/protocol.md.
 *
 * One request runs at a time per connection; its lines come until its {"done":...}. Only "stop" may
 * come in between.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include "engine/engine.h"
#include <linux/types.h>

#include "bpf/events.h"
#include "engine/images.h"
#include "base/log.h"
#include "base/loop.h"
#include "probe/spec.h"
#include "proto/conn.h"
#include "engine/report.h"
#include "engine/session.h"
#include "engine/watch.h"

_Static_assert(PROTO_STRING_MAX == HP_TEXT_MAX, "what may be asked for is what BPF can copy");

struct client {
	struct loop *loop;
	struct conn conn;
	struct loop_source *src, *signal_src;
	int signal_fd;
	bool busy;	  /* a request has begun and is not done */
	bool wants_write; /* EPOLLOUT is asked for */
	bool ending;	  /* SIGTERM came: nothing new is begun */
	struct session *session;
	struct watch *watch;
};

/* --- answering -------------------------------------------------------------------------------- */

static void send_note(enum log_level level, const char *text, void *arg)
{
	static const char *const names[] = {"error", "warning", "info", "debug"};
	struct client *c = arg;

	conn_send(&c->conn, json_pack("{s:s, s:s%}", "level", names[level], "note", text,
				      strnlen(text, LOG_TEXT_MAX)));
}

static void reply_done(struct client *c, enum status status)
{
	c->busy = false;
	conn_send(&c->conn, json_pack("{s:{s:i}}", "done", "status", status));
}

static void on_session_done(void *arg, enum status status)
{
	struct client *c = arg;

	c->session = NULL;
	reply_done(c, status);
}

static void on_watch_done(void *arg, enum status status)
{
	struct client *c = arg;

	c->watch = NULL;
	reply_done(c, status);
}

/* --- requests --------------------------------------------------------------------------------- */

/* Numbers of a request, within bounds; absent ones get @def. */
static int64_t number(json_t *req, const char *key, int64_t def, int64_t lo, int64_t hi)
{
	json_t *v = json_object_get(req, key);
	int64_t n = json_is_integer(v) ? json_integer_value(v) : def;

	return n < lo ? lo : n > hi ? hi : n;
}

static pid_t pid_of(json_t *req)
{
	return (pid_t)number(req, "pid", 0, 0, INT32_MAX);
}

/* Which way into the target. Return: false when that is none (said). */
static bool via_of(json_t *req, enum remote_kind *ret)
{
	json_t *via = json_object_get(req, "via");
	const char *text = json_string_value(via);

	*ret = REMOTE_DEFAULT;
	if (!via || (text && !remote_kind_parse(text, ret)))
		return true;
	log_err("\"via\" is none of \"ptrace\", \"agent\", \"auto\"");
	return false;
}

/* The native image that is meant: by its file, or as what its process runs. NULL: it is a JVM's
 * PID. */
static const char *binary_of(json_t *req, char exe[static IMAGES_EXE_MAX])
{
	const char *binary = json_string_value(json_object_get(req, "binary"));

	if (binary)
		return binary;
	return pid_of(req) && images_exe(pid_of(req), exe) ? exe : NULL;
}

static enum status req_trace(struct client *c, json_t *req)
{
	json_t *specs = json_object_get(req, "specs");
	const char *texts[SPECS_MAX + 1];
	char exe[IMAGES_EXE_MAX];
	struct trace_request tr = {
		.pid = pid_of(req),
		.binary = binary_of(req, exe),
		.specs = texts,
		.count = (uint64_t)number(req, "count", 0, 0, INT64_MAX),
		.duration_ns = (uint64_t)number(req, "duration_ns", 0, 0, INT64_MAX),
		.string_max = (uint32_t)number(req, "string_max", PROTO_STRING_MAX_DEFAULT, 0,
					       PROTO_STRING_MAX),
		.ring_bytes = (size_t)number(req, "ring_bytes", PROTO_RING_DEFAULT, PROTO_RING_MIN,
					     PROTO_RING_MAX),
		.count_only = json_is_true(json_object_get(req, "count_only")),
	};
	size_t i;
	json_t *v;

	json_array_foreach (specs, i, v) {
		if (i == ARRAY_SIZE(texts))
			break; /* too many already: session_trace() says so */
		texts[i] = json_string_value(v);
		if (!texts[i]) {
			log_err("trace: a SPEC is no text");
			return STATUS_USAGE;
		}
		tr.nspecs++;
	}
	if (!tr.nspecs) {
		log_err("trace: no SPEC was given");
		return STATUS_USAGE;
	}
	if (!via_of(req, &tr.via))
		return STATUS_USAGE;
	return session_trace(c->loop, &c->conn, &tr, on_session_done, c, &c->session);
}

static enum status req_methods(struct client *c, json_t *req)
{
	const char *pattern = json_string_value(json_object_get(req, "pattern"));
	char exe[IMAGES_EXE_MAX];
	const char *binary = binary_of(req, exe);
	enum remote_kind via;

	if (binary)
		return images_methods(&c->conn, binary, pattern);
	if (!via_of(req, &via))
		return STATUS_USAGE;
	if (json_is_true(json_object_get(req, "follow")))
		return watch_start(c->loop, &c->conn, pid_of(req), via, pattern, on_watch_done, c,
				   &c->watch);
	return report_methods(&c->conn, pid_of(req), via, pattern);
}

static enum status req_list(struct client *c, json_t *req _unused_)
{
	return report_list(&c->conn);
}

static enum status req_check(struct client *c, json_t *req)
{
	char exe[IMAGES_EXE_MAX];
	const char *binary = binary_of(req, exe);
	/* A native image's process is looked at as that, not as a JVM. */
	enum status status = report_check(&c->conn, binary == exe ? 0 : pid_of(req));
	enum status image = binary ? images_check(&c->conn, binary) : STATUS_OK;

	return image == STATUS_OK ? status : image;
}

static enum status req_clean(struct client *c, json_t *req)
{
	char exe[IMAGES_EXE_MAX];
	enum remote_kind via;

	if (!via_of(req, &via))
		return STATUS_USAGE;
	return binary_of(req, exe) ? images_clean(&c->conn, pid_of(req))
				   : report_clean(&c->conn, pid_of(req), via);
}

static const struct {
	const char *name;
	enum status (*fn)(struct client *c, json_t *req);
} requests[] = {
	{"trace", req_trace}, {"methods", req_methods}, {"list", req_list},
	{"check", req_check}, {"clean", req_clean},
};

static void stop(struct client *c)
{
	if (c->session)
		session_stop(c->session, "interrupted");
	if (c->watch)
		watch_stop(c->watch);
}

static void handle(struct client *c, json_t *req)
{
	const char *name = json_string_value(json_object_get(req, "request"));
	enum status status = STATUS_USAGE;
	size_t i;

	if (name && strcmp(name, "stop") == 0) {
		stop(c);
		return;
	}
	if (c->busy) {
		log_err("a request is running on this connection: only \"stop\" may follow");
		return;
	}
	if (c->ending) {
		reply_done(c, STATUS_OK); /* as one that was stopped at once */
		return;
	}
	c->busy = true;
	log_set_level(json_is_true(json_object_get(req, "verbose")) ? LOG_LVL_DEBUG : LOG_LVL_INFO);
	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		if (name && strcmp(name, requests[i].name) == 0)
			break;
	}
	if (i < ARRAY_SIZE(requests))
		status = requests[i].fn(c, req);
	else
		log_err("unknown request: this engine is of another version than its client");
	if (!c->session && !c->watch && c->busy)
		reply_done(c, status);
}

static void end(struct client *c)
{
	stop(c);
	loop_stop(c->loop);
}

/* Whoever wrote something in this round need not think of sending it. */
static void on_idle(void *arg, uint32_t events _unused_)
{
	struct client *c = arg;
	bool wants_write;

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
	const char *line;
	size_t len;
	int err = 0;

	if (events & EPOLLOUT) {
		err = conn_flush(&c->conn);
		if (c->session)
			session_resume(c->session);
	}
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		err = conn_fill(&c->conn);
		while (err >= 0 && conn_line(&c->conn, &line, &len)) {
			json_error_t why;
			json_t *req = json_loadb(line, len, JSON_REJECT_DUPLICATES, &why);

			if (json_is_object(req))
				handle(c, req);
			else
				log_err("a request is no JSON object: %s", why.text);
			json_decref(req);
		}
	}
	if (err < 0 || c->conn.eof)
		end(c);
}

/* --- the process ------------------------------------------------------------------------------ */

static void on_signal(void *arg, uint32_t events _unused_)
{
	struct client *c = arg;
	struct signalfd_siginfo info;

	if (read(c->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	c->ending = true;
	stop(c);
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
	return c->signal_src ? 0 : -ENOMEM;
}

static int engine_run(int fd)
{
	struct client c = {.signal_fd = -1};
	int err = -ENOMEM;

	prctl(PR_SET_NAME, "hotprobe-engine");
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
		log_err("the engine cannot run: %s", strerror(-err));
	loop_del(c.loop, c.src);
	loop_del(c.loop, c.signal_src);
	if (c.signal_fd >= 0)
		close(c.signal_fd);
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
		close(sv[0]);
		exit(engine_run(sv[1]));
	}
	close(sv[1]);
	*fd_ret = sv[0];
	return pid;
}
