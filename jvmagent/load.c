/* SPDX-License-Identifier: MIT */
/*
 * load.c - HotSpot enters here: by -agentpath, by JAVA_TOOL_OPTIONS or through the attach socket.
 * The agent looks at the JVM, then starts, or stays out with one line on stderr.
 */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "callbacks.h"
#include "control.h"
#include "fds.h"
#include "launch.h"
#include "options.h"
#include "sender.h"
#include "trial.h"
#include "vm.h"

#define JDK_MIN 17
#define JDK_MAX 25

static bool started;
static pthread_mutex_t load_lock = PTHREAD_MUTEX_INITIALIZER;
static char why[512]; /* the agent is not at work */

/* Return: @err. */
static int refuse(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int refuse(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	agent_say("%s: the JVM goes on without the agent", why);
	return err;
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
		return refuse(-EOPNOTSUPP, "this JVM has no JVMTI");
	}
	property_get("java.vm.specification.version", version, sizeof(version));
	property_get("java.vm.version", agent.release, sizeof(agent.release));
	property_get("java.vm.name", agent.vm_name, sizeof(agent.vm_name));
	/* "1.8" was the last of that form. */
	agent.jdk = atoi(version + (strncmp(version, "1.", 2) ? 0 : 2));
	if (agent.jdk >= JDK_MIN && agent.jdk <= JDK_MAX)
		return 0;
	return refuse(-EOPNOTSUPP, "JDK %d: supported are %d to %d", agent.jdk, JDK_MIN, JDK_MAX);
}

/* One file at most: the first. */
static void add_file(const struct options *o)
{
	static bool has_file;
	int err = *o->events ? has_file ? -EALREADY : sender_add_file(o->events) : 0;

	has_file |= *o->events && !err;
	if (err == -EALREADY)
		agent_say("events already go to a file: %s is not written", o->events);
	else if (err)
		agent_say("cannot write events to %s: %s", o->events, strerror(-err));
}

/*
 * Better without us than ended by us: before the first system call that such a filter may know.
 * What cannot be tried is most likely not filtered either, and what merely fails is said where it
 * fails.
 */
static int check_filter(void)
{
	struct trial t = {0};

	if (trial_run(TRIAL_AGENT, &t) != -EPERM || t.error)
		return 0;
	return refuse(-EPERM,
		      "the seccomp filter of this process would end it at the agent's system call "
		      "%ld",
		      t.nr);
}

static int start_threads(const struct options *o, bool live)
{
	int err = fds_prepare();

	if (!err)
		err = control_start();
	if (err == -EALREADY)
		return refuse(err,
			      "another copy of the agent is loaded, which hotprobe trace -p finds");
	if (err == -EADDRINUSE)
		return refuse(err, "others hold all names that the agent's socket can have");
	if (err)
		return refuse(err, "the agent cannot listen for requests (%s)", strerror(-err));
	if (live)
		vm_set_phase(JVMTI_PHASE_LIVE);
	err = sender_start(o->queue_bytes, &callbacks_source);
	if (err)
		agent_say("cannot send events: %s", strerror(-err));
	else
		add_file(o);
	return 0;
}

static void connect_launcher(const struct options *o)
{
	int err = *o->wait ? launch_connect(o->wait) : 0;

	if (err)
		agent_say("nobody waits at @%s (%s): the JVM starts at once", o->wait,
			  strerror(-err));
}

static int start(JavaVM *jvm, const struct options *o, bool live)
{
	int err = vm_look(jvm);

	if (!err && callbacks_prepare())
		err = refuse(-EOPNOTSUPP, "this JVM does not report compiled methods");
	if (!err)
		err = start_threads(o, live);
	if (err && agent.ti)
		(*agent.ti)->DisposeEnvironment(agent.ti);
	return err;
}

/* Return: 0 an agent of ours is at work, as asked; -errno. */
static int load(JavaVM *jvm, const char *text, bool live)
{
	struct options o;
	char mistake[512];
	int err, deadly;

	pthread_mutex_lock(&load_lock);
	err = options_parse(&o, text, getpid(), mistake, sizeof(mistake));
	agent.quiet = o.quiet;
	deadly = started ? 0 : check_filter();
	if (deadly)
		err = deadly;
	else if (err)
		refuse(err, "%s", mistake);
	else if (started)
		add_file(&o);
	else
		err = start(jvm, &o, live);
	started |= !err;
	if (!err && !live)
		connect_launcher(&o);
	else if (!live && *o.wait && !deadly)
		launch_refuse(o.wait, err, why);
	pthread_mutex_unlock(&load_lock);
	return err;
}

/* Never anything but JNI_OK: HotSpot ends the JVM otherwise. */
JNIEXPORT jint JNICALL Agent_OnLoad(JavaVM *jvm, char *options, void *reserved _unused_)
{
	load(jvm, options, false);
	return JNI_OK;
}

/* Whoever loads us learns from the code why it did not work; for the JVM it makes no difference. */
JNIEXPORT jint JNICALL Agent_OnAttach(JavaVM *jvm, char *options, void *reserved _unused_)
{
	return -load(jvm, options, true);
}

/* Our threads still run: the library stays (-z nodelete), and VMDeath has ended all else. */
JNIEXPORT void JNICALL Agent_OnUnload(JavaVM *jvm _unused_)
{
}
