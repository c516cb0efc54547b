// SPDX-License-Identifier: MIT
/* request_list.c - `list`: the JVMs on this machine. */
#include "engine/answer.h"

static const char *or_null(const char *s)
{
	return s && *s ? s : NULL;
}

static int list_one(const struct jvm_info *info, void *arg)
{
	const struct target_request t = {.pid = info->pid};
	struct runtime_about about = {.gc = NULL};

	runtime_find(&t)->describe(info, &about);
	answer_event(arg, &(struct event){.kind = EVENT_JVM,
					  .pid = info->pid,
					  .jvm = {.uid = info->uid,
						  .user = info->user,
						  .java_version = or_null(about.version),
						  .vm = or_null(about.vm),
						  .gc = about.gc,
						  .kind = jvm_kind_name(info->kind),
						  .main = about.program,
						  .reason = or_null(about.reason)}});
	return 0;
}

static enum status list(struct answer *a, const struct request *req _unused_)
{
	return answer_failed(a, jvm_each(list_one, a), NULL);
}

const struct request_ops request_list = {.run = list};
