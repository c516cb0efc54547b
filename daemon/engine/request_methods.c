// SPDX-License-Identifier: MIT
/* request_methods.c - `methods`, and with -w what becomes of them. See request_methods.h. */
#include "engine/request_methods.h"
#include "proc/proc.h"

struct methods_job {
	struct loop *loop;
	struct runtime_out out;
	struct spec *spec; /* NULL: all */
	methods_done_fn *done;
	void *arg;
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

static void job_free(struct methods_job *j)
{
	loop_del(j->loop, j->pid_src);
	if (j->watch)
		j->watch->close(j->watch);
	spec_free(j->spec);
	free(j);
}

void request_methods_stop(struct methods_job *j)
{
	bool alive = proc_alive(j->watch->id);
	methods_done_fn *done = j->done;
	void *arg = j->arg;

	job_free(j);
	done(arg, alive ? STATUS_OK : STATUS_TARGET_ENDED);
}

static void on_target_ended(void *arg, uint32_t events _unused_)
{
	request_methods_stop(arg);
}

static int job_start(struct methods_job *j, const struct methods_request *req, struct fail *f)
{
	const struct target_request *t = &req->target;
	const struct runtime_ops *runtime;
	int err = req->pattern ? spec_parse(req->pattern, &j->spec, f) : 0;

	if (err)
		return err;
	runtime = runtime_find(t);
	if (!req->follow)
		return runtime->methods(t, j->spec, &j->out, f);
	err = runtime->watch(t, j->spec, j->loop, &j->out, &j->watch, f);
	if (err)
		return err;
	j->pid_src = loop_add(j->loop, j->watch->id->pidfd, EPOLLIN, on_target_ended, j);
	return j->pid_src ? 0 : -ENOMEM;
}

enum status request_methods(struct answer *a, const struct methods_request *req, struct loop *loop,
			    methods_done_fn *done, void *arg, struct methods_job **ret)
{
	struct methods_job *j = calloc(1, sizeof(*j));
	struct fail f = {0};
	int err;

	*ret = NULL;
	if (!j)
		return answer_failed(-ENOMEM, 0, &f);
	*j = (struct methods_job){.loop = loop,
				  .out = {.event = on_event, .room = on_room, .arg = a},
				  .done = done,
				  .arg = arg};
	err = job_start(j, req, &f);
	if (!err && j->watch)
		*ret = j;
	else
		job_free(j);
	return answer_failed(err, req->target.pid, &f);
}
