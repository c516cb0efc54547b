/* SPDX-License-Identifier: MIT */
#include "lib/chaos_run.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "lib/chaos_plan.h"
#include "lib/chaos_value.h"
#include "lib/cmocka_all.h"
#include "lib/hp.h"

#define ACT_MAX_MS 700	 /* an attach takes 100 to 300 ms here, more beside others */
#define ON_MAX_MS  5000	 /* for probes to be on */
#define SELF_MS	   20000 /* whoever should end by itself and has not is told to */
#define HANG_MS	   60000 /* after the last thing that was done to it */
#define LOOK_MS	   4	 /* how often the target is looked at when times are taken */
#define LINES_MAX  20000 /* of a run that are looked at */
#define WORDS_MAX  64

/* --- one run ---------------------------------------------------------------------------------- */

enum phase { PLANNED, RUNNING, ENDED };

struct chaos_run {
	struct chaos_scene scene;
	struct chaos_plan plan;

	enum phase phase;
	uint64_t start_ms, next_ms; /* when it begins; when the next step is due */
	size_t step;
	struct child *c;
	char *out; /* path of what it writes to; NULL: a pipe */
	int fifo;
	uint64_t read_ms; /* when its reader reads again */
	char *line;
	size_t line_len, lines;

	uint64_t signal_ms, look_ms; /* of the step that times are taken from; 0: none */
	bool awaits_on, was_on;	     /* it is not signalled before probes are on; they were then */
	int off_ms, end_ms;
	pid_t engine;
	struct chaos_seen seen;
	int status;
	char *errors;
};

struct chaos_run *chaos_run_new(const struct chaos_scene *s)
{
	struct chaos_run *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	r->scene = *s;
	chaos_plan_make(&r->plan, s->t->way->image);
	r->start_ms = mono_ms() + (s->alone ? 0 : (uint64_t)chaos_random_below(150));
	r->awaits_on = s->alone && !s->disturbed && r->plan.finish->timed &&
		       r->plan.command->traces && !chaos_random_in(4);
	r->fifo = -1;
	r->off_ms = r->end_ms = -1;
	return r;
}

void chaos_run_free(struct chaos_run *r)
{
	if (!r)
		return;
	child_free(r->c);
	if (r->fifo >= 0)
		close(r->fifo);
	if (r->out && r->out[1] != 'd') /* not a device */
		unlink(r->out);
	free(r->out);
	free(r->line);
	free(r->errors);
	free(r);
}

/* --- start ------------------------------------------------------------------------------------ */

struct words {
	const char *v[WORDS_MAX];
	size_t n;
};

static void add(struct words *w, const char *const *more, size_t max)
{
	for (size_t i = 0; i < max && more[i]; i++) {
		assert_true(w->n < WORDS_MAX - 1);
		w->v[w->n++] = more[i];
	}
	w->v[w->n] = NULL;
}

static void add_one(struct words *w, const char *word)
{
	add(w, &word, 1);
}

static void open_sink(struct chaos_run *r)
{
	static unsigned int number;
	const char *path = r->plan.reader->path;

	if (r->plan.reader->sink == CHAOS_PIPE)
		return;
	if (path && *path == '/')
		r->out = strdup(path);
	else
		assert_true(asprintf(&r->out, "%s/out%u", path ? r->scene.full : r->scene.dir,
				     number++) > 0);
	if (r->plan.reader->sink != CHAOS_FIFO)
		return;
	assert_int_equal(mkfifo(r->out, 0600), 0);
	r->fifo = open(r->out, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(r->fifo >= 0);
}

static void add_launch(struct words *w, const struct chaos_run *r)
{
	static const char *const options[] = {"-XX:+UseSerialGC", "-Xshare:auto", "-cp"};

	add_one(w, "prog.Run.step");
	add_one(w, "--");
	add_one(w, r->scene.t->way->image ? jdk_find("jdk17")->java : r->scene.t->j.jdk->java);
	add(w, options, ARRAY_SIZE(options));
	add_one(w, env_classes());
	add_one(w, "prog.Run");
	add_one(w, "chaos");
	add_one(w, "300");
}

static void start(struct chaos_run *r)
{
	const struct chaos_command *c = r->plan.command;
	struct words w = {.n = 0};
	char pid[16], text[512] = "";

	open_sink(r);
	if (r->plan.reader->sink == CHAOS_FIFO || r->plan.reader->sink == CHAOS_STDOUT)
		add(&w, (const char *[]){"sh", "-c", "exec \"$@\" >\"$0\"", r->out}, 4);
	add(&w, r->plan.limit->words, ARRAY_SIZE(r->plan.limit->words));
	add_one(&w, env_bin());
	add(&w, c->words, ARRAY_SIZE(c->words));
	if (r->plan.reader->sink == CHAOS_FILE)
		add(&w, (const char *[]){"-o", r->out}, 2);
	if (c->traces)
		add(&w, r->plan.finish->words, ARRAY_SIZE(r->plan.finish->words));
	snprintf(pid, sizeof(pid), "%d", r->scene.t->j.pid);
	if (c->on_pid)
		add(&w, (const char *[]){"-p", pid}, 2);
	if (r->plan.via && c->on_pid && c->attaches && strcmp(c->name, "check"))
		add(&w, (const char *[]){"--via", r->plan.via}, 2);
	if (chaos_plan_is_run(&r->plan))
		add_launch(&w, r);
	else if (c->traces)
		add(&w, r->plan.spec->words, ARRAY_SIZE(r->plan.spec->words));
	for (size_t i = 0; i < w.n && strlen(text) < sizeof(text) - 64; i++)
		snprintf(text + strlen(text), 64, " %s", w.v[i]);
	chaos_say("start%s; its reader %s; then %s", text, r->plan.reader->name,
		  r->plan.finish->name);
	r->seen.json = c->json;
	r->c = child_start(w.v, NULL);
	child_close_stdin(r->c);
	r->phase = RUNNING;
	r->next_ms =
		mono_ms() +
		(uint64_t)(r->plan.finish->steps[0].sig ? chaos_random_below(ACT_MAX_MS) : SELF_MS);
}

/* --- meanwhile -------------------------------------------------------------------------------- */

static void take_line(struct chaos_run *r, const char *line)
{
	if (!r->plan.command->traces || !r->plan.command->on_pid || r->scene.t->way->image)
		return;
	if (r->lines++ < LINES_MAX || strstr(line, "\"event\":\"detached\""))
		chaos_value_line(&r->seen, line);
}

static void take_bytes(struct chaos_run *r, const char *bytes, size_t len)
{
	char *nl;

	r->line = realloc(r->line, r->line_len + len + 1);
	assert_non_null(r->line);
	memcpy(r->line + r->line_len, bytes, len);
	r->line_len += len;
	r->line[r->line_len] = 0;
	while ((nl = memchr(r->line, '\n', r->line_len))) {
		size_t used = (size_t)(nl + 1 - r->line);

		*nl = 0;
		take_line(r, r->line);
		memmove(r->line, nl + 1, r->line_len - used + 1);
		r->line_len -= used;
	}
}

static void take_fifo(struct chaos_run *r, size_t max)
{
	char bytes[4096];
	ssize_t n = 1;

	while (r->fifo >= 0 && max && n > 0) {
		n = read(r->fifo, bytes, MIN(max, sizeof(bytes)));
		if (n > 0) {
			take_bytes(r, bytes, (size_t)n);
			max -= (size_t)n;
		}
	}
}

static void read_some(struct chaos_run *r)
{
	uint64_t now = mono_ms();
	char *line;

	for (int i = 0; r->plan.reader->sink == CHAOS_PIPE && i < 300; i++) {
		line = child_line(r->c, 0);
		if (!line)
			break;
		take_line(r, line);
		free(line);
	}
	if (r->plan.reader->sink == CHAOS_FIFO && r->plan.reader->bytes && now >= r->read_ms) {
		take_fifo(r, (size_t)r->plan.reader->bytes);
		r->read_ms = now + (uint64_t)r->plan.reader->every_ms;
	}
}

static bool is_engine(pid_t pid)
{
	char path[64], name[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(name, sizeof(name), f))
		*name = 0;
	fclose(f);
	return !strncmp(name, "hotprobe-engine", 15);
}

static void find_engine(struct chaos_run *r)
{
	pid_t pids[16];
	size_t n = r->engine ? 0 : child_descendants(child_pid(r->c), pids, ARRAY_SIZE(pids));

	for (size_t i = 0; i < n; i++)
		if (is_engine(pids[i]))
			r->engine = pids[i];
}

static void signal_whom(struct chaos_run *r, const struct chaos_step *s)
{
	find_engine(r);
	switch (s->who) {
	case CHAOS_CLIENT:
		child_signal(r->c, s->sig);
		break;
	case CHAOS_ENGINE:
		if (r->engine && child_running(r->c))
			kill(r->engine, s->sig);
		break;
	case CHAOS_GROUP:
		child_signal_group(r->c, s->sig);
		break;
	case CHAOS_TREE:
		child_kill_tree(r->c);
		break;
	}
}

static void take_step(struct chaos_run *r)
{
	const struct chaos_step *s = &r->plan.finish->steps[r->step++];

	if (r->plan.reader->leaves && r->fifo >= 0) {
		chaos_say("its reader goes away");
		close(r->fifo);
		r->fifo = -1;
	}
	if (r->plan.finish->timed && r->scene.alone && !r->scene.disturbed) {
		r->was_on = chaos_target_diverted(r->scene.t) > 0;
		r->signal_ms = mono_ms();
	}
	chaos_say("signal %d, whom: %d", s->sig ? s->sig : SIGINT, s->who);
	signal_whom(r, s->sig ? s : &(struct chaos_step){SIGINT, CHAOS_CLIENT});
	r->next_ms = mono_ms() + (uint64_t)chaos_random_below(ACT_MAX_MS / 4);
}

/* Put the next step off while times could not be taken, though not for long. */
static bool put_off(struct chaos_run *r, uint64_t now)
{
	if (!r->awaits_on || now > r->start_ms + ON_MAX_MS || chaos_target_diverted(r->scene.t) > 0)
		return false;
	r->next_ms = now + (uint64_t)chaos_random_below(ACT_MAX_MS / 4);
	return true;
}

/* When did the last word lead somewhere else again? */
static void look(struct chaos_run *r)
{
	uint64_t now = mono_ms();

	if (!r->was_on || r->off_ms >= 0 || now < r->look_ms)
		return;
	if (chaos_target_diverted(r->scene.t) <= 0)
		r->off_ms = (int)(mono_ms() - r->signal_ms);
	r->look_ms = now + LOOK_MS;
}

/* --- the end ---------------------------------------------------------------------------------- */

static void _printf_(2, 3) bad(struct chaos_run *r, const char *fmt, ...)
{
	char why[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	fail_msg("%s (%s; reader %s; limit %s; %s): %s; status %d, stderr '%.3000s'",
		 r->plan.command->name, r->plan.via ? r->plan.via : "-", r->plan.reader->name,
		 r->plan.limit->name, r->plan.finish->name, why, r->status,
		 r->errors ? r->errors : "");
}

static void read_rest(struct chaos_run *r)
{
	_cleanup_close_ int fd = -1;
	char *line;

	while (r->plan.reader->sink == CHAOS_PIPE && (line = child_line(r->c, 0))) {
		take_line(r, line);
		free(line);
	}
	take_fifo(r, SIZE_MAX);
	if (r->plan.reader->sink != CHAOS_FILE || !strncmp(r->out, "/dev/", 5))
		return;
	fd = r->fifo = open(r->out, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	take_fifo(r, SIZE_MAX);
	r->fifo = -1;
}

static bool may_be(const struct chaos_run *r, int status)
{
	const struct chaos_finish *f = r->plan.finish;
	bool other = !r->scene.alone || r->scene.disturbed || r->scene.t->way->image;

	if (status == 0)
		return true;
	if (status == 128 + SIGKILL)
		return f->kills_client || (f->kills_engine && chaos_plan_is_run(&r->plan));
	if (status == 1)
		return r->plan.limited || other || r->plan.reader->fails || f->kills_engine ||
		       (r->seen.detached && !r->seen.restored) ||
		       (r->errors && strstr(r->errors, "stays"));
	if (status == 3)
		return other || chaos_plan_is_run(&r->plan);
	if (status == 4)
		return r->plan.limited || other;
	/* Before main() could hold signals back nothing had begun. */
	if (status == 128 + SIGINT || status == 128 + SIGTERM || status == 128 + SIGHUP)
		return (r->errors && !*r->errors) || chaos_plan_is_run(&r->plan);
	return false;
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *p = text; p && (p = strstr(p, what)); p++)
		n++;
	return n;
}

static void check_end(struct chaos_run *r)
{
	static const char *const never[] = {"runtime error:", "Sanitizer", "assert", "corrupted",
					    "*** "};
	size_t errors = count(r->errors, "error: ");

	if (!may_be(r, r->status))
		bad(r, "it may not end so");
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		if (strstr(r->errors, never[i]))
			bad(r, "it said '%s'", never[i]);
	/* One for each thing that is wrong. */
	if (errors > 1u + r->plan.finish->kills_engine + (r->plan.reader->fails || r->plan.limited))
		bad(r, "%zu errors", errors);
	/* `check` says it on stdout. */
	if (!errors && (r->status == 1 || r->status == 4) && !strstr(r->errors, "stays") &&
	    strcmp(r->plan.command->name, "check"))
		bad(r, "no reason");
	if (!r->plan.finish->kills_client && !r->plan.finish->kills_engine && !r->plan.limited &&
	    !r->lines)
		r->seen.detached = false;
	chaos_value_end(&r->seen);
	if (*r->seen.wrong)
		bad(r, "%s", r->seen.wrong);
}

static void report(const struct chaos_run *r)
{
	struct chaos_figures f = {
		.runs = 1,
		.hits = MAX(r->seen.hits, r->seen.entries),
		.lost = r->seen.lost,
		.left = r->seen.detached && !r->seen.restored,
		.off_ms = r->off_ms,
		.end_ms = r->was_on ? r->end_ms : -1,
	};
	char where[128];

	snprintf(where, sizeof(where), "%s %s%s", r->scene.t->way->name,
		 r->scene.t->way->flags[0] ? r->scene.t->way->flags[0] + 4 : "",
		 r->scene.t->way->agent ? ", agent" : "");
	chaos_figures_add("all", "all", &f);
	chaos_figures_add("command", r->plan.command->name, &f);
	chaos_figures_add("ended by", r->plan.finish->name, &f);
	chaos_figures_add("whoever reads", r->plan.reader->name, &f);
	chaos_figures_add("limit", r->plan.limit->name, &f);
	chaos_figures_add("on", where, &f);
	if (r->plan.command->on_pid)
		chaos_figures_add("via", r->plan.via ? r->plan.via : "its choice", &f);
}

static void judge(struct chaos_run *r)
{
	r->end_ms = r->signal_ms ? (int)(mono_ms() - r->signal_ms) : -1;
	r->status = child_wait(r->c, 0);
	if (r->was_on && r->off_ms < 0 && chaos_target_diverted(r->scene.t) <= 0)
		r->off_ms = r->end_ms;
	r->errors = child_errors(r->c);
	read_rest(r);
	r->phase = ENDED;
	chaos_say("%s ended with %d, %llu calls, %llu hits, %llu lost, probes off %d ms, ended %d "
		  "ms: %.200s",
		  r->plan.command->name, r->status, (unsigned long long)r->seen.entries,
		  (unsigned long long)r->seen.hits, (unsigned long long)r->seen.lost, r->off_ms,
		  r->end_ms, r->errors);
	check_end(r);
	report(r);
}

static void print_file(pid_t pid, const char *name)
{
	char path[64], text[2048] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	f = fopen(path, "re");
	if (f) {
		text[fread(text, 1, sizeof(text) - 1, f)] = 0;
		fclose(f);
	}
	print_message("  %s: %s\n", path, text);
}

/* What does it wait for? */
static void hangs(struct chaos_run *r)
{
	pid_t pids[8] = {child_pid(r->c)};
	size_t n = 1 + child_descendants(pids[0], pids + 1, ARRAY_SIZE(pids) - 1);

	r->errors = child_errors(r->c);
	for (size_t i = 0; i < n; i++) {
		print_file(pids[i], "comm");
		print_file(pids[i], "syscall");
		print_file(pids[i], "wchan");
		print_file(pids[i], "stack");
	}
	bad(r, "it hangs");
}

bool chaos_run_tick(struct chaos_run *r)
{
	uint64_t now = mono_ms();

	if (r->phase == PLANNED && now >= r->start_ms)
		start(r);
	if (r->phase != RUNNING)
		return r->phase == PLANNED;
	look(r);
	if (!child_running(r->c)) {
		judge(r);
		return false;
	}
	read_some(r);
	if (now < r->next_ms || (!r->step && put_off(r, now)))
		return true;
	if (r->step < CHAOS_STEPS_MAX && (r->plan.finish->steps[r->step].sig || !r->step))
		take_step(r);
	else if (now > r->next_ms + HANG_MS)
		hangs(r);
	return true;
}

bool chaos_run_attaches(const struct chaos_run *r)
{
	return r->plan.command->attaches;
}

bool chaos_run_may_leave(const struct chaos_run *r)
{
	return r->plan.command->attaches &&
	       (r->plan.finish->kills_engine || r->scene.disturbed || r->status == 1 ||
		(r->seen.detached && !r->seen.restored));
}

uint64_t chaos_run_hits(const struct chaos_run *r, unsigned int *ret)
{
	*ret = r->plan.command->on_pid && r->plan.command->traces ? r->plan.spec->methods : 0;
	return r->seen.hits;
}
