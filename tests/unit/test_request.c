// SPDX-License-Identifier: MIT
/* test_request.c - requests as JSON and back, from clients that may send anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/request.h"

/* @r as its reader gets it; @json holds its texts. */
static struct request round_trip(const struct request *r, json_t **json)
{
	struct fail f = {0};
	struct request ret;

	assert_int_equal(request_encode(r, json, &f), 0);
	assert_int_equal(request_decode(*json, &ret, &f), 0);
	return ret;
}

static int decode_text(const char *text, struct request *ret, struct fail *f, json_t **json)
{
	*json = json_loads(text, 0, NULL);
	assert_non_null(*json);
	*f = (struct fail){0};
	return request_decode(*json, ret, f);
}

/* Every option of a trace arrives as it was set. */
static void request_trace_round_trip(void **state _unused_)
{
	struct fail f = {0};
	struct request r, got;
	json_t *json;

	request_init(&r, REQUEST_TRACE);
	r.verbose = true;
	r.output = (struct output_request){
		.format = "text", .color = true, .header = true, .say_pid = true};
	r.target = (struct target_request){.pid = 4711, .binary = "/bin/x", .via = VIA_AUTO};
	r.trace.count = INT64_MAX;
	r.trace.duration_ns = 1;
	r.trace.string_max = 0;
	r.trace.ring_bytes = REQUEST_RING_MAX;
	r.trace.count_only = true;
	r.trace.interval_ns = 2500 * NSEC_PER_MSEC;
	assert_int_equal(request_add_spec(&r.trace, "com.shop.*", &f), 0);
	assert_int_equal(request_add_spec(&r.trace, "\xc3\xa4.b", &f), 0);
	got = round_trip(&r, &json);
	assert_int_equal(got.kind, REQUEST_TRACE);
	assert_true(got.verbose && got.output.color && got.output.header && got.output.say_pid);
	assert_string_equal(got.output.format, "text");
	assert_int_equal(got.target.pid, 4711);
	assert_string_equal(got.target.binary, "/bin/x");
	assert_int_equal(got.target.via, VIA_AUTO);
	assert_int_equal(got.trace.nspecs, 2);
	assert_string_equal(got.trace.specs[0], "com.shop.*");
	assert_string_equal(got.trace.specs[1], "\xc3\xa4.b");
	assert_true(got.trace.count == INT64_MAX);
	assert_int_equal(got.trace.duration_ns, 1);
	assert_int_equal(got.trace.string_max, 0);
	assert_int_equal(got.trace.ring_bytes, REQUEST_RING_MAX);
	assert_true(got.trace.count_only);
	assert_true(got.trace.interval_ns == 2500 * NSEC_PER_MSEC);
	json_decref(json);
}

/* The other kinds arrive too, and what was not set is at its default. */
static void request_kinds_round_trip(void **state _unused_)
{
	struct fail f = {0};
	struct request r, got;
	json_t *json;

	for (enum request_kind kind = REQUEST_LIST; kind <= REQUEST_LOST; kind++) {
		if (kind == REQUEST_TRACE || kind == REQUEST_COVERAGE)
			continue;
		request_init(&r, kind);
		got = round_trip(&r, &json);
		assert_int_equal(got.kind, kind);
		assert_string_equal(got.output.format, "json");
		assert_int_equal(got.target.pid, 0);
		assert_null(got.target.binary);
		assert_int_equal(got.target.via, VIA_DEFAULT);
		assert_false(got.verbose);
		json_decref(json);
	}
	request_init(&r, REQUEST_METHODS);
	r.methods.target.pid = 7;
	r.methods.pattern = "**.x";
	r.methods.follow = true;
	got = round_trip(&r, &json);
	assert_int_equal(got.target.pid, 7);
	assert_string_equal(got.methods.pattern, "**.x");
	assert_true(got.methods.follow);
	json_decref(json);
	request_init(&r, REQUEST_COVERAGE);
	r.trace.target.pid = 7;
	assert_int_equal(request_add_spec(&r.trace, "a.b", &f), 0);
	got = round_trip(&r, &json);
	assert_int_equal(got.target.pid, 7);
	assert_int_equal(got.trace.nspecs, 1);
	assert_string_equal(got.trace.specs[0], "a.b");
	json_decref(json);
	request_init(&r, REQUEST_LOST);
	r.lost.count = INT64_MAX;
	got = round_trip(&r, &json);
	assert_true(got.lost.count == INT64_MAX);
	json_decref(json);
}

/* Text that JSON cannot carry is refused where it is entered; so are too many SPECs. */
static void request_encode_refuses(void **state _unused_)
{
	struct fail f = {0};
	struct request r;
	json_t *json = NULL;

	request_init(&r, REQUEST_TRACE);
	assert_int_equal(request_add_spec(&r.trace, "a\xff", &f), 0);
	assert_int_equal(request_encode(&r, &json, &f), -EINVAL);
	assert_non_null(strstr(f.text, "UTF-8"));
	assert_null(json);
	fail_clear(&f);
	while (r.trace.nspecs < REQUEST_SPECS_MAX)
		assert_int_equal(request_add_spec(&r.trace, "a.b", &f), 0);
	assert_int_equal(request_add_spec(&r.trace, "a.b", &f), -EINVAL);
	assert_non_null(strstr(f.text, "64"));
}

/* Numbers are cut to their bounds, whatever they are; absent ones get their default. */
static void request_decode_cuts_numbers(void **state _unused_)
{
	struct request r;
	struct fail f;
	json_t *json;

	assert_int_equal(decode_text("{\"request\":\"trace\",\"specs\":[\"a.b\"],\"pid\":-4,"
				     "\"count\":-1,\"duration_ns\":1.5,\"string_max\":99999999999,"
				     "\"ring_bytes\":1}",
				     &r, &f, &json),
			 0);
	assert_int_equal(r.target.pid, 0);
	assert_int_equal(r.trace.count, 0);
	assert_int_equal(r.trace.duration_ns, 0);
	assert_int_equal(r.trace.string_max, REQUEST_STRING_MAX);
	assert_int_equal(r.trace.ring_bytes, REQUEST_RING_MIN);
	json_decref(json);
	assert_int_equal(decode_text("{\"request\":\"trace\",\"specs\":[\"a.b\"],\"pid\":"
				     "99999999999,\"ring_bytes\":99999999999,\"more\":[]}",
				     &r, &f, &json),
			 0);
	assert_int_equal(r.target.pid, INT32_MAX);
	assert_int_equal(r.trace.string_max, REQUEST_STRING_MAX_DEFAULT);
	assert_int_equal(r.trace.ring_bytes, REQUEST_RING_MAX);
	json_decref(json);
}

/* What is no request is refused with its reason, and nothing is believed of it. */
static void request_decode_refuses(void **state _unused_)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{"{}", "unknown request"},
		{"{\"request\":5}", "unknown request"},
		{"{\"request\":\"dance\"}", "unknown request"},
		{"{\"request\":\"trace\"}", "specs"},
		{"{\"request\":\"trace\",\"specs\":{}}", "specs"},
		{"{\"request\":\"trace\",\"specs\":[\"a\",1]}", "string"},
		{"{\"request\":\"trace\",\"specs\":[\"a\"],\"via\":\"door\"}", "via"},
		{"{\"request\":\"clean\",\"via\":7}", "via"},
		{"{\"request\":\"list\",\"format\":{}}", "format"},
	};
	struct request r;
	struct fail f;
	json_t *json;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(decode_text(cases[i].text, &r, &f, &json), -EINVAL);
		assert_non_null(strstr(f.text, cases[i].why));
		json_decref(json);
	}
}

/* One SPEC more than there may be is refused, not left out. */
static void request_decode_many_specs(void **state _unused_)
{
	json_t *json = json_pack("{s:s,s:[]}", "request", "trace", "specs");
	struct request r;
	struct fail f = {0};

	for (int i = 0; i < REQUEST_SPECS_MAX; i++)
		json_array_append_new(json_object_get(json, "specs"), json_string("a.b"));
	assert_int_equal(request_decode(json, &r, &f), 0);
	assert_int_equal(r.trace.nspecs, REQUEST_SPECS_MAX);
	json_array_append_new(json_object_get(json, "specs"), json_string("a.b"));
	assert_int_equal(request_decode(json, &r, &f), -EINVAL);
	json_decref(json);
}

/* Every way in has one name, both ways. */
static void via_parse_names(void **state _unused_)
{
	enum via via = VIA_DEFAULT;

	assert_int_equal(via_parse("ptrace", &via), 0);
	assert_int_equal(via, VIA_PTRACE);
	assert_int_equal(via_parse("agent", &via), 0);
	assert_int_equal(via, VIA_AGENT);
	assert_int_equal(via_parse("auto", &via), 0);
	assert_int_equal(via, VIA_AUTO);
	assert_int_equal(via_parse("", &via), -EINVAL);
	assert_int_equal(via_parse("agents", &via), -EINVAL);
	assert_string_equal(via_name(VIA_AGENT), "agent");
	assert_null(via_name(VIA_DEFAULT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_trace_round_trip),
		cmocka_unit_test(request_kinds_round_trip),
		cmocka_unit_test(request_encode_refuses),
		cmocka_unit_test(request_decode_cuts_numbers),
		cmocka_unit_test(request_decode_refuses),
		cmocka_unit_test(request_decode_many_specs),
		cmocka_unit_test(via_parse_names),
	};

	return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
