// SPDX-License-Identifier: MIT
/* request_trace.c - `trace`: every call of the chosen methods. */
#include "engine/session.h"

static enum status trace(struct answer *a, const struct request *req)
{
	struct session *s = NULL;
	enum status status = session_open(a, &req->trace, &s);

	a->job = s;
	return status;
}

static void trace_stop(void *job)
{
	session_stop(job, "interrupted");
}

static void trace_resume(void *job)
{
	session_resume(job);
}

const struct request_ops request_trace = {
	.run = trace,
	.stop = trace_stop,
	.resume = trace_resume,
};
