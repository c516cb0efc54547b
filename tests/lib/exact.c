/* SPDX-License-Identifier: MIT */
#include "lib/exact.h"

#include <signal.h>

#include "lib/cmocka_all.h"

static const char *call_key(const json_t *o)
{
	static char key[1024];

	snprintf(key, sizeof(key), "%s.%s%s", json_text(o, "class"), json_text(o, "name"),
		 json_text(o, "descriptor"));
	return key;
}

/* {"class.name(descriptor)": true} of the methods that have a compiled body to enter. */
static json_t *compiled_methods(struct jvm *j)
{
	json_t *ret = json_object();
	struct hp_result r;
	char pid[16], *save = NULL;

	snprintf(pid, sizeof(pid), "%d", j->pid);
	hp_run(&r, (const char *const[]){"methods", "-p", pid, "--json", NULL});
	hp_result_check(&r, 0);
	for (char *line = strtok_r(r.out, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		json_t *o = json_line(line);

		if (!strcmp(json_text(o, "state"), "in_use") &&
		    !json_is_true(json_object_get(o, "osr")))
			json_object_set_new(ret, call_key(o), json_true());
		json_decref(o);
	}
	hp_result_free(&r);
	return ret;
}

/* Those that got another body meanwhile: between two bodies a call runs interpreted. */
static void drop_changed(json_t *methods, const json_t *events)
{
	json_t *o;
	size_t i;

	json_array_foreach (events, i, o)
		if (json_object_get(o, "why"))
			json_object_del(methods, call_key(o));
}

/* Drop the calls of other methods. */
static void keep_methods(json_t *calls, json_t *methods)
{
	for (size_t i = json_array_size(calls); i--;)
		if (!json_object_get(methods, call_key(json_array_get(calls, i))))
			json_array_remove(calls, i);
}

static void check(struct jvm *j, const struct run *r, const struct run_result *res,
		  const json_t *want)
{
	size_t diffs = compare_calls(want, res->events);
	_cleanup_free_ char *attached = json_dumps(res->attached, JSON_COMPACT);
	_cleanup_free_ char *detached = json_dumps(res->detached, JSON_COMPACT);

	if (r->commands[0] && !res->calls)
		jvm_fail(j, "the program recorded no call");
	if (json_array_size(json_object_get(res->attached, "waiting")))
		jvm_fail(j, "a SPEC matches nothing: %s", attached);
	if (diffs)
		jvm_fail(j, "%zu of %zu calls differ; %s; %s", diffs, res->calls, attached,
			 detached);
	if (!json_is_true(json_object_get(res->detached, "restored")) ||
	    json_integer_value(json_object_get(res->detached, "lost")))
		jvm_fail(j, "not left as it was: %s", detached);
	jvm_check_unhurt(j);
}

/* Programs that run beside this one change what the JIT does, and when. */
#define SETTLED_MIN 50

static void print_run(const struct jdk *jdk, const struct run *r)
{
	print_message("  %s", jdk->name);
	for (size_t i = 0; r->flags[i]; i++)
		if (!strstr(r->flags[i], "CompileCommand"))
			print_message(" %s", r->flags[i]);
	print_message("\n");
}

/* What was recorded in the file of @j behind its first @skip calls. */
static json_t *recorded(struct jvm *j, size_t skip)
{
	json_t *ret = json_file(j->rec);

	while (skip--)
		json_array_remove(ret, 0);
	return ret;
}

/* Leave only calls of @methods in both, but for those with a new body. */
static void keep_settled(struct jvm *j, json_t *methods, json_t *want, json_t *events)
{
	size_t all = json_array_size(want);

	drop_changed(methods, events);
	keep_methods(want, methods);
	keep_methods(events, methods);
	print_message("    %zu of %zu calls are of methods with one body throughout\n",
		      json_array_size(want), all);
	/* How many bodies last is the JIT's affair. */
	if (json_array_size(want) < MIN(all, (size_t)SETTLED_MIN))
		jvm_fail(j, "too few calls can be compared");
}

void run_exact_in(struct jvm *j, const struct run *r, struct run_result *ret)
{
	struct run_result res = {.events = json_array()};
	json_t *before = json_file(j->rec), *want, *methods = NULL;
	struct child *hp;

	if (r->settle) {
		jvm_settle(j, NULL);
		methods = compiled_methods(j);
	}
	hp = hp_trace(j->pid, r->args);
	res.attached = hp_attached(hp);
	for (size_t i = 0; r->commands[i]; i++)
		res.answer = jvm_do(j, "%s", r->commands[i]);
	res.detached = hp_finish(hp, SIGINT, 0, res.events);
	want = recorded(j, json_array_size(before));
	if (methods)
		keep_settled(j, methods, want, res.events);
	res.calls = json_array_size(want);
	check(j, r, &res, want);
	child_free(hp);
	json_decref(methods);
	json_decref(before);
	json_decref(want);
	if (ret)
		*ret = res;
	else
		run_result_free(&res);
}

void run_exact(const struct jdk *jdk, const struct run *r, struct run_result *ret)
{
	struct jvm j;

	print_run(jdk, r);
	jvm_start(&j, jdk, r->flags, (const char *const[]){r->program, NULL});
	jvm_ready(&j);
	run_exact_in(&j, r, ret);
	jvm_quit(&j);
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
