// SPDX-License-Identifier: MIT
/* client.c - a request to an engine, and its lines to the terminal. See client.h. */
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "cli/client.h"
#include "engine/engine.h"
#include "proto/conn.h"

struct client {
	const struct common *opt;
	text_fn *text;
	FILE *out;
	struct conn conn;
	pid_t engine;
	bool attached, done, stopping;
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
		error					 ? "error: "
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

static bool starts_with(const char *line, size_t len, const char *start)
{
	size_t n = strlen(start);

	return len >= n && memcmp(line, start, n) == 0;
}

/* Lines of the engine that are not data begin so: see docs/protocol.md. */
static bool is_control(const char *line, size_t len)
{
	static const char *const starts[] = {"{\"done\"", "{\"note\"", "{\"level\"", "{\"item\""};

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
		if (starts_with(line, len, starts[i]))
			return true;
	return false;
}

static int hex4(const char *s)
{
	char digits[5] = {s[0], s[1], s[2], s[3], 0}, *end;
	long v = strtol(digits, &end, 16);

	return *end || end == digits ? -1 : (int)v;
}

/* The kind of \u escape at @s, which has @len bytes left: 'h' high or 'l' low surrogate, else 0. */
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

	if (starts_with(line, len, "{\"event\":\"attached\""))
		c->attached = true;
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

/* --- a request -------------------------------------------------------------------------------- */

struct client *client_start(const struct common *opt, json_t *req, text_fn *text, FILE *out)
{
	struct client *c = calloc(1, sizeof(*c));
	int fd = -1;

	if (!c) {
		fprintf(stderr, "hotprobe: error: out of memory\n");
		json_decref(req);
		return NULL;
	}
	*c = (struct client){.opt = opt, .text = text, .out = out, .status = STATUS_FAILED};
	c->engine = engine_start(&fd);
	if (c->engine < 0) {
		fprintf(stderr, "hotprobe: error: cannot start the engine: %s\n",
			strerror(-c->engine));
		json_decref(req);
		free(c);
		return NULL;
	}
	conn_init(&c->conn, fd);
	conn_send(&c->conn, req);
	conn_flush(&c->conn);
	return c;
}

int client_fd(const struct client *c)
{
	return c->conn.fd;
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
		handle_line(c, line, len);
	return !c->done && !c->conn.eof;
}

void client_stop(struct client *c)
{
	if (c->stopping)
		return;
	c->stopping = true;
	conn_send(&c->conn, json_pack("{s:s}", "request", "stop"));
	conn_flush(&c->conn);
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

/* --- output ----------------------------------------------------------------------------------- */

int output_open(struct output *o, const struct common *opt)
{
	*o = (struct output){.file = stdout, .name = opt->output};
	if (!o->name)
		return 0;
	o->file = fopen(o->name, "we");
	if (o->file)
		return 0;
	fprintf(stderr, "hotprobe: error: cannot write %s: %s\n", o->name, strerror(errno));
	return -EIO;
}

bool output_flush(struct output *o)
{
	if ((fflush(o->file) || ferror(o->file)) && !o->err)
		o->err = errno;
	return !o->err;
}

int output_close(struct output *o)
{
	output_flush(o);
	if (o->file != stdout && fclose(o->file) && !o->err)
		o->err = errno;
	/* A reader that has seen enough (EPIPE) is no error. */
	if (!o->err || o->err == EPIPE)
		return 0;
	fprintf(stderr, "hotprobe: error: cannot write %s: %s\n", o->name ? o->name : "to stdout",
		strerror(o->err));
	return -EIO;
}

/* --- one request, to its end ------------------------------------------------------------------ */

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

int signals_open(int also)
{
	sigset_t set;

	stop_signals(&set);
	if (also) {
		sigaddset(&set, also);
		sigprocmask(SIG_BLOCK, &set, NULL);
	}
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* The reader of our output may go away: what comes still must not kill us before all is detached.
 */
static void serve(struct client *c, struct output *out, int signal_fd)
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
		if (!output_flush(out))
			client_stop(c);
	}
}

enum status run_request(const struct common *opt, json_t *req, text_fn *text)
{
	struct output out;
	struct client *c;
	int signal_fd;

	if (output_open(&out, opt)) {
		json_decref(req);
		return STATUS_FAILED;
	}
	c = client_start(opt, req, text, out.file);
	if (!c)
		return STATUS_FAILED;
	signal_fd = signals_open(0);
	serve(c, &out, signal_fd);
	close(signal_fd);
	if (output_close(&out)) {
		client_end(c);
		return STATUS_FAILED;
	}
	return client_end(c);
}
