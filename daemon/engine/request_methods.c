// SPDX-License-Identifier: MIT
/* request_methods.c - `methods`: the compiled methods of a target, and with -w what becomes of
 * them. */
#include "engine/answer.h"
#include "proc/proc.h"

/* Of -w. */
struct job {
	struct answer *a;
	struct runtime_out out;
	struct spec *spec; /* NULL: all */
	struct runtime_watch *watch;
	struct loop_source *pid_src;
};

static void on_event(void *arg, const struct event *ev)
{
	answer_event(arg, ev);
}

static bool on_room(void *arg)
{
	return answer_room(arg);
}

static void job_free(struct job *j)
{
	loop_del(j->a->loop, j->pid_src);
	if (j->watch)
		j->watch->close(j->watch);
	spec_free(j->spec);
	free(j);
}

static void job_stop(void *job)
{
	struct job *j = job;
	struct answer *a = j->a;
	bool alive = proc_alive(j->watch->id);

	job_free(j);
	answer_done(a, alive ? STATUS_OK : STATUS_TARGET_ENDED);
}

/* Events are few and are not held back. */
static void job_resume(void *job _unused_)
{
}

static void on_target_ended(void *arg, uint32_t events _unused_)
{
	job_stop(arg);
}

static int job_start(struct job *j, const struct methods_request *req, struct fail *f)
{
	const struct target_request *t = &req->target;
	const struct runtime_ops *runtime;
	int err = req->pattern ? spec_parse(req->pattern, &j->spec, f) : 0;

	if (err)
		return err;
	runtime = runtime_find(t);
	if (!req->follow)
		return runtime->methods(t, j->spec, &j->out, f);
	err = runtime->watch(t, j->spec, j->a->loop, &j->out, &j->watch, f);
	if (err)
		return err;
	j->pid_src = loop_add(j->a->loop, j->watch->id->pidfd, EPOLLIN, on_target_ended, j);
	return j->pid_src ? 0 : -errno;
}

static enum status methods(struct answer *a, const struct request *req)
{
	struct job *j = calloc(1, sizeof(*j));
	struct fail f = {0};
	int err;

	if (!j)
		return answer_failed(a, -ENOMEM, NULL);
	*j = (struct job){.a = a, .out = {.event = on_event, .room = on_room, .arg = a}};
	err = job_start(j, &req->methods, &f);
	if (!err && j->watch)
		a->job = j;
	else
		job_free(j);
	return answer_failed(a, err, &f);
}

const struct request_ops request_methods = {
	.run = methods,
	.stop = job_stop,
	.resume = job_resume,
};
