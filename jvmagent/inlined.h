/* SPDX-License-Identifier: MIT */
/* inlined.h - which methods a compiled one has swallowed, and where in its code they are. */
#ifndef HP_AGENT_INLINED_H
#define HP_AGENT_INLINED_H

#include <jvmti.h>

#include "text.h"

/**
 * inlined_write() - add ,"inlined":{..}; nothing when nothing was inlined.
 * @self: the compiled method, [@code, @code + @size) its code.
 * @info: HotSpot's records (jvmticmlr.h), may be NULL.
 *
 * What does not fit into the line is left out and said to be ("truncated"). The line itself always
 * has room for its end.
 */
void inlined_write(struct text *t, JNIEnv *jni, jmethodID self, const void *code, jint size,
		   const void *info);

#endif
