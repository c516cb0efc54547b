// SPDX-License-Identifier: MIT
/*
 * text.c - events as lines for a person. See encoder.h.
 *
 * A line for stdout begins with '>', one for stderr with '!': docs/protocol.md. What comes from the
 * target is never a command to the terminal: base/printable.h.
 */
#include "base/json.h"
#include "base/printable.h"
#include "base/utf8.h"
#include "output/encoder.h"

#define add_literal(b, s) buf_add(b, s, sizeof(s) - 1)

struct text_own {
	uint64_t clock_s; /* whose second @clock says; 0: none yet */
	char clock[16];	  /* "11:18:13" */
	bool header;	  /* of the list has been written */

	/* Methods that were probed and unprobed: those of a second beyond CHANGES_SHOWN. */
	uint64_t changes_s;
	unsigned int nchanges;
	uint64_t untold[2];

	uint64_t lost, lost_told_ns; /* calls that were lost since they were told */
};

struct colors {
	const char *dim, *bold, *good, *warn, *bad, *off;
};

static const struct colors *colors_of(const struct encoder *e)
{
	static const struct colors none = {"", "", "", "", "", ""};
	static const struct colors ansi = {"\033[2m",  "\033[1m",  "\033[32m",
					   "\033[33m", "\033[31m", "\033[0m"};

	return e->opt.color ? &ansi : &none;
}

static const char cut_mark[] = "...";

static void add_str(struct encoder *e, const char *s)
{
	size_t len = strlen(s), cut = utf8_cut(s, len, e->text_max);

	printable_str(e->out, s, cut, 0);
	if (cut < len)
		buf_str(e->out, cut_mark);
}

static void add_dec(struct buf *b, uint64_t n)
{
	buf_u64(b, n);
}

/* --- values ----------------------------------------------------------------------------------- */

/* Of @t the first @len bytes. */
static void add_text(struct buf *b, const struct event_text *t, size_t len, char quote)
{
	if (t->coder == HP_CODER_NONE)
		printable_str(b, (const char *)t->s, len, quote);
	else if (t->coder)
		printable_utf16(b, t->s, len, quote);
	else
		printable_latin1(b, t->s, len, quote);
}

static void thread(struct buf *b, const struct event_text *t)
{
	add_text(b, t, t->len, 0);
	if (t->cut)
		buf_str(b, cut_mark);
}

static void add_char(struct buf *b, uint16_t c)
{
	const uint8_t unit[2] = {(uint8_t)c, (uint8_t)(c >> 8)};

	add_literal(b, "'");
	printable_utf16(b, unit, sizeof(unit), '\'');
	add_literal(b, "'");
}

/* As in JSON, but that what is no number there needs no quotes. */
static void add_float(struct buf *b, const struct value *v)
{
	size_t first = b->len;

	if (v->tag == 'F')
		json_float(b, v->f);
	else
		json_double(b, v->d);
	if (b->len <= first || b->data[first] != '"')
		return;
	b->len -= 2;
	memmove(b->data + first, b->data + first + 1, b->len - first);
}

static void add_hex(struct buf *b, uint64_t v)
{
	char text[16], *end = text + sizeof(text), *s = end;

	do {
		*--s = "0123456789abcdef"[v & 15];
		v >>= 4;
	} while (v);
	buf_add(b, s, (size_t)(end - s));
}

static void add_string(struct encoder *e, const struct value_ref *ref)
{
	uint32_t len = encoder_cut(e, &ref->text);

	add_literal(e->out, "\"");
	add_text(e->out, &ref->text, len, '"');
	add_literal(e->out, "\"");
	if (len < ref->array_len)
		buf_str(e->out, cut_mark);
}

static void add_error(struct encoder *e, const char *why)
{
	add_literal(e->out, "<");
	add_str(e, why);
	add_literal(e->out, ">");
}

static void add_ref(struct encoder *e, const struct value_ref *ref)
{
	if (!ref->addr) {
		add_literal(e->out, "null");
		return;
	}
	if (ref->has_text) {
		add_string(e, ref);
		return;
	}
	if (ref->klass)
		add_str(e, ref->klass);
	else
		add_error(e, ref->unnamed ? ref->unnamed : "its class is not known");
	add_literal(e->out, "@");
	add_hex(e->out, ref->addr);
}

static void add_value(struct encoder *e, const struct value *v)
{
	struct buf *b = e->out;

	if (v->error) {
		add_error(e, v->error);
		return;
	}
	switch (v->tag) {
	case 'Z':
		buf_str(b, v->z ? "true" : "false");
		break;
	case 'C':
		add_char(b, v->c);
		break;
	case 'J':
		buf_i64(b, v->j);
		break;
	case 'F':
	case 'D':
		add_float(b, v);
		break;
	case 'L':
	case '[':
		add_ref(e, &v->ref);
		break;
	default:
		buf_i64(b, v->i);
	}
}

/* --- calls ------------------------------------------------------------------------------------ */

/* localtime_r() is dear: once a second will do. */
static void add_time(struct encoder *e, uint64_t ts_ns)
{
	struct text_own *own = (struct text_own *)e->own;
	uint64_t s = ts_ns / NSEC_PER_SEC, us = ts_ns % NSEC_PER_SEC / NSEC_PER_USEC;
	char fraction[] = ".000000";
	time_t sec = (time_t)s;
	struct tm tm;

	if (s != own->clock_s || !s) {
		strftime(own->clock, sizeof(own->clock), "%H:%M:%S", localtime_r(&sec, &tm));
		own->clock_s = s;
	}
	buf_str(e->out, own->clock);
	for (size_t i = sizeof(fraction) - 2; us; us /= 10)
		fraction[i--] = (char)('0' + us % 10);
	buf_add(e->out, fraction, sizeof(fraction) - 1);
}

/* By Java's id; in a native image, which has none for us, by process and the kernel's id. */
static void add_thread(struct buf *b, const struct event *ev)
{
	const struct call_event *c = &ev->call;

	if (c->probe->kind) {
		add_dec(b, (uint64_t)ev->pid);
		add_literal(b, " ");
	}
	buf_str(b, c->thread ? c->thread : "?");
	add_literal(b, "/");
	add_dec(b, c->java_tid || !c->probe->kind ? c->java_tid : c->tid);
}

/* Registers of a call whose parameters nobody knows. */
static void add_raw(struct buf *b, const struct call_event *c)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(c->raw); i++) {
		buf_printf(b, "%s%s=0x", i ? ", " : "", abi_gpr_name(ABI_NATIVE_IMAGE, i));
		add_hex(b, c->raw[i]);
	}
}

static void add_args(struct encoder *e, const struct call_event *c, const struct colors *color)
{
	const struct capture_list *l = c->probe->captures;
	const struct value *v = c->values;
	struct buf *b = e->out;

	if (l->has_this) {
		buf_str(b, color->dim);
		add_literal(b, "this=");
		add_value(e, v++);
		buf_str(b, color->off);
	}
	for (int i = 0, n = capture_nargs(l); i < n; i++) {
		if (i || l->has_this)
			add_literal(b, ", ");
		add_value(e, v++);
	}
}

static void head(struct encoder *e, const struct probe *p)
{
	const struct colors *c = colors_of(e);
	struct buf *b = e->out;

	buf_str(b, c->bold);
	add_str(e, p->method.klass);
	add_literal(b, ".");
	add_str(e, p->method.name);
	buf_str(b, c->off);
	add_literal(b, "(");
}

static void add_call(struct encoder *e, const struct event *ev)
{
	const struct colors *c = colors_of(e);
	struct buf *b = e->out;

	add_literal(b, ">");
	if (e->opt.say_pid) {
		add_dec(b, (uint64_t)ev->pid);
		add_literal(b, " ");
	}
	buf_str(b, c->dim);
	add_time(e, ev->ts_ns);
	add_literal(b, " ");
	add_thread(b, ev);
	buf_str(b, c->off);
	add_literal(b, " ");
	encoder_head(e, ev->call.probe);
	if (ev->call.values)
		add_args(e, &ev->call, c);
	else
		add_raw(b, &ev->call);
	add_literal(b, ")\n");
}

/* --- what else a trace tells ------------------------------------------------------------------ */

/* "PID 4711", or "/usr/bin/app", of which every process is meant. */
static void add_target(struct encoder *e, pid_t pid, const char *binary)
{
	if (pid)
		buf_printf(e->out, "PID %d", pid);
	else
		add_str(e, binary ? binary : "all processes");
}

/* Nothing is probed yet: for what the user waits. Why, the notes behind it say. */
static void add_waiting(struct encoder *e, const struct attached_event *a)
{
	enum { SHOWN = 3 };

	for (size_t i = 0; i < MIN(a->nwaiting, (size_t)SHOWN); i++) {
		buf_str(e->out, i ? ", '" : ": waiting for '");
		add_str(e, a->waiting[i]);
		add_literal(e->out, "'");
	}
	if (a->nwaiting > SHOWN)
		buf_printf(e->out, " and %zu more", a->nwaiting - SHOWN);
}

static void add_attached(struct encoder *e, const struct event *ev)
{
	const struct attached_event *a = &ev->attached;

	add_literal(e->out, "!hotprobe: attached to ");
	add_target(e, ev->pid, a->binary);
	buf_printf(e->out, ": %llu ", (unsigned long long)a->sites);
	if (a->sites < a->methods)
		buf_printf(e->out, "of %llu ", (unsigned long long)a->methods);
	buf_printf(e->out, "%s probed", a->binary ? "methods" : "compiled bodies");
	if (!a->sites)
		add_waiting(e, a);
	add_literal(e->out, "\n");
}

/* Java compiles thousands of methods a second when it starts. */
#define CHANGES_SHOWN 10

static void begin_change(struct encoder *e, const struct event *ev)
{
	add_literal(e->out, "!hotprobe: ");
	if (ev->pid)
		buf_printf(e->out, "PID %d: ", ev->pid);
}

/* Those that were not told, in one line. */
static void add_untold(struct encoder *e, const struct event *ev)
{
	struct text_own *own = (struct text_own *)e->own;

	if (!own->untold[0] && !own->untold[1])
		return;
	begin_change(e, ev);
	buf_printf(e->out, "%llu more methods were probed and %llu unprobed (--json names all)\n",
		   (unsigned long long)own->untold[0], (unsigned long long)own->untold[1]);
	own->untold[0] = own->untold[1] = 0;
}

static void add_detached(struct encoder *e, const struct event *ev)
{
	const struct detached_event *d = &ev->detached;
	struct buf *b = e->out;

	add_untold(e, ev);
	add_literal(b, "!hotprobe: detached from ");
	add_target(e, ev->pid, NULL);
	buf_printf(b, " (%s): %llu calls", d->reason, (unsigned long long)d->events);
	if (d->hits && !d->events)
		buf_printf(b, " shown, %llu counted", (unsigned long long)d->hits);
	if (d->lost)
		buf_printf(b, ", %llu lost", (unsigned long long)d->lost);
	add_literal(b, "\n");
}

static void add_change(struct encoder *e, const struct event *ev)
{
	struct text_own *own = (struct text_own *)e->own;
	struct buf *b = e->out, title = {0};

	if (own->changes_s != ev->ts_ns / NSEC_PER_SEC) {
		add_untold(e, ev);
		own->changes_s = ev->ts_ns / NSEC_PER_SEC;
		own->nchanges = 0;
	}
	if (own->nchanges++ >= CHANGES_SHOWN) {
		own->untold[ev->kind == EVENT_UNPROBED]++;
		return;
	}
	begin_change(e, ev);
	buf_str(b, ev->kind == EVENT_PROBED ? "probed " : "unprobed ");
	encoder_title(&title, ev->change.probe);
	buf_add(&title, "", 1);
	add_str(e, title.failed ? "?" : title.data);
	buf_fini(&title);
	buf_printf(b, " (level %d): ", ev->change.probe->level);
	add_str(e, ev->change.why);
	add_literal(b, "\n");
}

/* A person reads that as notes: session.c. */
static void add_nothing(struct encoder *e _unused_, const struct event *ev _unused_)
{
}

/* At most so often; the last line of a trace has the sum. */
#define LOST_PAUSE_NS (5 * NSEC_PER_SEC)

static void add_lost(struct encoder *e, const struct event *ev)
{
	struct text_own *own = (struct text_own *)e->own;

	own->lost += ev->lost.count;
	if (own->lost_told_ns && ev->ts_ns < own->lost_told_ns + LOST_PAUSE_NS)
		return;
	own->lost_told_ns = ev->ts_ns;
	buf_printf(e->out,
		   "!hotprobe: warning: %llu calls were lost: they came faster than they are "
		   "printed (a larger --ring-size bridges bursts)\n",
		   (unsigned long long)own->lost);
	own->lost = 0;
}

/* --- counts ----------------------------------------------------------------------------------- */

/* So many methods without a call have a line of their own. */
#define IDLE_SHOWN 20

static void begin_row(struct encoder *e, const struct event *ev)
{
	add_literal(e->out, ">");
	if (e->opt.say_pid)
		buf_printf(e->out, "%d ", ev->pid);
}

static void add_columns_of_stat(struct encoder *e, const struct event *ev)
{
	const struct colors *c = colors_of(e);
	struct buf *b = e->out;

	begin_row(e, ev);
	buf_str(b, c->bold);
	if (ev->stat.final) {
		buf_printf(b, "%12s %12s  METHOD", "CALLS", "CALLS/S");
	} else {
		add_time(e, ev->ts_ns);
		buf_printf(b, "%12s %12s %14s  METHOD", "CALLS", "CALLS/S", "TOTAL");
	}
	buf_printf(b, "%s\n", c->off);
}

/* The numbers of @s; the line goes on. */
static void add_counts(struct encoder *e, const struct event *ev)
{
	const struct stat_event *s = &ev->stat;
	double rate = s->interval_ns ? (double)s->count * 1e9 / (double)s->interval_ns : 0;

	begin_row(e, ev);
	if (s->final)
		buf_printf(e->out, "%12llu %12.1f  ", (unsigned long long)s->count, rate);
	else
		buf_printf(e->out, "%27llu %12.1f %14llu  ", (unsigned long long)s->count, rate,
			   (unsigned long long)s->total);
}

/* A table: the columns' names, a line for each method, and one for many without a call. */
static void add_stat(struct encoder *e, const struct event *ev)
{
	const struct stat_event *s = &ev->stat;
	bool many_idle = s->idle > IDLE_SHOWN;
	struct buf title = {0};

	if (!s->index)
		add_columns_of_stat(e, ev);
	if (!s->count && many_idle && s->index + 1 < s->n)
		return;
	add_counts(e, ev);
	if (!s->count && many_idle) {
		buf_printf(e->out, "(%zu methods without a call)\n", s->idle);
		return;
	}
	encoder_method(&title, s->method);
	buf_add(&title, "", 1);
	add_str(e, title.failed ? "?" : title.data);
	buf_fini(&title);
	add_literal(e->out, "\n");
}

/* --- methods ---------------------------------------------------------------------------------- */

/* "class.name(descriptor)" */
static void add_name(struct encoder *e, const struct method *m, const struct colors *c)
{
	add_str(e, m->klass);
	if (*m->klass)
		add_literal(e->out, ".");
	add_str(e, m->name);
	buf_str(e->out, c->dim);
	add_str(e, m->desc);
}

/* Once, and only for a person: programs count lines. */
static void add_method_header(struct encoder *e, const struct image_method_event *image)
{
	struct text_own *own = (struct text_own *)e->own;
	const struct colors *c = colors_of(e);

	if (!e->opt.header || own->header)
		return;
	own->header = true;
	buf_printf(e->out, ">%s%-16s %-16s %7s  ", c->bold, "ENTRY", "END", "SIZE");
	if (!image)
		buf_printf(e->out, "%s %-6s %6s  %-11s %-3s ", "L", "KIND", "ID", "STATE", "OSR");
	buf_printf(e->out, "METHOD%s\n", c->off);
}

static void add_method(struct encoder *e, const struct event *ev)
{
	static const char *const names[] = {
		[EVENT_COMPILED] = "compiled",
		[EVENT_RETIRED] = "retired",
		[EVENT_UNLOADED] = "unloaded",
	};
	const struct method_event *me = &ev->method;
	const struct method *m = me->method;
	const struct colors *c = colors_of(e);
	struct buf *b = e->out;

	add_method_header(e, me->image);
	add_literal(b, ">");
	if (ev->kind != EVENT_METHOD)
		buf_printf(b, "%-9s ", names[ev->kind]);
	buf_printf(b, "%-16llx %-16llx %7llu  ", (unsigned long long)m->entry,
		   (unsigned long long)m->end, (unsigned long long)(m->end - m->begin));
	if (!me->image)
		buf_printf(b, "%d %-6s %6u  %s%-11s%s %-3s ", me->level, me->kind, me->compile_id,
			   strcmp(me->state, "in_use") == 0 ? "" : c->warn, me->state, c->off,
			   me->osr ? "osr" : "");
	add_name(e, m, c);
	/* Its symbol may tell overloads apart: --json has it. */
	if (me->image && me->image->overloads > 1 && !*m->desc)
		buf_printf(b, "  (1 of %u)", me->image->overloads);
	buf_str(b, c->off);
	add_literal(b, "\n");
}

/* --- answers ---------------------------------------------------------------------------------- */

static void add_columns(struct buf *b, const struct jvm_event *j)
{
	const struct {
		const char *text, *def;
		size_t width;
	} columns[] = {{j->user, "?", 10},
		       {j->java_version, "-", 28},
		       {j->gc, "-", 11},
		       {j->kind, "?", 12},
		       {j->main, "-", 0}};

	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		if (i)
			add_literal(b, " ");
		printable_column(b, columns[i].text ? columns[i].text : columns[i].def,
				 columns[i].width);
	}
	if (j->main_cut)
		buf_str(b, cut_mark);
	add_literal(b, "\n");
}

/* One line a JVM; why it cannot be probed goes below it. */
static void add_jvm(struct encoder *e, const struct event *ev)
{
	struct text_own *own = (struct text_own *)e->own;
	const struct colors *c = colors_of(e);
	struct buf *b = e->out;

	if (!own->header)
		buf_printf(b, ">%s%8s  %-10s %-28s %-11s %-12s %s%s\n", c->bold, "PID", "USER",
			   "JDK", "GC", "KIND", "MAIN", c->off);
	own->header = true;
	buf_printf(b, ">%8d  ", ev->pid);
	add_columns(b, &ev->jvm);
	if (!ev->jvm.reason)
		return;
	buf_printf(b, ">%10s%snot probeable: ", "", c->warn);
	add_str(e, ev->jvm.reason);
	buf_printf(b, "%s\n", c->off);
}

static void add_check(struct encoder *e, const struct event *ev)
{
	const struct colors *c = colors_of(e);
	const struct {
		const char *color, *name;
	} results[] = {
		[CHECK_OK] = {c->good, "ok"},
		[CHECK_DEGRADED] = {c->warn, "degraded"},
		[CHECK_MISSING] = {c->bad, "missing"},
	};

	buf_printf(e->out, ">%s%-8s%s  %-18s ", results[ev->check.result].color,
		   results[ev->check.result].name, c->off, ev->check.what);
	add_str(e, ev->check.detail);
	add_literal(e->out, "\n");
}

/* "seen in part       com.shop.Cart.add(int)  compiled ..." */
static void add_covered(struct encoder *e, const struct event *ev)
{
	const struct coverage_event *c = &ev->coverage;
	const struct colors *col = colors_of(e);
	const char *colors[COVERAGE_STATES] = {[COVERAGE_SEEN] = col->good,
					       [COVERAGE_PARTLY] = col->warn,
					       [COVERAGE_NOT_THIS_WAY] = col->bad,
					       [COVERAGE_NOT_YET] = col->warn,
					       [COVERAGE_NEVER] = col->bad};
	struct text_own *own = (struct text_own *)e->own;
	struct buf *b = e->out;

	if (e->opt.header && !own->header)
		buf_printf(b, ">%s%-17s  METHOD: WHY%s\n", col->bold, "CALLS ARE", col->off);
	own->header = true;
	buf_printf(b, ">%s%-17s%s  ", colors[c->state], encoder_coverage(c->state), col->off);
	add_str(e, c->method ? c->method : c->spec);
	add_literal(b, ": ");
	add_str(e, c->why);
	if (c->mean) {
		add_literal(b, "; did you mean ");
		add_str(e, c->mean);
		add_literal(b, "?");
	}
	add_literal(b, "\n");
}

static void add_cleaned(struct encoder *e, const struct event *ev)
{
	if (ev->cleaned.removed)
		buf_printf(e->out, ">PID %d: removed the slot region and restored %llu methods\n",
			   ev->pid, (unsigned long long)ev->cleaned.sites);
	else
		buf_printf(e->out, ">PID %d: nothing was left\n", ev->pid);
}

/* ---------------------------------------------------------------------------------------------- */

const struct encoder_ops encoder_text_lines = {
	.name = "text",
	.own_size = sizeof(struct text_own),
	.add =
		{
			[EVENT_ATTACHED] = add_attached,
			[EVENT_CALL] = add_call,
			[EVENT_PROBED] = add_change,
			[EVENT_UNPROBED] = add_change,
			[EVENT_LOST] = add_lost,
			[EVENT_STAT] = add_stat,
			[EVENT_COVERAGE] = add_nothing,
			[EVENT_DETACHED] = add_detached,
			[EVENT_METHOD] = add_method,
			[EVENT_COMPILED] = add_method,
			[EVENT_RETIRED] = add_method,
			[EVENT_UNLOADED] = add_method,
			[EVENT_JVM] = add_jvm,
			[EVENT_COVERED] = add_covered,
			[EVENT_CHECK] = add_check,
			[EVENT_CLEANED] = add_cleaned,
		},
	.head = head,
	.thread = thread,
};
