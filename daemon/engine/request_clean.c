// SPDX-License-Identifier: MIT
/* request_clean.c - `clean`: remove what a killed instance left in a target. */
#include "engine/answer.h"

static enum status clean(struct answer *a, const struct request *req)
{
	const struct target_request *t = &req->target;
	struct fail f = {0};
	size_t sites = 0;
	int removed = runtime_find(t)->clean(t, &sites, &f);

	if (removed < 0)
		return answer_failed(a, removed, &f);
	answer_event(a, &(struct event){.kind = EVENT_CLEANED,
					.pid = t->pid,
					.cleaned = {.removed = removed == 1, .sites = sites}});
	return STATUS_OK;
}

const struct request_ops request_clean = {.run = clean};
