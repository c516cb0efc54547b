// SPDX-License-Identifier: MIT
/* client.c - one request to an engine, and its lines to the terminal. See cli.h. */
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "cli/cli.h"
#include "engine.h"
#include "proto/conn.h"

struct client {
	const struct common *opt;
	text_fn *text;
	struct conn conn;
	FILE *out;
	int signal_fd;
	bool done, stopping;
	int write_err; /* 0, or why data could not be written */
	enum status status;
};

static void print_note(struct client *c, json_t *obj, const char *note)
{
	const char *level = json_string_value(json_object_get(obj, "level"));
	bool error = level && strcmp(level, "error") == 0;
	bool debug = level && strcmp(level, "debug") == 0;

	if ((c->opt->quiet && !error) || (debug && !c->opt->verbose))
		return;
	fflush(c->out);
	fprintf(stderr, "hotprobe: %s",
		error				      ? "error: "
		: level && strcmp(level, "warning") == 0 ? "warning: "
						      : "");
	print_column(stderr, note, 0);
	fputc('\n', stderr);
}

/* Everything but events, which are data as they stand. */
static void handle_object(struct client *c, json_t *obj)
{
	json_t *done = json_object_get(obj, "done"), *item = json_object_get(obj, "item");
	const char *note = json_string_value(json_object_get(obj, "note"));

	if (done) {
		c->status = (enum status)json_integer_value(json_object_get(done, "status"));
		c->done = true;
	} else if (note) {
		print_note(c, obj, note);
	} else if (!c->opt->json) {
		c->text(c->out, item ? item : obj);
	} else {
		json_dumpf(item ? item : obj, c->out, JSON_COMPACT);
		fputc('\n', c->out);
	}
}

/* Lines of the engine that are not data begin so: see docs/protocol.md. */
static bool is_control(const char *line, size_t len)
{
	static const char *const starts[] = {"{\"done\"", "{\"note\"", "{\"level\"", "{\"item\""};

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		size_t n = strlen(starts[i]);

		if (len >= n && memcmp(line, starts[i], n) == 0)
			return true;
	}
	return false;
}

static int hex4(const char *s)
{
	char digits[5] = {s[0], s[1], s[2], s[3], 0}, *end;
	long v = strtol(digits, &end, 16);

	return *end || end == digits ? -1 : (int)v;
}

/* The kind of \uXXXX at @s, which has @len bytes left: 'h' high or 'l' low surrogate, else 0. */
static char surrogate_at(const char *s, size_t len)
{
	int v = len >= 6 && s[0] == '\\' && s[1] == 'u' ? hex4(s + 2) : -1;

	return v >= 0xd800 && v < 0xdc00 ? 'h' : v >= 0xdc00 && v < 0xe000 ? 'l' : 0;
}

/* jansson refuses a lone surrogate, which a Java string may hold: U+FFFD stands in for it. */
static void mend_surrogates(char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char kind;

		if (s[i] != '\\')
			continue;
		kind = surrogate_at(s + i, len - i);
		if (kind == 'h' && surrogate_at(s + i + 6, len - i - 6) == 'l')
			i += 11;
		else if (kind)
			memcpy(s + i + 2, "fffd", 4);
		else
			i++;
	}
}

static void handle_line(struct client *c, const char *line, size_t len)
{
	_cleanup_free_ char *text = NULL;
	json_error_t why;
	json_t *obj;

	if (c->opt->json && !is_control(line, len)) {
		fwrite(line, 1, len + 1, c->out); /* with its newline */
		return;
	}
	text = strndup(line, len);
	if (!text) {
		fprintf(stderr, "hotprobe: error: out of memory\n");
		return;
	}
	mend_surrogates(text, len);
	obj = json_loadb(text, len, JSON_ALLOW_NUL, &why);
	if (obj)
		handle_object(c, obj);
	else
		fprintf(stderr, "hotprobe: error: the engine sent a line that is no JSON: %s\n",
			why.text);
	json_decref(obj);
}

static void ask_to_stop(struct client *c)
{
	if (c->stopping)
		return;
	c->stopping = true;
	conn_send(&c->conn, json_pack("{s:s}", "request", "stop"));
	conn_flush(&c->conn);
}

/* The reader of our output went away: what comes still must not kill us before all is detached. */
static void check_output(struct client *c)
{
	if (!fflush(c->out) && !ferror(c->out))
		return;
	if (!c->write_err)
		c->write_err = errno;
	ask_to_stop(c);
}

static void serve(struct client *c)
{
	struct pollfd fds[] = {{.fd = c->conn.fd, .events = POLLIN},
			       {.fd = c->signal_fd, .events = POLLIN}};
	struct signalfd_siginfo info;
	const char *line;
	size_t len;

	while (!c->done) {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			return;
		if (fds[1].revents & POLLIN &&
		    read(c->signal_fd, &info, sizeof(info)) == sizeof(info))
			ask_to_stop(c);
		if (!(fds[0].revents & (POLLIN | POLLHUP)))
			continue;
		if (conn_fill(&c->conn) < 0)
			return;
		while (conn_line(&c->conn, &line, &len))
			handle_line(c, line, len);
		check_output(c);
		if (c->conn.eof)
			return;
	}
}

static void stop_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
}

void signals_hold(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	stop_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static int open_signals(void)
{
	sigset_t set;

	stop_signals(&set);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static enum status finish(struct client *c, pid_t engine)
{
	int wstatus = 0;

	check_output(c);
	if (c->out != stdout && fclose(c->out) && !c->write_err)
		c->write_err = errno;
	/* A reader that has seen enough (EPIPE) is no error. */
	if (c->write_err && c->write_err != EPIPE) {
		fprintf(stderr, "hotprobe: error: cannot write %s: %s\n",
			c->opt->output ? c->opt->output : "to stdout", strerror(c->write_err));
		c->status = STATUS_FAILED;
	}
	conn_fini(&c->conn);
	close(c->signal_fd);
	waitpid(engine, &wstatus, 0);
	if (c->done)
		return c->status;
	fprintf(stderr, "hotprobe: error: the engine ended unexpectedly (%s %d): run "
			"`hotprobe clean -p PID` on the target\n",
		WIFSIGNALED(wstatus) ? "signal" : "status",
		WIFSIGNALED(wstatus) ? WTERMSIG(wstatus) : WEXITSTATUS(wstatus));
	return STATUS_FAILED;
}

enum status run_request(const struct common *opt, json_t *req, text_fn *text)
{
	struct client c = {.opt = opt, .text = text, .out = stdout};
	pid_t engine;
	int fd = -1;

	if (opt->output) {
		c.out = fopen(opt->output, "we");
		if (!c.out) {
			fprintf(stderr, "hotprobe: error: cannot write %s: %s\n", opt->output,
				strerror(errno));
			json_decref(req);
			return STATUS_FAILED;
		}
	}
	engine = engine_start(&fd);
	if (engine < 0) {
		fprintf(stderr, "hotprobe: error: cannot start the engine: %s\n",
			strerror(-engine));
		json_decref(req);
		return STATUS_FAILED;
	}
	c.signal_fd = open_signals();
	conn_init(&c.conn, fd);
	conn_send(&c.conn, req);
	conn_flush(&c.conn);
	serve(&c);
	return finish(&c, engine);
}
