// SPDX-License-Identifier: MIT
/* request.c - requests as JSON, both ways. See request.h. */
#include "proto/request.h"

#define KIND_NAME(NAME, name) [REQUEST_##NAME] = #name,
static const char *const kinds[] = {
	REQUESTS(KIND_NAME)[REQUEST_STOP] = "stop", [REQUEST_HOLD] = "hold", [REQUEST_GO] = "go",
	[REQUEST_LOST] = "lost"};
#undef KIND_NAME

static const char format_default[] = "json";

/* Is it about a process or a file? */
static bool has_target(enum request_kind kind)
{
	return kind != REQUEST_LIST && kind < REQUEST_STOP;
}

void request_init(struct request *r, enum request_kind kind)
{
	*r = (struct request){.kind = kind, .output = {.format = format_default}};
	if (kind == REQUEST_TRACE) {
		r->trace.string_max = REQUEST_STRING_MAX_DEFAULT;
		r->trace.ring_bytes = REQUEST_RING_DEFAULT;
	}
}

int request_add_spec(struct trace_request *r, const char *spec, struct fail *f)
{
	if (r->nspecs == REQUEST_SPECS_MAX)
		return fail_set(f, -EINVAL,
				"too many SPECs: at most %d may be given; use wildcards",
				REQUEST_SPECS_MAX);
	r->specs[r->nspecs++] = spec;
	return 0;
}

/* --- to JSON ---------------------------------------------------------------------------------- */

/* An object under construction; the first failure stays. */
struct encoding {
	json_t *obj;
	int err;
	struct fail *f;
};

static void put(struct encoding *e, const char *key, json_t *value)
{
	if (json_object_set_new(e->obj, key, value) && !e->err)
		e->err = -ENOMEM;
}

static void put_flag(struct encoding *e, const char *key, bool flag)
{
	if (flag)
		put(e, key, json_true());
}

static void put_number(struct encoding *e, const char *key, uint64_t n)
{
	put(e, key, json_integer((json_int_t)n));
}

/* What jansson refuses is not UTF-8; JSON has no way to say it. */
static json_t *text(struct encoding *e, const char *s)
{
	json_t *v = json_string(s);

	if (!v && !e->err)
		e->err = fail_set(e->f, -EINVAL, "not UTF-8 text: '%s'", s);
	return v;
}

static void put_text(struct encoding *e, const char *key, const char *s)
{
	if (s)
		put(e, key, text(e, s));
}

static void put_target(struct encoding *e, const struct target_request *t)
{
	if (t->pid)
		put_number(e, "pid", (uint64_t)t->pid);
	put_text(e, "binary", t->binary);
	put_text(e, "via", via_name(t->via));
}

static void put_methods(struct encoding *e, const struct methods_request *m)
{
	put_text(e, "pattern", m->pattern);
	put_flag(e, "follow", m->follow);
}

static void put_specs(struct encoding *e, const struct trace_request *t)
{
	json_t *specs = json_array();

	put(e, "specs", specs);
	for (size_t i = 0; i < t->nspecs; i++)
		if (json_array_append_new(specs, text(e, t->specs[i])) && !e->err)
			e->err = -ENOMEM;
}

static void put_trace(struct encoding *e, const struct trace_request *t)
{
	put_specs(e, t);
	put_number(e, "count", t->count);
	put_number(e, "duration_ns", t->duration_ns);
	put_number(e, "string_max", t->string_max);
	put_number(e, "ring_bytes", t->ring_bytes);
	put_flag(e, "count_only", t->count_only);
	put_number(e, "interval_ns", t->interval_ns);
}

static void put_output(struct encoding *e, const struct output_request *o)
{
	if (strcmp(o->format, format_default))
		put_text(e, "format", o->format);
	put_flag(e, "color", o->color);
	put_flag(e, "header", o->header);
	put_flag(e, "say_pid", o->say_pid);
}

int request_encode(const struct request *r, json_t **ret, struct fail *f)
{
	struct encoding e = {.obj = json_object(), .f = f};

	put_text(&e, "request", kinds[r->kind]);
	put_flag(&e, "verbose", r->verbose);
	put_output(&e, &r->output);
	if (has_target(r->kind))
		put_target(&e, &r->target);
	if (r->kind == REQUEST_LOST)
		put_number(&e, "count", r->lost.count);
	if (r->kind == REQUEST_METHODS)
		put_methods(&e, &r->methods);
	else if (r->kind == REQUEST_TRACE)
		put_trace(&e, &r->trace);
	else if (r->kind == REQUEST_COVERAGE)
		put_specs(&e, &r->trace);
	if (e.err) {
		json_decref(e.obj);
		return fail_set(f, e.err, "out of memory");
	}
	*ret = e.obj;
	return 0;
}

/* --- from JSON -------------------------------------------------------------------------------- */

static int64_t number(const json_t *obj, const char *key, int64_t def, int64_t lo, int64_t hi)
{
	const json_t *v = json_object_get(obj, key);
	int64_t n = json_is_integer(v) ? json_integer_value(v) : def;

	return n < lo ? lo : n > hi ? hi : n;
}

static bool flag(const json_t *obj, const char *key)
{
	return json_is_true(json_object_get(obj, key));
}

static const char *text_of(const json_t *obj, const char *key)
{
	return json_string_value(json_object_get(obj, key));
}

static int get_target(const json_t *obj, struct target_request *t, struct fail *f)
{
	const char *via = text_of(obj, "via");

	t->pid = (pid_t)number(obj, "pid", 0, 0, INT32_MAX);
	t->binary = text_of(obj, "binary");
	if (json_object_get(obj, "via") && (!via || via_parse(via, &t->via)))
		return fail_set(f, -EINVAL, "\"via\" must be \"ptrace\", \"agent\" or \"auto\"");
	return 0;
}

static int get_specs(const json_t *obj, struct trace_request *t, struct fail *f)
{
	json_t *list = json_object_get(obj, "specs"), *v;
	size_t i;
	int err = 0;

	json_array_foreach (list, i, v) {
		if (!json_is_string(v))
			err = fail_set(f, -EINVAL, "each of \"specs\" must be a string");
		else if (!err)
			err = request_add_spec(t, json_string_value(v), f);
	}
	if (!err && !t->nspecs)
		err = fail_set(f, -EINVAL, "\"specs\" is empty: give at least one SPEC");
	return err;
}

static int get_trace(const json_t *obj, struct trace_request *t, struct fail *f)
{
	t->count = (uint64_t)number(obj, "count", 0, 0, INT64_MAX);
	t->duration_ns = (uint64_t)number(obj, "duration_ns", 0, 0, INT64_MAX);
	t->string_max = (uint32_t)number(obj, "string_max", REQUEST_STRING_MAX_DEFAULT, 0,
					 REQUEST_STRING_MAX);
	t->ring_bytes = (size_t)number(obj, "ring_bytes", REQUEST_RING_DEFAULT, REQUEST_RING_MIN,
				       REQUEST_RING_MAX);
	t->count_only = flag(obj, "count_only");
	t->interval_ns = (uint64_t)number(obj, "interval_ns", 0, 0, INT64_MAX);
	if (t->interval_ns)
		t->interval_ns = MAX(t->interval_ns, (uint64_t)REQUEST_INTERVAL_MIN_NS);
	return get_specs(obj, t, f);
}

static int get_output(const json_t *obj, struct output_request *o, struct fail *f)
{
	const char *format = text_of(obj, "format");

	if (json_object_get(obj, "format") && !format)
		return fail_set(f, -EINVAL, "\"format\" must be a string");
	o->format = format ? format : format_default;
	o->color = flag(obj, "color");
	o->header = flag(obj, "header");
	o->say_pid = flag(obj, "say_pid");
	return 0;
}

static int get_kind(const json_t *obj, enum request_kind *ret, struct fail *f)
{
	const char *name = text_of(obj, "request");

	for (size_t i = 0; name && i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(name, kinds[i]))
			continue;
		*ret = (enum request_kind)i;
		return 0;
	}
	return fail_set(f, -EINVAL,
			"unknown request: this engine is of another version than its client");
}

int request_decode(const json_t *json, struct request *ret, struct fail *f)
{
	int err;

	request_init(ret, REQUEST_LIST);
	ret->verbose = flag(json, "verbose");
	err = get_kind(json, &ret->kind, f);
	if (!err)
		err = get_output(json, &ret->output, f);
	if (!err && has_target(ret->kind))
		err = get_target(json, &ret->target, f);
	if (!err && ret->kind == REQUEST_LOST)
		ret->lost.count = (uint64_t)number(json, "count", 0, 0, INT64_MAX);
	if (!err && ret->kind == REQUEST_METHODS) {
		ret->methods.pattern = text_of(json, "pattern");
		ret->methods.follow = flag(json, "follow");
	}
	if (!err && ret->kind == REQUEST_TRACE)
		err = get_trace(json, &ret->trace, f);
	if (!err && ret->kind == REQUEST_COVERAGE)
		err = get_specs(json, &ret->trace, f);
	return err;
}
