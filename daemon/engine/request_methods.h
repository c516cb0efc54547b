/* SPDX-License-Identifier: MIT */
/* request_methods.h - `methods`: the compiled methods of a target, and with -w what becomes of
 * them. */
#ifndef HP_REQUEST_METHODS_H
#define HP_REQUEST_METHODS_H

#include "base/loop.h"
#include "engine/answer.h"
#include "proto/request.h"

struct methods_job;

/* Called once, when a job has ended by itself or by request_methods_stop(); it is gone after. */
typedef void methods_done_fn(void *arg, enum status status);

/**
 * request_methods() - answer, and for @req->follow go on until stopped.
 * @ret: then set; else it is NULL, and @done is not called.
 * Return: STATUS_OK; otherwise what went wrong (said).
 */
enum status request_methods(struct answer *a, const struct methods_request *req, struct loop *loop,
			    methods_done_fn *done, void *arg, struct methods_job **ret);
void request_methods_stop(struct methods_job *j);

#endif
