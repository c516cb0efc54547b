// SPDX-License-Identifier: MIT
/*
 * Fuzz target (libFuzzer): lines that a client sends to the engine. A request that is refused is
 * refused with a reason; one that is taken keeps to the bounds, and encoded it is itself again.
 */
#include "fuzz.h"
#include "proto/request.h"

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static void check_trace(const struct trace_request *a, const struct trace_request *b)
{
	fuzz_check(a->nspecs && a->nspecs <= REQUEST_SPECS_MAX && a->nspecs == b->nspecs);
	for (size_t i = 0; i < a->nspecs; i++)
		fuzz_check(a->specs[i] && same_text(a->specs[i], b->specs[i]));
	fuzz_check(a->string_max <= REQUEST_STRING_MAX && a->string_max == b->string_max);
	fuzz_check(a->ring_bytes >= REQUEST_RING_MIN && a->ring_bytes <= REQUEST_RING_MAX);
	fuzz_check(a->ring_bytes == b->ring_bytes && a->count_only == b->count_only &&
		   a->interval_ns == b->interval_ns);
	fuzz_check(a->count == b->count && a->duration_ns == b->duration_ns);
}

static void check_same(const struct request *a, const struct request *b)
{
	fuzz_check(a->kind == b->kind && a->verbose == b->verbose);
	fuzz_check(same_text(a->output.format, b->output.format));
	fuzz_check(a->output.color == b->output.color && a->output.say_pid == b->output.say_pid);
	if (a->kind == REQUEST_LIST || a->kind == REQUEST_STOP)
		return;
	fuzz_check(a->target.pid >= 0 && a->target.pid == b->target.pid);
	fuzz_check(same_text(a->target.binary, b->target.binary) && a->target.via == b->target.via);
	if (a->kind == REQUEST_METHODS)
		fuzz_check(same_text(a->methods.pattern, b->methods.pattern) &&
			   a->methods.follow == b->methods.follow);
	if (a->kind == REQUEST_TRACE)
		check_trace(&a->trace, &b->trace);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	json_t *json = json_loadb((const char *)data, len, JSON_REJECT_DUPLICATES, NULL), *again;
	struct request r, r2;
	struct fail f = {0};
	int err;

	if (!json)
		return 0;
	err = request_decode(json, &r, &f);
	fuzz_check(!err || (err == -EINVAL && f.text[0]));
	if (!err) {
		fuzz_check(!request_encode(&r, &again, &f));
		fuzz_check(!request_decode(again, &r2, &f));
		check_same(&r, &r2);
		json_decref(again);
	}
	json_decref(json);
	return 0;
}
