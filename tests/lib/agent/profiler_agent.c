// SPDX-License-Identifier: MIT
/*
 * profiler_agent.c - a profiler as they are: SIGPROF interrupts whichever thread computes, and the
 * handler asks HotSpot for its stack (AsyncGetCallTrace, which no header declares; its struct and
 * its negative answers are from OpenJDK src/hotspot/share/prims/forte.cpp).
 *
 * At the JVM's end it prints on stderr:
 *   PROFILE <samples of Java threads> <stacks> <stacks down to their first method> <-CODE:COUNT
 * ...>
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <jvmti.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#define FRAMES_MAX  128
#define CODES_MAX   16
#define INTERVAL_US 500 /* of CPU time; the kernel makes it one of its ticks */

struct call_frame {
	jint bci;
	jmethodID method;
};

struct call_trace {
	JNIEnv *env;
	jint frames; /* negative: why there are none */
	struct call_frame *v;
};

static void (*get_trace)(struct call_trace *, jint depth, void *ucontext);
static JavaVM *vm;
static atomic_long samples, stacks, complete, codes[CODES_MAX];
/* Threads begin in one of few methods; a stack that ends in another was cut short. */
static jmethodID first[2];

static void on_sample(int sig, siginfo_t *info, void *ucontext)
{
	struct call_frame v[FRAMES_MAX];
	struct call_trace t = {.v = v};

	(void)sig;
	(void)info;
	if ((*vm)->GetEnv(vm, (void **)&t.env, JNI_VERSION_1_6) || !t.env)
		return;
	samples++;
	get_trace(&t, FRAMES_MAX, ucontext);
	if (t.frames > 0) {
		jmethodID last = v[t.frames - 1].method;

		stacks++;
		complete += last == first[0] || last == first[1];
	} else if (t.frames > -CODES_MAX) {
		codes[-t.frames]++;
	}
}

static void take_first(jvmtiEnv *ti, jclass class, jmethodID *methods, jint n)
{
	char *of = NULL;

	if ((*ti)->GetClassSignature(ti, class, &of, NULL))
		return;
	for (jint i = 0; i < n; i++) {
		char *name = NULL;

		if ((*ti)->GetMethodName(ti, methods[i], &name, NULL, NULL))
			continue;
		if (!strcmp(of, "Ljava/lang/Thread;") && !strcmp(name, "run"))
			first[0] = methods[i];
		if (!strncmp(of, "Lprog/", 6) && !strcmp(name, "main"))
			first[1] = methods[i];
		(*ti)->Deallocate(ti, (unsigned char *)name);
	}
	(*ti)->Deallocate(ti, (unsigned char *)of);
}

/* A method has an id for the handler only when somebody has asked for it before. */
static void ids_make(jvmtiEnv *ti, jclass class)
{
	jmethodID *methods;
	jint n;

	if ((*ti)->GetClassMethods(ti, class, &n, &methods))
		return;
	take_first(ti, class, methods, n);
	(*ti)->Deallocate(ti, (unsigned char *)methods);
}

static void JNICALL on_prepare(jvmtiEnv *ti, JNIEnv *env, jthread thread, jclass class)
{
	(void)env;
	(void)thread;
	ids_make(ti, class);
}

/* AsyncGetCallTrace wants that this event is on. */
static void JNICALL on_load(jvmtiEnv *ti, JNIEnv *env, jthread thread, jclass class)
{
	(void)ti;
	(void)env;
	(void)thread;
	(void)class;
}

static void JNICALL on_init(jvmtiEnv *ti, JNIEnv *env, jthread thread)
{
	struct sigaction a = {.sa_sigaction = on_sample, .sa_flags = SA_SIGINFO | SA_RESTART};
	struct itimerval every = {{0, INTERVAL_US}, {0, INTERVAL_US}};
	jclass *classes;
	jint n;

	(void)thread;
	if (!(*ti)->GetLoadedClasses(ti, &n, &classes)) {
		for (jint i = 0; i < n; i++) {
			ids_make(ti, classes[i]);
			(*env)->DeleteLocalRef(env, classes[i]);
		}
		(*ti)->Deallocate(ti, (unsigned char *)classes);
	}
	sigaction(SIGPROF, &a, NULL);
	setitimer(ITIMER_PROF, &every, NULL);
}

static void JNICALL on_death(jvmtiEnv *ti, JNIEnv *env)
{
	const struct itimerval never = {0};

	(void)ti;
	(void)env;
	setitimer(ITIMER_PROF, &never, NULL);
	fprintf(stderr, "PROFILE %ld %ld %ld", samples, stacks, complete);
	for (int i = 0; i < CODES_MAX; i++)
		if (codes[i])
			fprintf(stderr, " -%d:%ld", i, codes[i]);
	fputc('\n', stderr);
}

JNIEXPORT jint JNICALL Agent_OnLoad(JavaVM *v, char *options, void *reserved)
{
	static const jvmtiEvent events[] = {JVMTI_EVENT_CLASS_PREPARE, JVMTI_EVENT_CLASS_LOAD,
					    JVMTI_EVENT_VM_INIT, JVMTI_EVENT_VM_DEATH};
	jvmtiEventCallbacks c = {.ClassPrepare = on_prepare,
				 .ClassLoad = on_load,
				 .VMInit = on_init,
				 .VMDeath = on_death};
	jvmtiEnv *ti;

	(void)options;
	(void)reserved;
	vm = v;
	*(void **)&get_trace =
		dlsym(dlopen("libjvm.so", RTLD_NOW | RTLD_NOLOAD), "AsyncGetCallTrace");
	if (!get_trace || (*v)->GetEnv(v, (void **)&ti, JVMTI_VERSION_1_2) ||
	    (*ti)->SetEventCallbacks(ti, &c, sizeof(c)))
		return JNI_ERR;
	for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++)
		(*ti)->SetEventNotificationMode(ti, JVMTI_ENABLE, events[i], NULL);
	return JNI_OK;
}
