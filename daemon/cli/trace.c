// SPDX-License-Identifier: MIT
/* trace.c - `hotprobe trace`: one line per call. */
#include <time.h>

#include "cli/cli.h"

enum { OPT_STRING_MAX = 256, OPT_RING_SIZE, OPT_COUNT_ONLY };

struct trace_options {
	struct common c;
	uint64_t count, duration_ns, string_max, ring_bytes;
	bool count_only;
};

/* --- text ------------------------------------------------------------------------------------- */

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

static void print_call(FILE *out, json_t *obj)
{
	const struct colors *c = colors(out);
	json_t *self = json_object_get(obj, "this"), *arg;
	const char *sep = "";
	size_t i;

	fputs(c->dim, out);
	print_time(out, (uint64_t)json_integer_value(json_object_get(obj, "ts")));
	fputc(' ', out);
	print_member(out, obj, "thread");
	fprintf(out, "/%lld%s %s", (long long)json_integer_value(json_object_get(obj, "java_tid")),
		c->off, c->bold);
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
	json_array_foreach(json_object_get(obj, "args"), i, arg) {
		fputs(sep, out);
		print_value(out, arg);
		sep = ", ";
	}
	fputs(")\n", out);
}

static void print_attached(json_t *obj)
{
	fprintf(stderr, "hotprobe: attached to PID %lld: %lld compiled bodies probed\n",
		(long long)json_integer_value(json_object_get(obj, "pid")),
		(long long)json_integer_value(json_object_get(obj, "sites")));
}

static void print_detached(json_t *obj)
{
	long long lost = json_integer_value(json_object_get(obj, "lost"));
	long long events = json_integer_value(json_object_get(obj, "events"));
	long long hits = json_integer_value(json_object_get(obj, "hits"));

	fprintf(stderr, "hotprobe: detached (%s): %lld calls",
		json_string_value(json_object_get(obj, "reason")), events);
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
	fprintf(stderr, " (level %lld): ",
		(long long)json_integer_value(json_object_get(obj, "level")));
	print_member(stderr, obj, "why");
	fputc('\n', stderr);
}

static void print_event(FILE *out, json_t *obj)
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
		fprintf(stderr, "hotprobe: warning: %lld calls were lost: they came faster than they "
				"are printed (a larger --ring-size bridges bursts)\n",
			(long long)json_integer_value(json_object_get(obj, "count")));
	else if (method)
		print_change(obj, event, method);
}

/* --- options ---------------------------------------------------------------------------------- */

static int trace_option(struct trace_options *o, int opt)
{
	int err = 0;

	switch (opt) {
	case 'n':
		err = parse_number(optarg, 1, INT64_MAX, &o->count);
		break;
	case 'd':
		err = parse_duration(optarg, &o->duration_ns);
		break;
	case OPT_STRING_MAX:
		err = parse_number(optarg, 0, PROTO_STRING_MAX, &o->string_max);
		break;
	case OPT_RING_SIZE:
		err = parse_size(optarg, PROTO_RING_MIN, PROTO_RING_MAX, &o->ring_bytes);
		break;
	case OPT_COUNT_ONLY:
		o->count_only = true;
		break;
	default:
		return common_option(&cmd_trace, &o->c, opt);
	}
	if (err)
		usage_error(&cmd_trace, "'%s' is no valid value here", optarg);
	return err;
}

static json_t *trace_request(const struct trace_options *o, char **specs, int n)
{
	json_t *req = request_new(&o->c, "trace"), *list = json_array();

	json_object_set_new(req, "specs", list);
	for (int i = 0; i < n; i++) {
		if (!json_array_append_new(list, json_string(specs[i])))
			continue;
		usage_error(&cmd_trace, "SPEC %d is no UTF-8 text", i + 1);
		json_decref(req);
		return NULL;
	}
	json_object_set_new(req, "count", json_integer((json_int_t)o->count));
	json_object_set_new(req, "duration_ns", json_integer((json_int_t)o->duration_ns));
	json_object_set_new(req, "string_max", json_integer((json_int_t)o->string_max));
	json_object_set_new(req, "ring_bytes", json_integer((json_int_t)o->ring_bytes));
	json_object_set_new(req, "count_only", json_boolean(o->count_only));
	return req;
}

static enum status run(int argc, char **argv)
{
	static const struct option options[] = {
		{"count", required_argument, NULL, 'n'},
		{"duration", required_argument, NULL, 'd'},
		{"string-max", required_argument, NULL, OPT_STRING_MAX},
		{"ring-size", required_argument, NULL, OPT_RING_SIZE},
		{"count-only", no_argument, NULL, OPT_COUNT_ONLY},
		COMMON_LONG,
		{0},
	};
	struct trace_options o = {.string_max = PROTO_STRING_MAX_DEFAULT,
				  .ring_bytes = PROTO_RING_DEFAULT};
	json_t *req;
	int opt, err;

	while ((opt = getopt_long(argc, argv, COMMON_SHORT "n:d:", options, NULL)) != -1) {
		err = trace_option(&o, opt);
		if (err)
			return err < 0 ? STATUS_USAGE : STATUS_OK;
	}
	if (!o.c.pid)
		return usage_error(&cmd_trace, "which JVM? give its PID with -p");
	if (optind == argc)
		return usage_error(&cmd_trace, "which methods? give a SPEC such as com.shop.Cart.add");
	req = trace_request(&o, argv + optind, argc - optind);
	return req ? run_request(&o.c, req, print_event) : STATUS_USAGE;
}

const struct command cmd_trace = {
	.name = "trace",
	.args = "-p PID [OPTIONS] SPEC...",
	.summary = "print every call of compiled methods with its arguments",
	.options = "  -p, --pid PID        the JVM\n"
		   "  -n, --count N        stop after N calls\n"
		   "  -d, --duration TIME  stop after TIME: seconds, or 500ms, 2m, ...\n"
		   "      --string-max N   show at most N bytes of a string (default 256, at most 4096)\n"
		   "      --ring-size SIZE buffer for calls not yet printed (default 16M)\n"
		   "      --count-only     only count the calls, print none\n"
		   "  SPEC                 com.shop.Cart.add, com.shop.*.get*, 'Cart.add(int, String)',\n"
		   "                       com.shop.Cart.<init>: * within a name, ** across packages\n",
	.example = "hotprobe trace -p 4711 'com.shop.Cart.add(int, String)'",
	.run = run,
};
