// SPDX-License-Identifier: MIT
/* request_coverage.c - `methods --coverage`: what would be seen of methods, and why not all. */
#include "engine/answer.h"

struct asked {
	struct spec *specs[SPECS_MAX];
	size_t n;
};

static void on_event(void *arg, const struct event *ev)
{
	answer_event(arg, ev);
}

static bool on_room(void *arg)
{
	return answer_room(arg);
}

static int parse(struct asked *q, const struct trace_request *req, struct fail *f)
{
	int err = 0;

	for (size_t i = 0; i < req->nspecs && !err; i++) {
		err = spec_parse(req->specs[i], &q->specs[i], f);
		q->n += !err;
	}
	return err;
}

static enum status coverage(struct answer *a, const struct request *req)
{
	const struct target_request *t = &req->trace.target;
	const struct runtime_out out = {.event = on_event, .room = on_room, .arg = a};
	struct asked q = {0};
	struct fail f = {0};
	int err = parse(&q, &req->trace, &f);

	if (!err)
		err = runtime_find(t)->look(t, q.specs, q.n, &out, &f);
	for (size_t i = 0; i < q.n; i++)
		spec_free(q.specs[i]);
	return answer_failed(a, err, &f);
}

const struct request_ops request_coverage = {
	.run = coverage,
};
