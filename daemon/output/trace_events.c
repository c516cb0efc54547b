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

/* What a call passed, where nobody says of which types: the registers, in a native image's order.
 */
static void raw_json(struct buf *b, const struct hp_entry *rec)
{
	buf_str(b, ",\"args\":null,\"raw\":[");
	for (unsigned int i = 0; i < HP_GPR_ARGS; i++) {
		if (i)
			buf_add(b, ",", 1);
		buf_hex(b, rec->gpr[call_register(CALL_NATIVE_IMAGE, i)]);
	}
	buf_add(b, "]", 1);
}

void trace_event_entry(struct trace_events *e, const struct site *site, const struct entry_view *v)
{
	struct buf *b =
		trace_event_begin(e, "entry", v->e->h.ts_ns, e->pid ? e->pid : (pid_t)v->e->tgid);
	const struct call_layout *call = site->call;
	struct arg_value value;

	thread_json(e, b, v->e);
	buf_add(b, site->json_head, site->json_head_len);
	if (!call) {
		raw_json(b, v->e);
		trace_event_end(b);
		return;
	}
	if (!call->is_static) {
		entry_arg(call, v, -1, &value);
		buf_str(b, ",\"this\":");
		json_arg(b, NULL, &value, e->klass, e->klass_arg);
	}
	buf_str(b, ",\"args\":[");
	for (int i = 0; i < call->sig.nparams; i++) {
		if (i)
			buf_add(b, ",", 1);
		entry_arg(call, v, i, &value);
		json_arg(b, site->types[i], &value, e->klass, e->klass_arg);
	}
	buf_add(b, "]", 1);
	trace_event_end(b);
}

void trace_event_site(struct trace_events *e, const char *event, const struct site *site,
		      const char *why)
{
	struct buf *b = trace_event_begin(e, event, clock_ns(), e->pid);

	buf_add(b, site->json_head, site->json_head_len);
	buf_str(b, ",\"entry\":");
	buf_hex(b, site->nm.m.entry);
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
