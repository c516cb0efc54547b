/* SPDX-License-Identifier: MIT */
/*
 * image_requests.h - short requests about a native image, its file or a process that runs it: see
 * struct runtime_ops.
 */
#ifndef HP_IMAGE_REQUESTS_H
#define HP_IMAGE_REQUESTS_H

#include "runtime/runtime.h"

void image_describe(const struct jvm_info *info, struct runtime_about *ret);
int image_check(const struct target_request *t, const struct runtime_out *out, struct fail *f);
int image_watch(const struct target_request *t, const struct spec *spec, struct loop *loop,
		const struct runtime_out *out, struct runtime_watch **ret, struct fail *f);
int image_clean(const struct target_request *t, size_t *sites, struct fail *f);

#endif
