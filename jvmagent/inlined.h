/* SPDX-License-Identifier: MIT */
/* inlined.h - which methods were inlined into a compiled one, and where in its code they are. */
#ifndef HP_AGENT_INLINED_H
#define HP_AGENT_INLINED_H

#include <jvmti.h>

#include "text.h"

/**
 * inlined_write() - add ,"inlined":{..}, if any method was inlined.
 * @self: the compiled method, [@code, @code + @size) its code.
 * @info: HotSpot's records (jvmticmlr.h), may be NULL.
 *
 * What does not fit into the line is left out, and "truncated" says so. The line always keeps room
 * for its end.
 */
void inlined_write(struct text *t, JNIEnv *jni, jmethodID self, const void *code, jint size,
		   const void *info);

#endif
