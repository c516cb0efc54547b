/* SPDX-License-Identifier: MIT */
/* request_clean.h - `clean`: remove what a killed instance left in a target. */
#ifndef HP_REQUEST_CLEAN_H
#define HP_REQUEST_CLEAN_H

#include "engine/answer.h"
#include "proto/request.h"

enum status request_clean(struct answer *a, const struct target_request *t);

#endif
