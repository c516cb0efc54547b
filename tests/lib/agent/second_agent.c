/* SPDX-License-Identifier: MIT */
/*
 * second_agent.c - another agent in the same JVM, for tests/jvm/test_agent_load.c: it has
 * everything that is compiled told to it, too.
 *
 * Options when attached: "fork" has the JVM fork a child that lives on without exec(), its PID goes
 * to the file "forked"; anything else writes the number of methods it was told of to "told".
 */
#include <jvmti.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static atomic_int told;
static jvmtiEnv *ti;

static void JNICALL on_compiled(jvmtiEnv *env, jmethodID method, jint size, const void *code,
				jint n, const jvmtiAddrLocationMap *map, const void *info)
{
	(void)env, (void)method, (void)size, (void)code, (void)n, (void)map, (void)info;
	atomic_fetch_add(&told, 1);
}

static int write_number(const char *path, int number)
{
	FILE *f = fopen("number", "we");

	if (!f)
		return JNI_ERR;
	fprintf(f, "%d\n", number);
	fclose(f);
	return rename("number", path) ? JNI_ERR : JNI_OK;
}

static int fork_child(void)
{
	pid_t child = fork();

	if (child < 0)
		return JNI_ERR;
	if (child)
		return write_number("forked", child);
	sleep(600);
	_exit(0);
}

static jint start(JavaVM *vm)
{
	const jvmtiCapabilities caps = {.can_generate_compiled_method_load_events = 1};
	const jvmtiEventCallbacks calls = {.CompiledMethodLoad = on_compiled};

	if ((*vm)->GetEnv(vm, (void **)&ti, JVMTI_VERSION_1_2) ||
	    (*ti)->AddCapabilities(ti, &caps) ||
	    (*ti)->SetEventCallbacks(ti, &calls, sizeof(calls)))
		return JNI_ERR;
	return (jint)(*ti)->SetEventNotificationMode(ti, JVMTI_ENABLE,
						     JVMTI_EVENT_COMPILED_METHOD_LOAD, NULL);
}

JNIEXPORT jint JNICALL Agent_OnLoad(JavaVM *vm, char *options, void *reserved)
{
	(void)options, (void)reserved;
	return start(vm);
}

JNIEXPORT jint JNICALL Agent_OnAttach(JavaVM *vm, char *options, void *reserved)
{
	(void)reserved;
	if (options && !strcmp(options, "fork"))
		return fork_child();
	if (!ti && start(vm))
		return JNI_ERR;
	return write_number("told", atomic_load(&told));
}
