// SPDX-License-Identifier: MIT
/* output.c - where data and messages go. See output.h. */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include "cli/output.h"
#include "cli/signals.h"
#include "cli/writer.h"
#include "proto/reply.h"

/* So many bytes wait: the engines are asked to hold back, and to go on. What they have on the way
 * by then has room in what is left of WRITER_BYTES. */
#define SLOW_BYTES (1u << 20)
#define GO_BYTES   (3u << 18)

/* After a signal; engine/answer.c knows of these. */
#define GIVE_UP_NS NSEC_PER_SEC
#define LEAVE_NS   (1400 * NSEC_PER_MSEC)
/* Without: a reader that takes nothing for so long. */
#define QUIET_NS NSEC_PER_SEC
/* For the last messages. */
#define MESSAGES_NS (200 * NSEC_PER_MSEC)
/* If the engine has taken long, for lines that have just come. */
#define GRACE_NS (200 * NSEC_PER_MSEC)
#define STEP_MS	 50 /* a deadline is looked at so often */
/* In which only the last lines have room. */
#define LAST_BYTES (64u << 10)

#define SAY_MAX 1024

/* --- opening ---------------------------------------------------------------------------------- */

/* Then one writer keeps the order that a person sees. */
static bool same_file(int a, int b)
{
	struct stat x, y;

	return !fstat(a, &x) && !fstat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static bool has_terminal(void)
{
	_cleanup_close_ int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

	return fd >= 0;
}

static bool is_call(const char *line, size_t len)
{
	static const char entry[] = "{\"event\":\"entry\"", back[] = "{\"event\":\"return\"";

	return len &&
	       (*line != '{' || (len >= sizeof(back) && (!memcmp(line, entry, sizeof(entry) - 1) ||
							 !memcmp(line, back, sizeof(back) - 1))));
}

static int start_writers(struct output *o)
{
	const struct writer_options data = {.path = o->name,
					    .fd = STDOUT_FILENO,
					    .waits = o->follows,
					    .counts = o->trace ? is_call : NULL},
				    messages = {.fd = STDERR_FILENO};

	o->data = writer_start(&data);
	if (!o->data)
		return -errno;
	o->messages = o->data;
	if (o->name || !same_file(STDOUT_FILENO, STDERR_FILENO))
		o->messages = writer_start(&messages);
	return o->messages ? 0 : -errno;
}

/* A FIFO that nobody reads, a file system that hangs: until a signal comes. */
static int await_open(struct output *o)
{
	struct pollfd p[] = {{.fd = writer_fd(o->data), .events = POLLIN},
			     {.fd = o->signal_fd, .events = POLLIN}};
	struct signalfd_siginfo info;
	struct writer_state st;

	for (;;) {
		writer_news(o->data, &st);
		o->tty = st.tty;
		if (st.opened)
			return 0;
		if (st.ended)
			return -st.err;
		if (poll(p, ARRAY_SIZE(p), -1) > 0 && p[1].revents &&
		    read(o->signal_fd, &info, sizeof(info)) == sizeof(info) &&
		    info.ssi_signo != SIGCHLD)
			return -EINTR;
	}
}

static void end_writers(struct output *o)
{
	if (o->messages != o->data)
		writer_end(o->messages);
	writer_end(o->data);
	o->data = o->messages = NULL;
}

int output_open(struct output *o, const struct options *opt, int signal_fd)
{
	const struct request *r = &opt->req;
	int err;

	*o = (struct output){.name = opt->output,
			     .signal_fd = signal_fd,
			     .trace = r->kind == REQUEST_TRACE,
			     .follows = r->kind == REQUEST_TRACE ||
					(r->kind == REQUEST_METHODS && r->methods.follow),
			     .had_terminal = has_terminal()};
	err = start_writers(o);
	if (err) {
		fprintf(stderr, "hotprobe: error: no process to write with: %s\n", strerror(-err));
		end_writers(o);
		return -EIO;
	}
	err = await_open(o);
	if (!err)
		return 0;
	if (err == -EINTR) {
		end_writers(o);
		return err;
	}
	o->err = -err;
	return output_close(o);
}

struct output_request output_request(const struct output *o, const struct options *opt)
{
	const char *no_color = getenv("NO_COLOR");

	return (struct output_request){
		.format = opt->json ? "json" : "text",
		.color = o->tty && !(no_color && *no_color),
		.header = o->tty,
	};
}

/* --- lines ------------------------------------------------------------------------------------ */

void output_data(struct output *o, const char *line, size_t len)
{
	bool room = o->last || writer_room(o->data) > len + LAST_BYTES;

	if (!writer_pending(o->data))
		o->done_ns = clock_ns();
	if (!room || !writer_put(o->data, line, len))
		o->unwritten += !o->err && (!o->trace || is_call(line, len));
}

void output_message(struct output *o, const char *line, size_t len)
{
	if (!o->messages || !writer_put(o->messages, line, len))
		o->muted++;
}

void output_say(struct output *o, const char *fmt, ...)
{
	char text[SAY_MAX];
	va_list ap;
	int n = snprintf(text, sizeof(text), "hotprobe: ");

	va_start(ap, fmt);
	vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, ap);
	va_end(ap);
	output_message(o, text, strlen(text));
}

/* --- waiting ---------------------------------------------------------------------------------- */

void output_poll(const struct output *o, struct pollfd *ret)
{
	ret[0] = (struct pollfd){.fd = o->err ? -1 : writer_fd(o->data), .events = POLLIN};
	ret[1] = (struct pollfd){.fd = o->mute || o->messages == o->data ? -1
									 : writer_fd(o->messages),
				 .events = POLLIN};
}

int output_timeout_ms(const struct output *o, bool ending)
{
	return o->hurry_ns || ending ? STEP_MS : -1;
}

bool output_hurried(const struct output *o, uint64_t ns)
{
	return o->hurry_ns && clock_ns() - o->hurry_ns >= ns;
}

static void say_state(struct output *o, const struct writer_state *st)
{
	const char *name = o->name ? o->name : "stdout";

	if (st->full && !o->full)
		output_say(o,
			   "warning: cannot write %s: %s: it is tried again; what does not fit "
			   "into memory meanwhile is lost, and counted",
			   name, strerror(st->full));
	else if (!st->full && o->full)
		output_say(o, "%s is written again", name);
	o->full = st->full;
	if (st->reopened != o->reopened && st->reopen_err)
		output_say(o, "warning: cannot reopen %s: %s: the file that is open is written on",
			   name, strerror(st->reopen_err));
	o->reopened = st->reopened;
}

static void note_progress(struct output *o)
{
	uint64_t done = writer_done(o->data ? o->data : o->messages);

	if (done == o->done)
		return;
	o->done = done;
	o->done_ns = clock_ns();
}

bool output_work(struct output *o)
{
	struct writer_state st;

	if (o->err)
		return false;
	writer_flush(o->data);
	writer_news(o->data, &st);
	say_state(o, &st);
	note_progress(o);
	o->slow = writer_pending(o->data) > (o->slow ? GO_BYTES : SLOW_BYTES);
	if (o->slow)
		writer_expect(o->data, GO_BYTES);
	if (st.ended)
		o->err = st.err ? st.err : EIO;
	if (o->messages != o->data) {
		writer_flush(o->messages);
		writer_news(o->messages, &st);
		o->mute = st.ended;
	}
	return !o->err;
}

bool output_slow(const struct output *o)
{
	return o->slow;
}

/* --- ending ----------------------------------------------------------------------------------- */

bool output_hangup(struct output *o)
{
	if (!o->name || (o->had_terminal && !has_terminal()))
		return false;
	writer_reopen(o->data);
	return true;
}

void output_hurry(struct output *o)
{
	if (!o->hurry_ns)
		o->hurry_ns = clock_ns();
}

/* Has everything taken too long? @limit_ns: so long after a signal. @begun_ns: of this part of it.
 */
static bool is_over(const struct output *o, uint64_t limit_ns, uint64_t begun_ns)
{
	uint64_t now_ns = clock_ns();

	if (o->hurry_ns)
		return now_ns >= MAX(o->hurry_ns + limit_ns, begun_ns + GRACE_NS);
	return o->follows && now_ns - o->done_ns >= QUIET_NS;
}

bool output_settled(struct output *o)
{
	if (o->err || !writer_pending(o->data) || (o->shared && !o->hurry_ns))
		return true;
	if (!o->settle_ns)
		o->settle_ns = clock_ns();
	writer_expect(o->data, 0);
	note_progress(o);
	if (!is_over(o, GIVE_UP_NS, o->settle_ns))
		return false;
	o->unwritten += writer_discard(o->data);
	return true;
}

uint64_t output_unwritten(struct output *o)
{
	uint64_t n = o->unwritten - o->told;

	o->told = o->unwritten;
	o->last = !o->shared || o->hurry_ns;
	return n;
}

/* Once more: it may have ended, a signal may come. */
static void close_step(struct output *o, struct writer *w, struct writer_state *st)
{
	struct pollfd p[] = {{.fd = writer_fd(w), .events = POLLIN},
			     {.fd = o->signal_fd, .events = POLLIN}};
	struct signalfd_siginfo info;

	if (poll(p, ARRAY_SIZE(p), STEP_MS) > 0 && p[1].revents &&
	    read(o->signal_fd, &info, sizeof(info)) == sizeof(info) && info.ssi_signo != SIGCHLD)
		output_hurry(o);
	writer_news(w, st);
	note_progress(o);
}

/* Let it write everything and close its file. Return: false when that has taken too long. */
static bool finish(struct output *o, struct writer *w, uint64_t limit_ns)
{
	struct writer_state st;
	bool finishing = false;

	writer_flush(w);
	for (;;) {
		if (!writer_pending(w) && !finishing) {
			writer_finish(w);
			finishing = true;
		}
		writer_expect(w, 0);
		close_step(o, w, &st);
		if (w == o->data)
			o->full = st.full;
		if (w == o->data && st.ended && !o->err)
			o->err = st.err;
		if (st.ended)
			return true;
		if (is_over(o, limit_ns, o->close_ns))
			return false;
	}
}

static void say_end(struct output *o)
{
	const char *name = o->name ? o->name : "stdout";
	unsigned long long n = o->unwritten - o->told;

	if (o->err == EPIPE)
		; /* a reader that has seen enough is no error */
	else if (o->err)
		output_say(o, "error: cannot write %s: %s", name, strerror(o->err));
	else if (o->full)
		output_say(o, "error: cannot write %s: %s: %llu %s are missing", name,
			   strerror(o->full), (unsigned long long)o->unwritten,
			   o->trace ? "calls" : "lines");
	else if (n && o->name)
		output_say(o, "warning: %llu %s were not written to %s, which took no more", n,
			   o->trace ? "calls" : "lines", name);
	else if (n)
		output_say(o, "warning: %llu %s were not written: nobody read stdout", n,
			   o->trace ? "calls" : "lines");
	if (o->muted)
		output_say(o, "warning: %llu messages were not written",
			   (unsigned long long)o->muted);
}

/* Both go to one file: what there is to say goes through the same writer. */
static void close_one(struct output *o)
{
	while (writer_pending(o->data) && !o->err && !is_over(o, LEAVE_NS, o->close_ns)) {
		struct writer_state st;

		writer_flush(o->data);
		writer_expect(o->data, 0);
		close_step(o, o->data, &st);
		o->full = st.full;
		o->err = st.ended ? st.err : 0;
	}
	if (writer_pending(o->data))
		o->unwritten += writer_discard(o->data);
	say_end(o);
	finish(o, o->data, LEAVE_NS + MESSAGES_NS);
	writer_end(o->data);
}

static void close_both(struct output *o)
{
	if (!o->err)
		finish(o, o->data, LEAVE_NS);
	o->unwritten += writer_end(take_ptr(o->data));
	say_end(o);
	o->done_ns = o->close_ns = clock_ns();
	finish(o, o->messages, LEAVE_NS + MESSAGES_NS);
	writer_end(o->messages);
}

int output_close(struct output *o)
{
	bool failed;

	o->close_ns = clock_ns();
	if (o->messages == o->data)
		close_one(o);
	else
		close_both(o);
	failed = (o->err && o->err != EPIPE) || (o->full && o->unwritten);
	o->data = o->messages = NULL;
	return failed ? -EIO : 0;
}
