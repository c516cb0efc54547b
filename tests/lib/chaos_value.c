/* SPDX-License-Identifier: MIT */
#include "lib/chaos_value.h"

#include <math.h>
#include <stdarg.h>

#include "lib/hp.h"

#define VALUES_MAX 16
#define VALUE_MAX  96

static const struct method {
	const char *name, *call; /* as text begins it */
	size_t values;
} methods[] = {
	{"call", " prog.Chaos.call(", 4},
	{"instance", " prog.Chaos.instance(", 12},
};

struct values {
	char v[VALUES_MAX][VALUE_MAX];
	size_t n;
};

static void _printf_(2, 3) wrong(struct chaos_seen *s, const char *fmt, ...)
{
	va_list ap;

	if (*s->wrong)
		return;
	va_start(ap, fmt);
	vsnprintf(s->wrong, sizeof(s->wrong), fmt, ap);
	va_end(ap);
}

static void _printf_(2, 3) add(struct values *v, const char *fmt, ...)
{
	va_list ap;

	if (v->n == VALUES_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(v->v[v->n++], VALUE_MAX, fmt, ap);
	va_end(ap);
}

static void add_text(struct values *v, int64_t n)
{
	static const char *const tails[] = {"", "ä€", "ä€ä€", "ä€ä€ä€"};

	add(v, "t%d%s", (int)(n % 250), tails[n % 250 % 4]);
}

/* What prog.Chaos passes in its call number @n. */
static void expect(struct values *v, size_t method, int64_t thread, int64_t n)
{
	add(v, "%lld", (long long)thread);
	add(v, "%lld", (long long)n);
	if (method == 0) {
		add_text(v, n);
		add(v, "%.17g", (double)n * 0.25);
		return;
	}
	add(v, "%lld", (long long)n * 3);
	add(v, "%d", (int32_t)(n ^ 0x55));
	add_text(v, n);
	add(v, "%s", n & 1 ? "true" : "false");
	add(v, "%lld", (long long)~n);
	add(v, "%.17g", (double)(n % 1000) * 0.5);
	add_text(v, n + 1);
	add(v, "%c", (int)('a' + n % 26));
	add(v, "null");
	add(v, "%d", (int8_t)n);
}

/* Numbers may be written in more than one way. */
static bool same(const char *a, const char *b)
{
	char *end_a, *end_b;
	double x = strtod(a, &end_a), y = strtod(b, &end_b);

	return !strcmp(a, b) || (*a && *b && !*end_a && !*end_b && fabs(x - y) <= fabs(y) * 1e-12);
}

/* A gap counts only between two calls that were seen. */
static void follow(struct chaos_seen *s, size_t method, size_t thread, uint64_t n)
{
	uint64_t *next = &s->next[method][thread];

	if (n < *next)
		wrong(s, "%s of caller-%zu: call %llu after call %llu", methods[method].name,
		      thread, (unsigned long long)n, (unsigned long long)*next - 1);
	s->gaps += *next && n > *next;
	*next = n + 1;
}

static void judge(struct chaos_seen *s, size_t method, const char *thread, const struct values *got,
		  const char *line)
{
	int64_t id = atoll(got->v[0]), n = atoll(got->v[1]);
	struct values want = {.n = 0};
	char name[32];

	if (id < -1 || id >= CHAOS_CALLERS || n < 0 || got->n != methods[method].values) {
		wrong(s, "no such call: %.300s", line);
		return;
	}
	expect(&want, method, id, n);
	for (size_t i = 0; i < want.n; i++)
		if (!same(got->v[i], want.v[i]))
			wrong(s, "value %zu is '%s', not '%s': %.300s", i, got->v[i], want.v[i],
			      line);
	snprintf(name, sizeof(name), "caller-%lld", (long long)id);
	if (!strncmp(thread, "caller-", 7) && strcmp(thread, name))
		wrong(s, "thread %s, not %s: %.300s", thread, name, line);
	s->checked++;
	if (id >= 0)
		follow(s, method, (size_t)id, (uint64_t)n);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void json_value(struct values *v, const json_t *arg)
{
	const json_t *o = json_object_get(arg, "value");

	if (json_is_string(o))
		add(v, "%s", json_string_value(o));
	else if (json_is_integer(o))
		add(v, "%lld", (long long)json_integer_value(o));
	else if (json_is_real(o))
		add(v, "%.17g", json_real_value(o));
	else if (json_is_boolean(o))
		add(v, "%s", json_is_true(o) ? "true" : "false");
	else
		add(v, "%s", json_is_null(o) ? "null" : json_text(arg, "error"));
}

static void json_entry(struct chaos_seen *s, const json_t *o, const char *line)
{
	struct values got = {.n = 0};
	const json_t *arg;
	size_t i;

	s->entries++;
	for (size_t m = 0; m < ARRAY_SIZE(methods); m++) {
		if (strcmp(json_text(o, "class"), "prog.Chaos") ||
		    strcmp(json_text(o, "name"), methods[m].name))
			continue;
		json_array_foreach (json_object_get(o, "args"), i, arg)
			json_value(&got, arg);
		judge(s, m, json_text(o, "thread"), &got, line);
	}
}

static void json_event(struct chaos_seen *s, const char *line)
{
	json_t *o = json_line(line);
	const char *event = json_text(o, "event");

	if (!json_is_object(o))
		wrong(s, "not JSON: %.300s", line);
	else if (!strcmp(event, "entry"))
		json_entry(s, o, line);
	else if (!strcmp(event, "attached"))
		s->attached = true;
	else if (!strcmp(event, "probed") || !strcmp(event, "unprobed"))
		s->changed = true;
	if (!strcmp(event, "detached")) {
		s->detached = true;
		s->restored = json_is_true(json_object_get(o, "restored"));
		s->hits = (uint64_t)json_integer_value(json_object_get(o, "hits"));
		s->lost = (uint64_t)json_integer_value(json_object_get(o, "lost"));
	}
	json_decref(o);
}

/* --- text ------------------------------------------------------------------------------------- */

static bool is_name(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789",
			    s[i]))
			return false;
	return len > 0;
}

/* One value without its name and quotes; the receiver is none. */
static void text_value(struct values *v, const char *s, size_t len)
{
	const char *eq = memchr(s, '=', len);

	if (len > 5 && !strncmp(s, "this=", 5))
		return;
	if (eq && is_name(s, (size_t)(eq - s))) {
		len -= (size_t)(eq + 1 - s);
		s = eq + 1;
	}
	if (len > 1 && (*s == '"' || *s == '\'')) {
		s++;
		len -= 2;
	}
	add(v, "%.*s", (int)len, s);
}

/* "TIME THREAD/ID CLASS.METHOD(VALUE, ...)" */
static void text_entry(struct chaos_seen *s, size_t method, const char *line, const char *values)
{
	const char *thread = strchr(line, ' '), *end = strrchr(values, ')');
	_cleanup_free_ char *name = thread ? strndup(thread + 1, strcspn(thread + 1, "/ ")) : NULL;
	struct values got = {.n = 0};

	while (end && values < end) {
		const char *comma = strstr(values, ", ");

		if (!comma || comma > end)
			comma = end;
		text_value(&got, values, (size_t)(comma - values));
		values = comma + 2;
	}
	if (!name || got.n < 2)
		wrong(s, "no call: %.300s", line);
	else
		judge(s, method, name, &got, line);
}

static void text_line(struct chaos_seen *s, const char *line)
{
	for (size_t m = 0; m < ARRAY_SIZE(methods); m++) {
		const char *call = strstr(line, methods[m].call);

		if (call)
			text_entry(s, m, line, call + strlen(methods[m].call));
	}
	s->entries += strstr(line, "(") != NULL;
}

void chaos_value_line(struct chaos_seen *s, const char *line)
{
	if (s->json)
		json_event(s, line);
	else
		text_line(s, line);
}

void chaos_value_end(struct chaos_seen *s)
{
	if (s->gaps && s->json && s->detached && !s->lost && !s->changed)
		wrong(s, "calls are missing in %llu places, and none was lost",
		      (unsigned long long)s->gaps);
	if (s->detached && s->hits < s->entries)
		wrong(s, "%llu calls printed, of %llu", (unsigned long long)s->entries,
		      (unsigned long long)s->hits);
}
