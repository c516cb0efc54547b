/* SPDX-License-Identifier: MIT */
#include "lib/compare.h"

#include "lib/hp.h"

#include "lib/cmocka_all.h"

#define DIFFERENCES_SHOWN 3
#define DUMP		  (JSON_COMPACT | JSON_ENSURE_ASCII)

/* As a double, whether it was written "1", "1.0" or "NaN". */
static bool number(const json_t *v, double *ret)
{
	const char *s = json_string_value(v);

	if (json_is_number(v))
		*ret = json_number_value(v);
	else if (s && !strcmp(s, "NaN"))
		*ret = __builtin_nan("");
	else if (s && !strcmp(s, "Infinity"))
		*ret = __builtin_inf();
	else if (s && !strcmp(s, "-Infinity"))
		*ret = -__builtin_inf();
	else
		return false;
	return true;
}

static bool same_float(const json_t *want, const json_t *got, bool is_double)
{
	double a, b;
	float x, y;

	if (!number(want, &a) || !number(got, &b))
		return false;
	if (a != a || b != b)
		return a != a && b != b;
	x = (float)a;
	y = (float)b;
	return is_double ? !memcmp(&a, &b, sizeof(a)) : !memcmp(&x, &y, sizeof(x));
}

static bool same_member(const char *type, const char *key, const json_t *want, const json_t *got)
{
	bool is_double = !strcmp(type, "double");

	if (!strcmp(key, "value") && (is_double || !strcmp(type, "float")))
		return same_float(want, got, is_double);
	return json_equal(want, got);
}

bool compare_arg(const json_t *want, const json_t *got, char *why, size_t size)
{
	const char *type = json_text(want, "type"), *error = json_text(got, "error"), *key;
	json_t *w = (json_t *)want, *value;
	bool text = json_object_get(want, "maybe") && json_object_get(got, "value");

	if (*error) {
		snprintf(why, size, "error: %s", error);
		return false;
	}
	json_object_foreach (w, key, value) {
		if (!strcmp(key, "maybe") || (text && !strcmp(key, "addr")))
			continue;
		if (!same_member(type, key, value, json_object_get(got, key))) {
			snprintf(why, size, "\"%s\" differs", key);
			return false;
		}
	}
	if (text)
		return compare_arg(json_object_get(want, "maybe"), got, why, size);
	if (json_object_get(want, "class") && !json_addr(got, "addr")) {
		snprintf(why, size, "no \"addr\"");
		return false;
	}
	return true;
}

static bool compare_args(const json_t *want, const json_t *got, char *why, size_t size)
{
	size_t n = json_array_size(want);
	char what[256];

	if (!json_is_array(got) || json_array_size(got) != n) {
		snprintf(why, size, "%zu arguments, not %zu", json_array_size(got), n);
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		const json_t *w = json_array_get(want, i), *g = json_array_get(got, i);

		if (!compare_arg(w, g, what, sizeof(what))) {
			_cleanup_free_ char *a = json_dumps(w, DUMP), *b = json_dumps(g, DUMP);

			snprintf(why, size, "argument %zu: %s: %.300s, not %.300s", i, what, b, a);
			return false;
		}
	}
	return true;
}

static bool compare_call(const json_t *want, const json_t *got, char *why, size_t size)
{
	const char *key;
	json_t *value, *w = (json_t *)want;

	json_object_foreach (w, key, value) {
		const json_t *other = json_object_get(got, key);

		if (!strcmp(key, "args")) {
			if (!compare_args(value, other, why, size))
				return false;
		} else if (!strcmp(key, "this")) {
			if (!compare_arg(value, other, why, size))
				return false;
		} else if (!json_equal(value, other)) {
			snprintf(why, size, "\"%s\" differs", key);
			return false;
		}
	}
	if (!json_object_get(want, "this") && json_object_get(got, "this")) {
		snprintf(why, size, "a static method has \"this\"");
		return false;
	}
	return true;
}

/* {"java_tid": [calls]} */
static json_t *by_thread(const json_t *calls, bool entries_only)
{
	json_t *ret = json_object(), *call;
	char key[32];
	size_t i;

	json_array_foreach (calls, i, call) {
		json_t *list;

		if (!strcmp(json_text(call, "event"), "coverage") ||
		    (entries_only && strcmp(json_text(call, "event"), "entry")))
			continue;
		snprintf(key, sizeof(key), "%lld",
			 (long long)json_integer_value(json_object_get(call, "java_tid")));
		list = json_object_get(ret, key);
		if (!list) {
			list = json_array();
			json_object_set_new(ret, key, list);
		}
		json_array_append(list, call);
	}
	return ret;
}

static void show(const char *what, const json_t *o)
{
	_cleanup_free_ char *text = o ? json_dumps(o, DUMP) : NULL;

	print_error("  %s: %.300s\n", what, text ? text : "nothing");
}

static size_t compare_thread(const char *tid, const json_t *want, const json_t *got, size_t shown)
{
	size_t nw = json_array_size(want), ng = json_array_size(got), diffs = 0;
	char why[1024];

	for (size_t i = 0; i < MAX(nw, ng); i++) {
		const json_t *w = json_array_get(want, i), *g = json_array_get(got, i);

		snprintf(why, sizeof(why), "%s", w ? "missing" : "too many");
		if (w && g && compare_call(w, g, why, sizeof(why)))
			continue;
		if (shown + diffs++ >= DIFFERENCES_SHOWN)
			continue;
		print_error("thread %s, call %zu: %s\n", tid, i, why);
		show("called", w);
		show("seen", g);
	}
	if (nw != ng)
		print_error("thread %s: %zu calls, %zu seen\n", tid, nw, ng);
	return diffs;
}

size_t compare_calls(const json_t *want, const json_t *got)
{
	json_t *w = by_thread(want, false), *g = by_thread(got, true), *list;
	size_t diffs = 0;
	const char *tid;

	json_object_foreach (w, tid, list)
		diffs += compare_thread(tid, list, json_object_get(g, tid), diffs);
	json_object_foreach (g, tid, list)
		if (!json_object_get(w, tid))
			diffs += compare_thread(tid, NULL, list, diffs);
	json_decref(w);
	json_decref(g);
	return diffs;
}

size_t events_count(const json_t *events, const char *event)
{
	size_t n = 0, i;
	json_t *o;

	json_array_foreach (events, i, o)
		n += !strcmp(json_text(o, "event"), event);
	return n;
}

const json_t *events_find(const json_t *events, const char *event)
{
	size_t i;
	json_t *o;

	json_array_foreach (events, i, o)
		if (!strcmp(json_text(o, "event"), event))
			return o;
	return NULL;
}
