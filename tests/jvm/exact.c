/* SPDX-License-Identifier: MIT */
#include "exact.h"

#include <signal.h>

#include "cmocka_all.h"

static void check(struct jvm *j, const struct run *r, const struct run_result *res,
		  const json_t *want)
{
	size_t diffs = compare_calls(want, res->events);
	_cleanup_free_ char *attached = json_dumps(res->attached, JSON_COMPACT);
	_cleanup_free_ char *detached = json_dumps(res->detached, JSON_COMPACT);

	if (r->commands[0] && !res->calls)
		jvm_fail(j, "the program recorded no call");
	if (diffs)
		jvm_fail(j, "%zu of %zu calls differ; %s; %s", diffs, res->calls, attached,
			 detached);
	if (!json_is_true(json_object_get(res->detached, "restored")) ||
	    json_integer_value(json_object_get(res->detached, "lost")))
		jvm_fail(j, "not left as it was: %s", detached);
	jvm_check_unhurt(j);
}

static void print_run(const struct jdk *jdk, const struct run *r)
{
	print_message("  %s", jdk->name);
	for (size_t i = 0; r->flags[i]; i++)
		if (!strstr(r->flags[i], "CompileCommand"))
			print_message(" %s", r->flags[i]);
	print_message("\n");
}

void run_exact(const struct jdk *jdk, const struct run *r, struct run_result *ret)
{
	struct run_result res = {.events = json_array()};
	struct child *hp;
	struct jvm j;
	json_t *want;

	print_run(jdk, r);
	jvm_start(&j, jdk, r->flags, (const char *const[]){r->program, NULL});
	jvm_ready(&j);
	if (r->settle)
		jvm_settle(&j, NULL);
	hp = hp_trace(j.pid, r->args);
	res.attached = hp_attached(hp);
	for (size_t i = 0; r->commands[i]; i++)
		res.answer = jvm_do(&j, "%s", r->commands[i]);
	res.detached = hp_finish(hp, SIGINT, 0, res.events);
	want = json_file(j.rec);
	res.calls = json_array_size(want);
	check(&j, r, &res, want);
	jvm_quit(&j);
	child_free(hp);
	json_decref(want);
	if (ret)
		*ret = res;
	else
		run_result_free(&res);
}

void run_result_free(struct run_result *r)
{
	json_decref(r->attached);
	json_decref(r->detached);
	json_decref(r->events);
}

void run_everywhere(const struct run *r)
{
	const struct jdk *jdks;
	size_t n = jdks_get(&jdks);

	for (size_t i = 0; i < n; i++)
		if (!jdks[i].altered)
			run_exact(&jdks[i], r, NULL);
}
