/* SPDX-License-Identifier: MIT */
/* request_check.h - `check`: what works on this machine, and on a target. */
#ifndef HP_REQUEST_CHECK_H
#define HP_REQUEST_CHECK_H

#include "engine/answer.h"
#include "proto/request.h"

/** request_check() - @t: its process and its file are looked at, where they are given. */
enum status request_check(struct answer *a, const struct target_request *t);

#endif
