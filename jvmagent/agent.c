/* SPDX-License-Identifier: MIT */
/*
 * agent.c - the way in: libhotprobe.so is loaded by -agentpath, by JAVA_TOOL_OPTIONS or through the
 * attach socket, looks at where it is, and starts, or stays out with one line on stderr.
 */
#include "agent.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options.h"
#include "sockets.h"

/*
 * HotSpot guards the end of an attached thread's stack: StackShadowPages (20) and a few more, 100
 * KiB that must stay free (share/runtime/stackOverflow.hpp). Only what is touched is memory.
 */
#define STACK_BYTES (512 << 10)

/*
 * Built against a new glibc, loaded next to an old one: JVMs live in containers that are years
 * older than the host, and a library that -agentpath cannot load ends the JVM. glibc 2.32 and 2.34
 * gave these functions a new version when they moved to libc. The old version is still there, and
 * where they have not moved it is in libpthread, which every JVM has loaded. For the same reason
 * gettid (2.30) and fstat (2.33) are system calls here. tests/unit/test_agent_needs.c holds the
 * rest.
 */
__asm__(".symver pthread_attr_setstacksize, pthread_attr_setstacksize@GLIBC_2.2.5");
__asm__(".symver pthread_create, pthread_create@GLIBC_2.2.5");
__asm__(".symver pthread_setname_np, pthread_setname_np@GLIBC_2.12");
__asm__(".symver pthread_sigmask, pthread_sigmask@GLIBC_2.2.5");

struct agent agent;
static bool quiet;
static bool started;
static pthread_mutex_t load_lock = PTHREAD_MUTEX_INITIALIZER;

void say(const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	int n;

	if (quiet)
		return;
	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n >= 0)
		dprintf(STDERR_FILENO, "hotprobe: %s\n", line);
}

/*
 * Signals of the process are for its own threads. Those that tell of a fault stay: blocked, the
 * kernel would end the process without HotSpot's report.
 */
static void signals_block(sigset_t *old)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
	sigset_t set;

	sigfillset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		sigdelset(&set, faults[i]);
	pthread_sigmask(SIG_SETMASK, &set, old);
}

int thread_begin(void *(*run)(void *), void *arg, const char *name)
{
	size_t stack = STACK_BYTES < PTHREAD_STACK_MIN ? PTHREAD_STACK_MIN : STACK_BYTES;
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t old;
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, stack);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	signals_block(&old);
	err = pthread_create(&thread, &attr, run, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (!err)
		pthread_setname_np(thread, name);
	return -err;
}

static void property_get(const char *key, char *ret, size_t len)
{
	char *value = NULL;

	if ((*agent.ti)->GetSystemProperty(agent.ti, key, &value))
		value = NULL;
	snprintf(ret, len, "%s", value ? value : "");
	(*agent.ti)->Deallocate(agent.ti, (unsigned char *)value);
}

/* What JVM is this? All of it is known before the first event. */
static int vm_look(JavaVM *jvm)
{
	char version[32];

	agent.vm = jvm;
	if ((*jvm)->GetEnv(jvm, (void **)&agent.ti, JVMTI_VERSION_1_2)) {
		agent.ti = NULL;
		say("this JVM has no JVMTI: it goes on without the agent");
		return -EOPNOTSUPP;
	}
	property_get("java.vm.specification.version", version, sizeof(version));
	property_get("java.vm.version", agent.release, sizeof(agent.release));
	property_get("java.vm.name", agent.vm_name, sizeof(agent.vm_name));
	agent.jdk = atoi(version);
	if (agent.jdk >= JDK_MIN && agent.jdk <= JDK_MAX)
		return 0;
	say("Java %s is not supported, %d to %d are: the JVM goes on without the agent", version,
	    JDK_MIN, JDK_MAX);
	return -EOPNOTSUPP;
}

/* One file at most: the first. */
static void add_file(const struct options *o)
{
	static bool has_file;
	int err = *o->events ? has_file ? -EALREADY : sender_add_file(o->events) : 0;

	has_file |= *o->events && !err;
	if (err == -EALREADY)
		say("events go to a file already, not to %s", o->events);
	else if (err)
		say("cannot write events to %s: %s", o->events, strerror(-err));
}

static int start_threads(const struct options *o, bool live)
{
	int err = fds_prepare();

	if (!err)
		err = control_start();
	if (err == -EALREADY)
		say("another copy of the agent is loaded: this one stays out");
	else if (err)
		say("cannot listen for requests: %s", strerror(-err));
	if (err)
		return err;
	if (live)
		vm_set_phase(JVMTI_PHASE_LIVE);
	err = sender_start(o->queue_bytes);
	if (err)
		say("cannot tell of events: %s", strerror(-err));
	else
		add_file(o);
	return 0;
}

static int start(JavaVM *jvm, const struct options *o, bool live)
{
	int err = vm_look(jvm);

	if (!err) {
		err = events_prepare();
		if (err)
			say("this JVM tells nothing of compiled methods: it goes on without the "
			    "agent");
	}
	if (!err)
		err = start_threads(o, live);
	if (err && agent.ti)
		(*agent.ti)->DisposeEnvironment(agent.ti);
	if (err || live || !*o->wait)
		return err;
	err = launch_connect(o->wait);
	if (err)
		say("nobody waits at @%s (%s): the JVM starts at once", o->wait, strerror(-err));
	return 0;
}

/* Return: is an agent of ours at work, as asked? */
static bool load(JavaVM *jvm, const char *text, bool live)
{
	struct options o;
	char why[512];
	bool ok;

	pthread_mutex_lock(&load_lock);
	ok = !options_parse(&o, text, getpid(), why, sizeof(why));
	quiet = o.quiet;
	if (!ok)
		say("%s. The JVM goes on without it", why);
	else if (started)
		add_file(&o);
	else
		ok = started = !start(jvm, &o, live);
	pthread_mutex_unlock(&load_lock);
	return ok;
}

/* Never anything but JNI_OK: HotSpot ends the JVM otherwise. */
JNIEXPORT jint JNICALL Agent_OnLoad(JavaVM *jvm, char *options, void *reserved _unused_)
{
	load(jvm, options, false);
	return JNI_OK;
}

/* Whoever loads us learns whether it worked; for the JVM it makes no difference. */
JNIEXPORT jint JNICALL Agent_OnAttach(JavaVM *jvm, char *options, void *reserved _unused_)
{
	return load(jvm, options, true) ? JNI_OK : JNI_ERR;
}

/* Our threads still run: the library stays (-z nodelete), and VMDeath has ended all else. */
JNIEXPORT void JNICALL Agent_OnUnload(JavaVM *jvm _unused_)
{
}
