// SPDX-License-Identifier: MIT
/*
 * json.c - events as JSON, one object a line: docs/protocol.md is its description. See encoder.h.
 *
 * What a value is not known to be is never printed: it becomes {"type":..,"error":"why"}.
 */
#include "base/json.h"
#include "base/utf8.h"
#include "output/encoder.h"

#define add_literal(b, s) buf_add(b, s, sizeof(s) - 1)

/* At most so many offsets of a list in a line that is to be shortened. */
#define OFFSETS_CUT 2048

static const char string_type[] = "java.lang.String";

struct json_own {
	size_t replaced; /* U+FFFD in the object so far that stand for what is no character */
};

/* --- members ---------------------------------------------------------------------------------- */

static size_t *replaced(struct encoder *e)
{
	return &((struct json_own *)e->own)->replaced;
}

static void add_str(struct encoder *e, const char *s)
{
	*replaced(e) += json_str(e->out, s, utf8_cut(s, strlen(s), e->text_max));
}

static void add_str_or_null(struct encoder *e, const char *s)
{
	if (s)
		add_str(e, s);
	else
		add_literal(e->out, "null");
}

/* At the end of an object, or of a part of it: what its texts do not show. */
static void add_replaced(struct encoder *e)
{
	if (!*replaced(e))
		return;
	add_literal(e->out, ",\"replaced\":");
	buf_u64(e->out, *replaced(e));
	*replaced(e) = 0;
}

static void add_marks(struct encoder *e)
{
	add_replaced(e);
	if (e->text_max != SIZE_MAX)
		add_literal(e->out, ",\"cut\":true");
}

static void add_bool(struct buf *b, bool v)
{
	buf_str(b, v ? "true" : "false");
}

/* {"event":NAME,"ts":...,"pid":... */
static void begin(struct buf *b, const char *name, const struct event *ev)
{
	add_literal(b, "{\"event\":\"");
	buf_str(b, name);
	add_literal(b, "\",\"ts\":");
	buf_u64(b, ev->ts_ns);
	add_literal(b, ",\"pid\":");
	if (ev->pid)
		buf_u64(b, (uint64_t)ev->pid);
	else
		add_literal(b, "null");
}

static void end(struct encoder *e)
{
	add_marks(e);
	add_literal(e->out, "}\n");
}

/* --- values ----------------------------------------------------------------------------------- */

/* Of @t the first @len bytes. Return: how many U+FFFD stand for something else. */
static size_t add_text(struct buf *b, const struct event_text *t, size_t len)
{
	if (t->coder == HP_CODER_NONE)
		return json_str(b, (const char *)t->s, len);
	return t->coder ? json_utf16(b, t->s, len) : json_latin1(b, t->s, len);
}

/* With what else there is to say of the name. */
static void thread(struct buf *b, const struct event_text *t)
{
	size_t n = add_text(b, t, t->len);

	if (t->cut)
		add_literal(b, ",\"thread_truncated\":true");
	if (n)
		buf_printf(b, ",\"thread_replaced\":%zu", n);
}

static void add_string(struct encoder *e, const char *type, const struct value_ref *ref)
{
	const struct event_text *t = &ref->text;
	uint32_t len = encoder_cut(e, t);
	struct buf *b = e->out;

	add_literal(b, "\"value\":");
	*replaced(e) += add_text(b, t, len);
	add_literal(b, ",\"length\":");
	buf_u64(b, ref->array_len >> (t->coder ? 1 : 0));
	if (len < ref->array_len)
		add_literal(b, ",\"truncated\":true");
	else
		add_literal(b, ",\"truncated\":false");
	if (!type || strcmp(type, string_type) != 0)
		add_literal(b, ",\"class\":\"java.lang.String\"");
}

static void add_ref(struct encoder *e, const char *type, const struct value_ref *ref)
{
	struct buf *b = e->out;

	if (!ref->addr) {
		add_literal(b, "\"value\":null");
		return;
	}
	if (ref->has_text) {
		add_string(e, type, ref);
		return;
	}
	add_literal(b, "\"class\":");
	add_str_or_null(e, ref->klass);
	add_literal(b, ",\"addr\":");
	buf_hex(b, ref->addr);
	if (ref->klass)
		return;
	add_literal(b, ",\"error\":");
	add_str(e, ref->unnamed ? ref->unnamed : "its class is not known");
}

static void add_primitive(struct encoder *e, const struct value *v)
{
	struct buf *b = e->out;

	add_literal(b, "\"value\":");
	switch (v->tag) {
	case 'Z':
		add_bool(b, v->z);
		break;
	case 'C':
		*replaced(e) += json_char(b, v->c);
		break;
	case 'J':
		buf_i64(b, v->j);
		break;
	case 'F':
		json_float(b, v->f);
		break;
	case 'D':
		json_double(b, v->d);
		break;
	default:
		buf_i64(b, v->i);
	}
}

static void add_value(struct encoder *e, const struct value *v)
{
	struct buf *b = e->out;

	add_literal(b, "{");
	if (v->type) {
		add_literal(b, "\"type\":");
		add_str(e, v->type);
		add_literal(b, ",");
	}
	if (v->error) {
		add_literal(b, "\"error\":");
		add_str(e, v->error);
	} else if (v->tag == 'L' || v->tag == '[') {
		add_ref(e, v->type, &v->ref);
	} else {
		add_primitive(e, v);
	}
	add_replaced(e);
	add_literal(b, "}");
}

/* --- a trace ---------------------------------------------------------------------------------- */

static void head(struct encoder *e, const struct probe *p)
{
	static const char *const signatures[] = {
		[TYPES_UNKNOWN] = "null",
		[TYPES_OF_RUNTIME] = "\"image\"",
		[TYPES_OF_SPEC] = "\"spec\"",
	};
	const struct method *m = &p->method;
	struct buf title = {0}, *b = e->out;

	encoder_title(&title, p);
	add_literal(b, ",\"method\":");
	json_str(b, title.data, utf8_cut(title.data, title.len, e->text_max));
	buf_fini(&title);
	add_literal(b, ",\"class\":");
	add_str(e, m->klass);
	add_literal(b, ",\"name\":");
	add_str(e, m->name);
	add_literal(b, ",\"descriptor\":");
	add_str_or_null(e, *m->desc ? m->desc : NULL);
	add_replaced(e);
	buf_printf(b, ",\"level\":%d,\"compile_id\":%u", p->level, p->compile_id);
	if (!p->kind)
		return;
	buf_printf(b, ",\"kind\":\"%s\",\"symbol\":", p->kind);
	add_str_or_null(e, *m->symbol ? m->symbol : NULL);
	buf_printf(b, ",\"overloads\":%u,\"signature\":%s", p->overloads, signatures[p->types]);
}

/* What a call passed, where nobody says of which types. */
static void add_raw(struct buf *b, const struct call_event *c)
{
	add_literal(b, ",\"args\":null,\"raw\":[");
	for (size_t i = 0; i < ARRAY_SIZE(c->raw); i++) {
		if (i)
			add_literal(b, ",");
		buf_hex(b, c->raw[i]);
	}
	add_literal(b, "]");
}

static void add_args(struct encoder *e, const struct call_event *c)
{
	const struct capture_list *l = c->probe->captures;
	const struct value *v = c->values;
	struct buf *b = e->out;

	if (l->has_this) {
		add_literal(b, ",\"this\":");
		add_value(e, v++);
	}
	add_literal(b, ",\"args\":[");
	for (int i = 0, n = capture_nargs(l); i < n; i++) {
		if (i)
			add_literal(b, ",");
		add_value(e, v++);
	}
	add_literal(b, "]");
}

static void add_call(struct encoder *e, const struct event *ev)
{
	const struct call_event *c = &ev->call;
	struct buf *b = e->out;

	begin(b, "entry", ev);
	add_literal(b, ",\"tid\":");
	buf_u64(b, c->tid);
	add_literal(b, ",\"jthread\":");
	buf_hex(b, c->jthread);
	add_literal(b, ",\"java_tid\":");
	if (c->java_tid)
		buf_u64(b, c->java_tid);
	else
		add_literal(b, "null");
	add_literal(b, ",\"thread\":");
	buf_str(b, c->thread ? c->thread : "null");
	encoder_head(e, c->probe);
	if (c->values)
		add_args(e, c);
	else
		add_raw(b, c);
	end(e);
}

static void add_attached(struct encoder *e, const struct event *ev)
{
	const struct attached_event *a = &ev->attached;
	struct buf *b = e->out;

	begin(b, "attached", ev);
	if (a->binary) {
		add_literal(b, ",\"kind\":\"native-image\",\"binary\":");
		add_str(e, a->binary);
	}
	buf_printf(b, ",\"methods\":%llu,\"sites\":%llu,\"waiting\":[",
		   (unsigned long long)a->methods, (unsigned long long)a->sites);
	for (size_t i = 0; i < a->nwaiting; i++) {
		if (i)
			add_literal(b, ",");
		add_str(e, a->waiting[i]);
	}
	add_literal(b, "],\"unprobed\":{");
	for (size_t i = 0; i < a->nunprobed; i++) {
		if (i)
			add_literal(b, ",");
		add_str(e, a->unprobed[i].why);
		add_literal(b, ":");
		buf_u64(b, a->unprobed[i].count);
	}
	buf_printf(b, "},\"via\":\"%s\"", a->via);
	if (a->binary)
		buf_printf(b, ",\"diverted\":%u,\"emulated\":%u,\"stepped\":%u", a->diverted,
			   a->emulated, a->stepped);
	else
		buf_printf(b, ",\"source\":\"%s\"", a->source);
	end(e);
}

static void add_change(struct encoder *e, const struct event *ev)
{
	struct buf *b = e->out;

	begin(b, ev->kind == EVENT_PROBED ? "probed" : "unprobed", ev);
	encoder_head(e, ev->change.probe);
	add_literal(b, ",\"entry\":");
	buf_hex(b, ev->change.probe->method.entry);
	add_literal(b, ",\"why\":");
	add_str(e, ev->change.why);
	end(e);
}

/* Calls a second. */
static void add_rate(struct buf *b, const struct stat_event *s)
{
	add_literal(b, ",\"rate\":");
	json_double(b, s->interval_ns ? (double)s->count * 1e9 / (double)s->interval_ns : 0);
}

static void add_stat(struct encoder *e, const struct event *ev)
{
	const struct stat_event *s = &ev->stat;
	const struct method *m = s->method;
	struct buf *b = e->out, title = {0};

	encoder_method(&title, m);
	buf_add(&title, "", 1);
	begin(b, "stat", ev);
	add_literal(b, ",\"interval\":");
	buf_u64(b, s->interval_ns);
	add_literal(b, ",\"method\":");
	add_str_or_null(e, title.failed ? NULL : title.data);
	buf_fini(&title);
	add_literal(b, ",\"class\":");
	add_str(e, m->klass);
	add_literal(b, ",\"name\":");
	add_str(e, m->name);
	add_literal(b, ",\"descriptor\":");
	add_str_or_null(e, *m->desc ? m->desc : NULL);
	if (s->kind) {
		buf_printf(b, ",\"kind\":\"%s\",\"symbol\":", s->kind);
		add_str_or_null(e, *m->symbol ? m->symbol : NULL);
	}
	add_literal(b, ",\"count\":");
	buf_u64(b, s->count);
	add_literal(b, ",\"total\":");
	buf_u64(b, s->total);
	add_rate(b, s);
	add_literal(b, ",\"final\":");
	add_bool(b, s->final);
	end(e);
}

static void add_lost(struct encoder *e, const struct event *ev)
{
	begin(e->out, "lost", ev);
	buf_printf(e->out, ",\"count\":%llu,\"where\":\"%s\"", (unsigned long long)ev->lost.count,
		   ev->lost.where);
	end(e);
}

/* Without a method: how many there are in each state. */
static void add_coverage_counts(struct buf *b, const struct coverage_event *c)
{
	buf_printf(b, ",\"methods\":%llu,\"counts\":{", (unsigned long long)c->methods);
	for (size_t i = 0; i < COVERAGE_STATES; i++)
		buf_printf(b, "%s\"%s\":%llu", i ? "," : "", encoder_coverage(i),
			   (unsigned long long)c->counts[i]);
	add_literal(b, "}");
}

static void add_coverage_method(struct encoder *e, const struct coverage_event *c)
{
	struct buf *b = e->out;
	const char *comma = "";

	add_literal(b, ",\"compiled\":[");
	for (int i = 0; i < 8; i++) {
		if (!(c->levels & 1u << i))
			continue;
		buf_printf(b, "%s%d", comma, i);
		comma = ",";
	}
	buf_printf(b, "],\"interpreted\":%s,\"inlined_into\":", c->interpreted ? "true" : "false");
	if (!c->holders_known && !c->nholders) {
		add_literal(b, "null");
		return;
	}
	for (size_t i = 0; i < MIN(c->nholders, (size_t)COVERAGE_HOLDERS_MAX); i++) {
		buf_str(b, i ? "," : "[");
		add_str(e, c->holders[i]);
	}
	buf_printf(b, "%s],\"inlined_count\":%zu", c->nholders ? "" : "[", c->nholders);
}

static void add_coverage(struct encoder *e, const struct event *ev)
{
	const struct coverage_event *c = &ev->coverage;
	struct buf *b = e->out;

	begin(b, "coverage", ev);
	add_literal(b, ",\"spec\":");
	add_str(e, c->spec);
	add_literal(b, ",\"method\":");
	add_str_or_null(e, c->method);
	buf_printf(b, ",\"state\":\"%s\"", encoder_coverage(c->state));
	if (c->method)
		add_coverage_method(e, c);
	else
		add_coverage_counts(b, c);
	buf_printf(b, ",\"complete\":%s,\"why\":", c->state == COVERAGE_SEEN ? "true" : "false");
	add_str(e, c->why);
	add_literal(b, ",\"did_you_mean\":");
	add_str_or_null(e, c->mean);
	end(e);
}

static void add_detached(struct encoder *e, const struct event *ev)
{
	const struct detached_event *d = &ev->detached;

	begin(e->out, "detached", ev);
	buf_printf(e->out,
		   ",\"events\":%llu,\"hits\":%llu,\"lost\":%llu,\"restored\":%s,\"reason\":\"%s\"",
		   (unsigned long long)d->events, (unsigned long long)d->hits,
		   (unsigned long long)d->lost, d->restored ? "true" : "false", d->reason);
	end(e);
}

/* --- methods ---------------------------------------------------------------------------------- */

static void add_offsets(struct encoder *e, const char *key, const uint32_t *offs, size_t n)
{
	struct buf *b = e->out;

	if (e->text_max != SIZE_MAX)
		n = MIN(n, (size_t)OFFSETS_CUT);
	buf_printf(b, ",\"%s\":", key);
	if (!offs) {
		add_literal(b, "null");
		return;
	}
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "%c%u", i ? ',' : '[', offs[i]);
	buf_str(b, n ? "]" : "[]");
}

static void add_image(struct encoder *e, const struct method *m,
		      const struct image_method_event *im)
{
	struct buf *b = e->out;

	add_literal(b, ",\"symbol\":");
	add_str_or_null(e, *m->symbol ? m->symbol : NULL);
	if (im->has_offset)
		buf_printf(b, ",\"offset\":\"0x%llx\"", (unsigned long long)im->offset);
	if (im->has_code) {
		add_offsets(e, "returns", im->returns, im->nreturns);
		add_offsets(e, "exits", im->exits, im->nreturns);
	}
	buf_printf(b, ",\"overloads\":%u,\"c_entry\":%s", im->overloads,
		   im->c_entry ? "true" : "false");
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
	struct buf *b = e->out;

	add_literal(b, "{");
	if (ev->kind != EVENT_METHOD)
		buf_printf(b, "\"event\":\"%s\",\"ts\":%llu,", names[ev->kind],
			   (unsigned long long)ev->ts_ns);
	buf_printf(b,
		   "\"entry\":\"0x%llx\",\"begin\":\"0x%llx\",\"end\":\"0x%llx\",\"size\":%llu,"
		   "\"level\":%d,\"compile_id\":%u,\"kind\":\"%s\",\"state\":\"%s\",\"osr\":%s",
		   (unsigned long long)m->entry, (unsigned long long)m->begin,
		   (unsigned long long)m->end, (unsigned long long)(m->end - m->begin), me->level,
		   me->compile_id, me->kind, me->state, me->osr ? "true" : "false");
	add_literal(b, ",\"class\":");
	add_str(e, m->klass);
	add_literal(b, ",\"name\":");
	add_str(e, m->name);
	add_literal(b, ",\"descriptor\":");
	add_str_or_null(e, me->image && !*m->desc ? NULL : m->desc);
	if (me->image)
		add_image(e, m, me->image);
	end(e);
}

/* --- answers ---------------------------------------------------------------------------------- */

static void add_member(struct encoder *e, const char *key, const char *s)
{
	buf_printf(e->out, ",\"%s\":", key);
	add_str_or_null(e, s);
}

static void end_item(struct encoder *e)
{
	add_marks(e);
	add_literal(e->out, "}}\n");
}

static void add_jvm(struct encoder *e, const struct event *ev)
{
	const struct jvm_event *j = &ev->jvm;
	struct buf *b = e->out;

	buf_printf(b, "{\"item\":{\"pid\":%d,\"uid\":%u", ev->pid, j->uid);
	add_member(e, "user", j->user);
	add_member(e, "java_version", j->java_version);
	add_member(e, "vm", j->vm);
	add_member(e, "gc", j->gc);
	add_member(e, "kind", j->kind);
	add_member(e, "main", j->main);
	if (j->main_cut)
		add_literal(b, ",\"main_truncated\":true");
	add_literal(b, ",\"probeable\":");
	add_bool(b, !j->reason);
	add_member(e, "reason", j->reason);
	end_item(e);
}

static void add_check(struct encoder *e, const struct event *ev)
{
	static const char *const results[] = {
		[CHECK_OK] = "ok",
		[CHECK_DEGRADED] = "degraded",
		[CHECK_MISSING] = "missing",
	};
	struct buf *b = e->out;

	add_literal(b, "{\"item\":{\"check\":");
	add_str(e, ev->check.what);
	add_member(e, "result", results[ev->check.result]);
	add_member(e, "detail", ev->check.detail);
	end_item(e);
}

static void add_cleaned(struct encoder *e, const struct event *ev)
{
	buf_printf(e->out, "{\"item\":{\"pid\":%d,\"removed\":%s,\"sites\":%llu}}\n", ev->pid,
		   ev->cleaned.removed ? "true" : "false", (unsigned long long)ev->cleaned.sites);
}

/* ---------------------------------------------------------------------------------------------- */

const struct encoder_ops encoder_json = {
	.name = "json",
	.own_size = sizeof(struct json_own),
	.add =
		{
			[EVENT_ATTACHED] = add_attached,
			[EVENT_CALL] = add_call,
			[EVENT_PROBED] = add_change,
			[EVENT_UNPROBED] = add_change,
			[EVENT_LOST] = add_lost,
			[EVENT_STAT] = add_stat,
			[EVENT_COVERAGE] = add_coverage,
			[EVENT_DETACHED] = add_detached,
			[EVENT_METHOD] = add_method,
			[EVENT_COMPILED] = add_method,
			[EVENT_RETIRED] = add_method,
			[EVENT_UNLOADED] = add_method,
			[EVENT_JVM] = add_jvm,
			[EVENT_COVERED] = add_coverage,
			[EVENT_CHECK] = add_check,
			[EVENT_CLEANED] = add_cleaned,
		},
	.head = head,
	.thread = thread,
};
