// SPDX-License-Identifier: MIT
/* print_events.c - the lines of a trace, for a person. See trace.h. */
#include <time.h>

#include "cli/trace.h"

static void print_member(FILE *out, json_t *obj, const char *key)
{
	json_t *s = json_object_get(obj, key);

	if (json_is_string(s))
		print_text(out, json_string_value(s), json_string_length(s), 0);
	else
		fputc('?', out);
}

static void print_quoted(FILE *out, json_t *s, char quote)
{
	fputc(quote, out);
	print_text(out, json_string_value(s), json_string_length(s), quote);
	fputc(quote, out);
}

static void print_value(FILE *out, json_t *arg)
{
	json_t *value = json_object_get(arg, "value");
	const char *error = json_string_value(json_object_get(arg, "error"));
	const char *type = json_string_value(json_object_get(arg, "type"));
	const char *klass = json_string_value(json_object_get(arg, "class"));
	const char *addr = json_string_value(json_object_get(arg, "addr"));

	if (error) {
		fprintf(out, "<%s>", error);
	} else if (json_is_string(value) && type && strcmp(type, "char") == 0) {
		print_quoted(out, value, '\'');
	} else if (json_is_string(value) && type && strchr("fd", type[0]) && !strchr(type, '.')) {
		fputs(json_string_value(value), out); /* NaN, Infinity */
	} else if (json_is_string(value)) {
		print_quoted(out, value, '"');
	} else if (value) {
		json_dumpf(value, out, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
	} else {
		print_member(out, arg, klass ? "class" : "type");
		fprintf(out, "@%s", addr ? addr + 2 : "?");
	}
	if (json_is_true(json_object_get(arg, "truncated")))
		fputs("...", out);
}

static void print_time(FILE *out, uint64_t ts_ns)
{
	time_t sec = (time_t)(ts_ns / NSEC_PER_SEC);
	char text[16];
	struct tm tm;

	strftime(text, sizeof(text), "%H:%M:%S", localtime_r(&sec, &tm));
	fprintf(out, "%s.%06llu", text, (unsigned long long)(ts_ns % NSEC_PER_SEC / 1000));
}

/* By Java's id; in a native image, which has none for us, by process and the kernel's id. */
static void print_thread(FILE *out, json_t *obj)
{
	json_t *java_tid = json_object_get(obj, "java_tid");

	if (json_object_get(obj, "kind"))
		fprintf(out, "%lld ", (long long)json_integer_value(json_object_get(obj, "pid")));
	print_member(out, obj, "thread");
	if (!json_is_integer(java_tid))
		java_tid = json_object_get(obj, json_object_get(obj, "kind") ? "tid" : "java_tid");
	fprintf(out, "/%lld", (long long)json_integer_value(java_tid));
}

/* Registers of a call whose parameters nobody knows. */
static void print_raw(FILE *out, json_t *raw)
{
	static const char *const names[] = {"rdi", "rsi", "rdx", "rcx", "r8", "r9"};
	json_t *v;
	size_t i;

	json_array_foreach (raw, i, v)
		if (i < ARRAY_SIZE(names))
			fprintf(out, "%s%s=%s", i ? ", " : "", names[i], json_string_value(v));
}

static void print_call(FILE *out, json_t *obj)
{
	const struct colors *c = colors(out);
	json_t *self = json_object_get(obj, "this"), *arg;
	const char *sep = "";
	size_t i;

	fputs(c->dim, out);
	print_time(out, (uint64_t)json_integer_value(json_object_get(obj, "ts")));
	fputc(' ', out);
	print_thread(out, obj);
	fprintf(out, "%s %s", c->off, c->bold);
	print_member(out, obj, "class");
	fputc('.', out);
	print_member(out, obj, "name");
	fprintf(out, "%s(", c->off);
	if (self) {
		fprintf(out, "%sthis=", c->dim);
		print_value(out, self);
		fputs(c->off, out);
		sep = ", ";
	}
	json_array_foreach (json_object_get(obj, "args"), i, arg) {
		fputs(sep, out);
		print_value(out, arg);
		sep = ", ";
	}
	print_raw(out, json_object_get(obj, "raw"));
	fputs(")\n", out);
}

/* "PID 4711", or "/usr/bin/app", of which every process is meant. */
static void print_target(json_t *obj)
{
	json_t *pid = json_object_get(obj, "pid"), *binary = json_object_get(obj, "binary");

	if (json_is_integer(pid))
		fprintf(stderr, "PID %lld", (long long)json_integer_value(pid));
	else if (binary)
		print_column(stderr, json_string_value(binary), 0);
	else
		fputs("all processes", stderr);
}

static void print_attached(json_t *obj)
{
	fputs("hotprobe: attached to ", stderr);
	print_target(obj);
	fprintf(stderr, ": %lld %s probed\n",
		(long long)json_integer_value(json_object_get(obj, "sites")),
		json_object_get(obj, "kind") ? "methods" : "compiled bodies");
}

static void print_detached(json_t *obj)
{
	long long lost = json_integer_value(json_object_get(obj, "lost"));
	long long events = json_integer_value(json_object_get(obj, "events"));
	long long hits = json_integer_value(json_object_get(obj, "hits"));

	fputs("hotprobe: detached from ", stderr);
	print_target(obj);
	fprintf(stderr, " (%s): %lld calls", json_string_value(json_object_get(obj, "reason")),
		events);
	if (hits && !events)
		fprintf(stderr, " shown, %lld counted", hits);
	if (lost)
		fprintf(stderr, ", %lld lost", lost);
	fputs("\n", stderr);
}

static void print_change(json_t *obj, const char *event, const char *method)
{
	fprintf(stderr, "hotprobe: %s ", event);
	print_column(stderr, method, 0);
	fprintf(stderr,
		" (level %lld): ", (long long)json_integer_value(json_object_get(obj, "level")));
	print_member(stderr, obj, "why");
	fputc('\n', stderr);
}

void print_event(FILE *out, json_t *obj)
{
	const char *event = json_string_value(json_object_get(obj, "event"));
	const char *method = json_string_value(json_object_get(obj, "method"));

	if (!event)
		return;
	if (strcmp(event, "entry") == 0) {
		print_call(out, obj);
		return;
	}
	/* Keep the order a person sees on a terminal. */
	fflush(out);
	if (strcmp(event, "attached") == 0)
		print_attached(obj);
	else if (strcmp(event, "detached") == 0)
		print_detached(obj);
	else if (strcmp(event, "lost") == 0)
		fprintf(stderr,
			"hotprobe: warning: %lld calls were lost: they came faster than they "
			"are printed (a larger --ring-size bridges bursts)\n",
			(long long)json_integer_value(json_object_get(obj, "count")));
	else if (method)
		print_change(obj, event, method);
}
