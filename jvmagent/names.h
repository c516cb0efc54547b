/* SPDX-License-Identifier: MIT */
/* names.h - what a method is called. Only for methods that live: see docs/hotspot.md, "JVMTI". */
#ifndef HP_AGENT_NAMES_H
#define HP_AGENT_NAMES_H

#include <jvmti.h>

/* As JVMTI has them, and its memory; NULL for what could not be had. */
struct names {
	char *class_signature, *name, *descriptor;
};

/** names_get() - @ret is to be given to names_free(), whatever could be had. */
void names_get(struct names *ret, JNIEnv *jni, jmethodID method);
void names_free(struct names *n);

#endif
