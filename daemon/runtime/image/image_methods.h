/* SPDX-License-Identifier: MIT */
/* image_methods.h - the methods of a native image's file, for `methods`: see runtime_ops. */
#ifndef HP_IMAGE_METHODS_H
#define HP_IMAGE_METHODS_H

#include "runtime/runtime.h"

int image_methods(const struct target_request *t, const struct spec *spec,
		  const struct runtime_out *out, struct fail *f);

#endif
