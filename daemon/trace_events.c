// SPDX-License-Identifier: MIT
/* trace_events.c - the JSON lines of `trace`. See trace_events.h. */
#include "trace_events.h"
#include "target/klass.h"

/*
 * A class name read so long ago is read again: the class may have been unloaded and another one
 * loaded at its address. It takes at least a full collection to get there.
 */
#define KLASS_FRESH_NS (100 * NSEC_PER_MSEC)
/* A target whose names take more makes them up; methods are still named (NAMES_BYTES_MAX there). */
#define KLASS_NAMES_MAX (128u << 20)

void trace_events_fini(struct trace_events *e)
{
	names_fini(&e->threads);
	names_fini(&e->klasses);
}

struct buf *trace_event_begin(struct trace_events *e, const char *name, uint64_t mono_ns)
{
	struct buf *b = e->out;

	buf_str(b, "{\"event\":\"");
	buf_str(b, name);
	buf_str(b, "\",\"ts\":");
	buf_u64(b, mono_ns + e->wall_offset_ns);
	buf_str(b, ",\"pid\":");
	buf_u64(b, (uint64_t)e->t->id.pid);
	return b;
}

void trace_event_end(struct buf *b)
{
	buf_add(b, "}\n", 2);
}

static const char *klass_of_word(void *arg, uint64_t word)
{
	struct trace_events *e = arg;
	const struct name_entry *known = names_get(&e->klasses, word);
	uint64_t now_ns = clock_ns(), klass;
	const char *name = NULL;

	if (known && now_ns - known->ts_ns < KLASS_FRESH_NS)
		return known->text;
	klass = klass_from_word(&e->t->layout, word);
	if (!klass || strpool_bytes(e->strings) > KLASS_NAMES_MAX ||
	    klass_name(e->t->mem, &e->t->layout, klass, e->strings, &name))
		return NULL;
	names_put(&e->klasses, word, name, now_ns);
	return name; /* the pool's */
}

static void thread_json(struct trace_events *e, struct buf *b, const struct hp_entry *rec)
{
	const struct name_entry *name = names_get(&e->threads, rec->java_tid);

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

void trace_event_entry(struct trace_events *e, const struct site *site, const struct entry_view *v)
{
	struct buf *b = trace_event_begin(e, "entry", v->e->h.ts_ns);
	const struct call_layout *call = site->call;
	struct arg_value value;

	thread_json(e, b, v->e);
	buf_add(b, site->json_head, site->json_head_len);
	if (!call->is_static) {
		entry_arg(call, v, -1, &value);
		buf_str(b, ",\"this\":");
		json_arg(b, NULL, &value, klass_of_word, e);
	}
	buf_str(b, ",\"args\":[");
	for (int i = 0; i < call->sig.nparams; i++) {
		if (i)
			buf_add(b, ",", 1);
		entry_arg(call, v, i, &value);
		json_arg(b, site->types[i], &value, klass_of_word, e);
	}
	buf_add(b, "]", 1);
	trace_event_end(b);
}

void trace_event_site(struct trace_events *e, const char *event, const struct site *site,
		      const char *why)
{
	struct buf *b = trace_event_begin(e, event, clock_ns());

	buf_add(b, site->json_head, site->json_head_len);
	buf_str(b, ",\"entry\":");
	buf_hex(b, site->nm.entry);
	buf_str(b, ",\"why\":");
	json_str(b, why, strlen(why));
	trace_event_end(b);
}

void trace_event_lost(struct trace_events *e, uint64_t mono_ns, uint64_t count, const char *where)
{
	struct buf *b;

	if (!count)
		return;
	b = trace_event_begin(e, "lost", mono_ns);
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
		if (t->coder)
			json_utf16(&b, t->text, t->text_len);
		else
			json_latin1(&b, t->text, t->text_len);
	}
	buf_add(&b, "", 1);
	names_put(&e->threads, t->java_tid, !b.failed && b.len > 1 ? b.data : NULL, rec->ts_ns);
	buf_fini(&b);
}
