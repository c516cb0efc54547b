/* SPDX-License-Identifier: MIT */
#include "names.h"

#include "agent.h"

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
}

void names_free(struct names *n)
{
	(*agent.ti)->Deallocate(agent.ti, (unsigned char *)n->class_signature);
	(*agent.ti)->Deallocate(agent.ti, (unsigned char *)n->name);
	(*agent.ti)->Deallocate(agent.ti, (unsigned char *)n->descriptor);
}
