/* SPDX-License-Identifier: MIT */
/* hotspot_watch.h - follow the symbol map of a JVM, in which nothing is changed: see runtime_ops.
 */
#ifndef HP_HOTSPOT_WATCH_H
#define HP_HOTSPOT_WATCH_H

#include "runtime/runtime.h"

int hotspot_watch(const struct target_request *req, const struct spec *spec, struct loop *loop,
		  const struct runtime_out *out, struct runtime_watch **ret, struct fail *f);

#endif
