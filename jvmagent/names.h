/* SPDX-License-Identifier: MIT */
/* names.h - the names of a method that is not unloaded: see docs/hotspot.md, "JVMTI". */
#ifndef HP_AGENT_NAMES_H
#define HP_AGENT_NAMES_H

#include <jvmti.h>

/* As JVMTI gives them, in its memory; NULL for a name that it did not give. */
struct names {
	char *class_signature, *name, *descriptor;
};

/** names_get() - always fills @ret, which names_free() takes, also when all are NULL. */
void names_get(struct names *ret, JNIEnv *jni, jmethodID method);
void names_free(struct names *n);

#endif
