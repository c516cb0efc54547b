/* SPDX-License-Identifier: MIT */
#include "names.h"

#include <string.h>

#include "agent.h"

static void drop(char **name)
{
	(*agent.ti)->Deallocate(agent.ti, (unsigned char *)*name);
	*name = NULL;
}

/*
 * The linkers that HotSpot makes on the spot, MethodHandle.linkToStatic() and its like for each
 * descriptor, share method ids: what JVMTI calls one may be another's name (tests/jvm/test_cross.c
 * found them out). Better none than a wrong one.
 */
static bool is_linker(const struct names *n, jmethodID method)
{
	jboolean native = JNI_FALSE;

	return n->class_signature &&
	       !strcmp(n->class_signature, "Ljava/lang/invoke/MethodHandle;") &&
	       !(*agent.ti)->IsMethodNative(agent.ti, method, &native) && native;
}

void names_get(struct names *ret, JNIEnv *jni, jmethodID method)
{
	jvmtiEnv *ti = agent.ti;
	jclass holder = NULL;

	*ret = (struct names){0};
	/* INVALID_METHODID, INVALID_CLASS, WRONG_PHASE, OUT_OF_MEMORY: then it has no name. */
	if ((*ti)->GetMethodName(ti, method, &ret->name, &ret->descriptor, NULL))
		ret->name = ret->descriptor = NULL;
	if ((*ti)->GetMethodDeclaringClass(ti, method, &holder) || !holder)
		return;
	if ((*ti)->GetClassSignature(ti, holder, &ret->class_signature, NULL))
		ret->class_signature = NULL;
	(*jni)->DeleteLocalRef(jni, holder);
	if (!is_linker(ret, method))
		return;
	drop(&ret->name);
	drop(&ret->descriptor);
}

void names_free(struct names *n)
{
	drop(&n->class_signature);
	drop(&n->name);
	drop(&n->descriptor);
}
