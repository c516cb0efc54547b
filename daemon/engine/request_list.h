/* SPDX-License-Identifier: MIT */
/* request_list.h - `list`: the JVMs on this machine. */
#ifndef HP_REQUEST_LIST_H
#define HP_REQUEST_LIST_H

#include "engine/answer.h"

enum status request_list(struct answer *a);

#endif
