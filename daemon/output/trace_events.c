// SPDX-License-Identifier: MIT
/* trace_events.c - the JSON lines of `trace`. See trace_events.h. */
#include "output/trace_events.h"

void trace_events_fini(struct trace_events *e)
{
	names_fini(&e->threads);
}

struct buf *trace_event_begin(struct trace_events *e, const char *name, uint64_t mono_ns, pid_t pid)
{
	struct buf *b = e->out;

	buf_str(b, "{\"event\":\"");
	buf_str(b, name);
	buf_str(b, "\",\"ts\":");
	buf_u64(b, mono_ns + e->wall_offset_ns);
	buf_str(b, ",\"pid\":");
	if (pid)
		buf_u64(b, (uint64_t)pid);
	else
		buf_str(b, "null");
	return b;
}

void trace_event_end(struct buf *b)
{
	buf_add(b, "}\n", 2);
}

/* A native image's threads have the kernel's id only. */
static uint64_t thread_key(uint64_t java_tid, uint32_t tid)
{
	return java_tid ? java_tid : tid;
}

static void thread_json(struct trace_events *e, struct buf *b, const struct hp_entry *rec)
{
	const struct name_entry *name = names_get(&e->threads, thread_key(rec->java_tid, rec->tid));

	buf_str(b, ",\"tid\":");
	buf_u64(b, rec->tid);
	buf_str(b, ",\"jthread\":");
	buf_hex(b, rec->jthread);
	buf_str(b, ",\"java_tid\":");
	if (rec->java_tid)
		buf_u64(b, rec->java_tid);
	else
		buf_str(b, "null");
	buf_str(b, ",\"thread\":");
	buf_str(b, name && name->text ? name->text : "null");
}

static void text_or_null(struct buf *b, const char *key, const char *text)
{
	buf_printf(b, ",\"%s\":", key);
	if (*text)
		json_str(b, text, strlen(text));
	else
		buf_str(b, "null");
}

/* "com.shop.Cart.add(int, java.lang.String)" */
static void add_title(struct buf *b, const struct probe *p, const struct method *m)
{
	const struct capture_list *l = p->captures;

	buf_str(b, m->klass);
	buf_str(b, ".");
	buf_str(b, m->name);
	if (!l)
		return;
	for (int i = 0; i < capture_nargs(l); i++) {
		buf_str(b, i ? ", " : "(");
		buf_str(b, capture_arg(l, i)->type);
	}
	buf_str(b, capture_nargs(l) ? ")" : "()");
}

static void make_head(struct buf *b, const struct probe *p, const struct method *m)
{
	static const char *const signatures[] = {
		[TYPES_UNKNOWN] = "null",
		[TYPES_OF_RUNTIME] = "\"image\"",
		[TYPES_OF_SPEC] = "\"spec\"",
	};
	struct buf title = {0};

	add_title(&title, p, m);
	buf_str(b, ",\"method\":");
	json_str(b, title.data, title.len);
	buf_fini(&title);
	buf_str(b, ",\"class\":");
	json_str(b, m->klass, strlen(m->klass));
	buf_str(b, ",\"name\":");
	json_str(b, m->name, strlen(m->name));
	text_or_null(b, "descriptor", m->desc);
	buf_printf(b, ",\"level\":%d,\"compile_id\":%u", p->level, p->compile_id);
	if (!p->kind)
		return;
	buf_printf(b, ",\"kind\":\"%s\"", p->kind);
	text_or_null(b, "symbol", m->symbol);
	buf_printf(b, ",\"overloads\":%u,\"signature\":%s", p->overloads, signatures[p->types]);
}

/* What a call passed, where nobody says of which types: the registers, in a native image's order.
 */
static void raw_json(struct buf *b, const struct hp_entry *rec)
{
	buf_str(b, ",\"args\":null,\"raw\":[");
	for (unsigned int i = 0; i < HP_GPR_ARGS; i++) {
		if (i)
			buf_add(b, ",", 1);
		buf_hex(b, rec->gpr[abi_gpr(ABI_NATIVE_IMAGE, i)]);
	}
	buf_add(b, "]", 1);
}

/* The part of an event that only depends on the probe. Out of memory it is left out. */
static void add_head(struct buf *b, struct probe *p)
{
	const struct method *m = &p->method;
	struct buf head = {0};

	if (!p->head) {
		make_head(&head, p, m);
		if (head.failed) {
			buf_fini(&head);
			return;
		}
		p->head = head.data;
		p->head_len = head.len;
	}
	buf_add(b, p->head, p->head_len);
}

void trace_event_entry(struct trace_events *e, struct probe *p, const struct entry_view *v)
{
	struct buf *b =
		trace_event_begin(e, "entry", v->e->h.ts_ns, e->pid ? e->pid : (pid_t)v->e->tgid);
	const struct capture_list *l = p->captures;
	struct arg_value value;

	thread_json(e, b, v->e);
	add_head(b, p);
	if (!l) {
		raw_json(b, v->e);
		trace_event_end(b);
		return;
	}
	if (l->has_this) {
		entry_value(v, capture_arg(l, -1), &value);
		buf_str(b, ",\"this\":");
		json_arg(b, NULL, &value, e->klass, e->klass_arg);
	}
	buf_str(b, ",\"args\":[");
	for (int i = 0; i < capture_nargs(l); i++) {
		if (i)
			buf_add(b, ",", 1);
		entry_value(v, capture_arg(l, i), &value);
		json_arg(b, capture_arg(l, i)->type, &value, e->klass, e->klass_arg);
	}
	buf_add(b, "]", 1);
	trace_event_end(b);
}

void trace_event_probe(struct trace_events *e, const char *event, struct probe *p, const char *why)
{
	struct buf *b = trace_event_begin(e, event, clock_ns(), e->pid);

	add_head(b, p);
	buf_str(b, ",\"entry\":");
	buf_hex(b, p->method.entry);
	buf_str(b, ",\"why\":");
	json_str(b, why, strlen(why));
	trace_event_end(b);
}

void trace_event_lost(struct trace_events *e, uint64_t mono_ns, uint64_t count, const char *where)
{
	struct buf *b;

	if (!count)
		return;
	b = trace_event_begin(e, "lost", mono_ns, e->pid);
	buf_str(b, ",\"count\":");
	buf_u64(b, count);
	buf_printf(b, ",\"where\":\"%s\"", where);
	trace_event_end(b);
}

void trace_events_thread(struct trace_events *e, const struct hp_record *rec, size_t size)
{
	const struct hp_thread *t = (const struct hp_thread *)rec;
	struct buf b = {0};

	if (size < sizeof(*t) || t->text_len > HP_THREAD_NAME_MAX)
		return;
	if (t->status == HP_REF_OK) {
		if (t->coder == HP_CODER_NONE)
			json_str(&b, (const char *)t->text,
				 strnlen((const char *)t->text, t->text_len));
		else if (t->coder)
			json_utf16(&b, t->text, t->text_len);
		else
			json_latin1(&b, t->text, t->text_len);
	}
	buf_add(&b, "", 1);
	names_put(&e->threads, thread_key(t->java_tid, t->tid),
		  !b.failed && b.len > 1 ? b.data : NULL, rec->ts_ns);
	buf_fini(&b);
}
